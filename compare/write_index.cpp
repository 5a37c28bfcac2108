#include "write_index.h"

#include <algorithm>

#include "evidence.h"
#include "mysql/server_errors.h"
#include "request_id.h"
#include "text.h"

namespace darktap::compare {

namespace {

bool is_kept(Replayed replayed) { return replayed != Replayed::not_sent && replayed != Replayed::rolled_back; }

bool in_transaction(const mysql::Answer& answer) { return (answer.last_status().value_or(0) & mysql::status_flag::in_transaction) != 0; }

// A column of the only unique key that the table has.
bool is_the_unique_key(const sql::Table& table, const std::string& column) {
  if (table.unique_keys.size() != 1) return false;
  const std::vector<std::string>& columns = table.unique_keys[0].columns;
  return std::any_of(columns.begin(), columns.end(), [&](const std::string& one) { return same_name(one, column); });
}

}  // namespace

sql::QualifiedName WriteIndex::qualified(const sql::TableName& table, const std::string& schema) const {
  return {table.schema.empty() ? schema : table.schema, table.name};
}

void WriteIndex::add(WritePtr write) {
  for (const sql::QualifiedName& table : write->tables) by_table_[table].push_back(write);
  if (!is_kept(write->replayed) || write->replayed == Replayed::applied_anew) add_skipped(write);
  if (write->replayed == Replayed::applied_about_then)
    for (const sql::QualifiedName& table : write->tables) {
      auto& timed = timed_[table];
      timed.push_back(write);
      if (timed.size() > max_skipped_writes_a_table) timed.pop_front();
    }
  if (is_kept(write->replayed)) applied_[write->id.session].push_back(write);
  in_order_.push_back(std::move(write));
}

void WriteIndex::add_skipped(const WritePtr& write) {
  for (const sql::QualifiedName& table : write->tables) {
    auto& skipped = skipped_[table];
    if (skipped.size() < max_skipped_writes_a_table) skipped.push_back(write);
    else skipped.back()->keys.clear();  // too many to name: the table as a whole
  }
}

void WriteIndex::answered(session::ExchangeId exchange, CaptureTime when) {
  if (own_writes_ != ComparerOptions::OwnWrites::none) snapshots_.answered(exchange, when);
  auto session = applied_.find(exchange.session);
  if (session == applied_.end()) return;
  const std::deque<WritePtr>& writes = session->second;  // in order of their ends, too
  auto ends_before = [](const WritePtr& write, std::uint32_t seq) { return write->last_seq < seq; };
  for (auto write = std::lower_bound(writes.begin(), writes.end(), exchange.seq, ends_before); write != writes.end() && (*write)->last_seq == exchange.seq; ++write)
    (*write)->kept = when;
}

void WriteIndex::lost(session::ExchangeId exchange) {
  auto session = applied_.find(exchange.session);
  if (session == applied_.end()) return;
  for (auto write = session->second.rbegin(); write != session->second.rend(); ++write) {
    SeenWrite& one = **write;
    if (one.last_seq < exchange.seq) return;  // and so did all before it
    if (one.id.seq > exchange.seq || one.rolled_back || one.replayed == Replayed::not_sent) continue;
    one.replayed = Replayed::not_sent;
    one.lost = true;
    add_skipped(*write);
  }
}

void WriteIndex::prune(CaptureTime now) {
  while (!in_order_.empty() && (in_order_.size() > max_indexed_writes || in_order_.front()->ok + window_ < now)) {
    WritePtr oldest = in_order_.front();
    in_order_.pop_front();
    if (auto applied = applied_.find(oldest->id.session); applied != applied_.end()) {
      if (applied->second.front() == oldest) applied->second.pop_front();
      if (applied->second.empty()) applied_.erase(applied);
    }
    for (const sql::QualifiedName& table : oldest->tables) {
      if (is_kept(oldest->replayed)) forgotten_[table] = std::max(forgotten_[table], oldest->committed.value_or(oldest->ok));
      auto entry = by_table_.find(table);
      if (entry == by_table_.end()) continue;
      if (!entry->second.empty() && entry->second.front() == oldest) entry->second.pop_front();
      if (entry->second.empty()) by_table_.erase(entry);
    }
  }
  while (sessions_.size() > max_tracked_sessions) {
    auto idle = std::min_element(sessions_.begin(), sessions_.end(),
                                 [](const auto& x, const auto& y) { return x.second.last_seen < y.second.last_seen; });
    sessions_.erase(idle);
  }
}

void WriteIndex::finish_transaction(Session& session, const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (session.pending.empty()) return;
  CaptureTime now = exchange.response_last;
  const mysql::ServerError* error = exchange.answer.error();
  bool open = in_transaction(exchange.answer);
  bool rolled_back = (error != nullptr && error->code == mysql::server_error::lock_deadlock) || exchange.command.code == mysql::CommandCode::quit ||
                     exchange.command.code == mysql::CommandCode::reset_connection ||
                     exchange.command.code == mysql::CommandCode::change_user;
  bool committed = false;
  if (error == nullptr) {
    bool begins = meaning.verb == "begin" || meaning.verb == "start transaction";
    rolled_back = rolled_back || (meaning.verb.starts_with("rollback") && !open);
    committed = !rolled_back && (meaning.verb.starts_with("commit") || begins || meaning.statement_class == sql::StatementClass::ddl ||
                                 (exchange.answer.last_status() && !open));
  }
  if (!rolled_back && !committed) return;
  const mysql::Ok* ok = exchange.answer.last_ok();
  for (const WritePtr& write : session.pending) {
    (rolled_back ? write->rolled_back : write->committed) = now;
    write->commit_sent = exchange.request_first;
    write->last_seq = exchange.id.seq;
    if (committed && ok != nullptr && !ok->gtid.empty()) write->gtid = ok->gtid;
  }
  session.pending.clear();
}

// INSERT … SELECT, UPDATE … JOIN: what is computed from rows that the target never got is wrong there as well. A row that an UPDATE
// changes in place is tainted by itself; what an INSERT copies within one table is a new row.
bool WriteIndex::reads_tainted(const session::Exchange& exchange, const sql::Meaning& meaning) const {
  return std::any_of(meaning.tables_read.begin(), meaning.tables_read.end(), [&](const sql::TableName& table) {
    auto entry = skipped_.find(qualified(table, exchange.schema));
    if (entry == skipped_.end() || entry->second.empty()) return false;
    sql::Dialect dialect = dialect_of(exchange.collation);
    sql::QueryShape shape = sql::shape_of(exchange.command.text, dialect);
    bool in_place = std::any_of(meaning.tables_written.begin(), meaning.tables_written.end(), [&](const sql::TableName& written) { return qualified(written, exchange.schema) == entry->first; });
    if (in_place && !shape.from_select) return false;
    KeyValues predicates = predicates_on(table, shape, exchange.command, dialect);
    return std::any_of(entry->second.begin(), entry->second.end(), [&](const WritePtr& skipped) { return !disjoint(predicates, skipped->keys); });
  });
}

// One SeenWrite a table: each has keys and columns of its own.
void WriteIndex::note_writes(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed, Session& session) {
  std::vector<WritePart> parts = parts_of(exchange, meaning, catalogue_);
  if (parts.empty()) return;
  const mysql::Ok* ok = exchange.answer.last_ok();
  const std::string sql = quoted_sql(exchange.command.text, exchange.collation), request = request_id(exchange.command.text, dialect_of(exchange.collation));
  for (WritePart& part : parts) {
    auto write = std::make_shared<SeenWrite>();
    static_cast<WritePart&>(*write) = std::move(part);
    write->id = exchange.id;
    write->sql = sql;
    write->request_id = request;
    write->request = exchange.request_first;
    write->ok = exchange.response_last;
    write->replayed = replayed;
    write->changes_schema = meaning.statement_class == sql::StatementClass::ddl;
    if (replayed != Replayed::applied_anew) write->drawn.clear();
    if (ok != nullptr) write->gtid = ok->gtid;
    if (is_kept(replayed) && reads_tainted(exchange, meaning)) {
      write->replayed = Replayed::not_sent;
      write->tainted = true;
      write->keys.clear();
    }
    bool implicit_commit = meaning.statement_class == sql::StatementClass::ddl;
    if (in_transaction(exchange.answer) && !implicit_commit) session.pending.push_back(write);
    else write->committed = write->ok, write->commit_sent = write->request, write->last_seq = write->id.seq;
    add(std::move(write));
  }
  if (ok != nullptr && ok->last_insert_id != 0) {
    session.history.insert_sql = sql;
    session.history.insert = replayed;
  }
}

void WriteIndex::observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed) {
  Session& session = sessions_[exchange.id.session];
  session.last_seen = exchange.request_first;
  bool asks_history = std::any_of(meaning.nondeterministic.begin(), meaning.nondeterministic.end(), [](const std::string& name) {
    return name == "found_rows" || name == "row_count" || name == "last_insert_id" || name.starts_with("@@");
  });
  if (asks_history && histories_.size() < max_histories) histories_[exchange.id] = session.history;
  finish_transaction(session, exchange, meaning);
  if (own_writes_ != ComparerOptions::OwnWrites::none) snapshots_.observe(exchange, meaning);

  if (!exchange.command.text.empty()) {
    session.history.previous_sql.assign(exchange.command.text, 0, max_evidence_sql);
    session.history.previous_collation = exchange.collation;
    session.history.previous = replayed;
    session.history.counted.reset();
    if (meaning.counts_found_rows && exchange.command.text.size() <= max_counted_read_bytes)
      session.history.counted = std::make_shared<CountedRead>(CountedRead{exchange.command, exchange.schema, exchange.collation, meaning.mode, exchange.request_first, exchange.response_last});
  }
  note_writes(exchange, meaning, replayed, session);
  note_schema(exchange, meaning, replayed);
  bool ended = exchange.command.code == mysql::CommandCode::quit;
  if (ended) sessions_.erase(exchange.id.session);
  prune(exchange.request_first);
}

ReadScope WriteIndex::scope_of(const session::Exchange& exchange, const sql::Meaning& meaning, const Plan& plan) const {
  const sql::QueryShape& shape = plan.shape;
  const sql::Dialect& dialect = plan.dialect;
  ReadScope scope;
  scope.id = exchange.id;
  scope.request = exchange.request_first;
  scope.response = exchange.response_last;
  scope.request_id = request_id(exchange.command.text, dialect);
  scope.host = host_of(exchange.id.session);
  bool is_read = meaning.statement_class == sql::StatementClass::read;
  auto names = is_read ? names_in(plan.sql, dialect) : std::nullopt;
  if (names) scope.names = std::move(*names);
  for (const sql::TableName& table : meaning.tables_read) {
    sql::QualifiedName name = qualified(table, exchange.schema);
    bool by_names = names && follows_named_columns(catalogue_, name, scope.names);
    scope.tables.push_back({std::move(name), predicates_on(table, shape, exchange.command, dialect), is_read ? ranges_on(table, plan.sql, shape, exchange.command, dialect) : Ranges(), by_names});
  }
  // What a write meets was put there by earlier ones.
  for (const sql::TableName& table : meaning.tables_written) {
    sql::QualifiedName name = qualified(table, exchange.schema);
    if (std::any_of(scope.tables.begin(), scope.tables.end(), [&](const auto& read) { return read.name == name; })) continue;
    const sql::Table* known = catalogue_.table(name.first, name.second);
    KeyValues keys = written_keys(shape, exchange.command, dialect, known, 0);
    // What a new row meets is told by its unique key alone: the other values are what it will have, not what is there.
    bool adds_rows = shape.kind == sql::ShapeKind::insert || shape.kind == sql::ShapeKind::replace;
    if (adds_rows) std::erase_if(keys, [&](const auto& entry) { return known == nullptr || !is_the_unique_key(*known, entry.first); });
    scope.tables.push_back({name, std::move(keys), {}, false});
  }
  std::vector<sql::QualifiedName> views;
  for (const ReadTable& table : scope.tables) views.push_back(table.name);
  while (!views.empty()) {
    auto view = catalogue_.views.find(views.back());
    views.pop_back();
    if (view == catalogue_.views.end()) continue;
    for (const sql::QualifiedName& below : view->second.tables) {
      if (std::any_of(scope.tables.begin(), scope.tables.end(), [&](const ReadTable& table) { return table.name == below; })) continue;
      scope.tables.push_back({below, {}, {}, false});
      views.push_back(below);
    }
  }
  // A view's columns go by other names than its tables'.
  if (std::any_of(scope.tables.begin(), scope.tables.end(), [&](const ReadTable& table) { return catalogue_.table(table.name.first, table.name.second) == nullptr; }))
    for (ReadTable& table : scope.tables) table.by_names = false;
  if (const Snapshot* snapshot = is_read && own_writes_ != ComparerOptions::OwnWrites::none ? snapshots_.of(exchange.id) : nullptr) {
    scope.snapshot_request = snapshot->request;
    scope.snapshot_response = snapshot->response;
    scope.snapshot_before = snapshot->before.value_or(CaptureTime());
    scope.snapshot_answered = snapshot->answered;
  }
  return scope;
}

namespace {

// A statement that asks for what the write wrote: "name=w12", of WHERE name = 'w12' and SET name = 'w12'.
std::optional<std::string> asked_value(const SeenWrite& write, const KeyValues& predicates) {
  for (const WrittenRow& row : write.rows)
    for (const auto& [column, value] : row)
      if (auto asked = predicates.find(column); asked != predicates.end() && asked->second.contains(key_spelling(value))) return column + "=" + value;
  return std::nullopt;
}

// Do the rows that differ, and are surely one, differ in a column that the write may have changed?
bool may_have_changed(const SeenWrite& write, const sql::QualifiedName& table, const Table* a, const Table* b, const RowMatch* leftovers) {
  if (write.columns.empty() || a == nullptr || b == nullptr || leftovers == nullptr || leftovers->only_a.size() != 1 || leftovers->only_b.size() != 1) return true;
  bool any = false;
  for (std::size_t c = 0; c < a->columns.size() && c < b->columns.size(); ++c) {
    const mysql::Column& column = a->columns[c];
    if (a->rows[leftovers->only_a[0]][c] == b->rows[leftovers->only_b[0]][c]) continue;
    bool is_its_own = !column.org_name.empty() && (column.org_table == table.second || column.table == table.second);
    if (!is_its_own || write.columns.contains(lower(column.org_name))) return true;
    any = true;
  }
  return !any;
}

}  // namespace

std::string_view to_string(Attribution::By by) {
  switch (by) {
    case Attribution::By::own_session: return "own_session";
    case Attribution::By::same_request: return "same_request";
    case Attribution::By::same_host: return "same_host";
    case Attribution::By::other_session: return "other_session";
  }
  return "";
}

void WriteIndex::note_host(SessionId session, std::string host) {
  if (hosts_.insert_or_assign(session, std::move(host)).second) hosts_in_order_.push_back(session);
  while (hosts_in_order_.size() > max_tracked_sessions) {
    hosts_.erase(hosts_in_order_.front());
    hosts_in_order_.pop_front();
  }
}

const std::string& WriteIndex::host_of(SessionId session) const {
  static const std::string unknown;
  auto host = hosts_.find(session);
  return host == hosts_.end() ? unknown : host->second;
}

bool WriteIndex::has_changed(const sql::Meaning& meaning, const std::string& schema) const {
  if (by_table_.empty()) return false;
  return std::any_of(meaning.tables_read.begin(), meaning.tables_read.end(), [&](const sql::TableName& table) { return by_table_.contains(qualified(table, schema)); });
}

Attribution::By WriteIndex::by(const SeenWrite& write, const ReadScope& read) const {
  if (write.id.session == read.id.session) return Attribution::By::own_session;
  if (!read.request_id.empty() && write.request_id == read.request_id) return Attribution::By::same_request;
  return !read.host.empty() && host_of(write.id.session) == read.host ? Attribution::By::same_host : Attribution::By::other_session;
}

// Was it visible to the read when that was sent, and not too long before?
bool WriteIndex::is_explained_by_time(const SeenWrite& write, const ReadScope& read) const {
  bool own = write.id.session == read.id.session;
  if (write.ok > read.request || write.ok + window_ < read.request) return false;
  if (own && write.rolled_back && *write.rolled_back <= read.request) return false;
  return own || (write.committed && *write.committed <= read.request);
}

std::optional<Attribution> WriteIndex::explaining(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, Leftovers kind, const SeenWrite* applied) const {
  std::optional<Attribution> best;
  int best_rank = -1;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    if (!is_explained_by_time(*write, read) || (applied != nullptr && (write->ok <= applied->request || write.get() == applied))) return;
    bool visible = write->committed && *write->committed <= read.request;
    Touch touch = touches(*write, table, a, b, leftovers);
    if (touch == Touch::no && kind == Leftovers::all_rows) return;
    std::optional<std::string> key = common_key(predicates, write->keys);
    Bearer bearer = bearer_of(*write, table, key ? Predicate::names_row : Predicate::silent, a, b, leftovers);
    if (bearer == Bearer::target && kind == Leftovers::all_rows) return;
    if (!key && touch == Touch::yes) {
      auto [column, values] = *shown_key(*write, table, *a);
      std::set<std::string> met;
      for (std::size_t row : leftovers->only_a) met.insert(key_spelling(a->rows[row][column].text));
      for (std::size_t row : leftovers->only_b) met.insert(key_spelling(b->rows[row][column].text));
      for (const std::string& value : *values)
        if (!key && met.contains(value)) key = lower(a->columns[column].org_name) + "=" + value;
    }
    bool named = key.has_value() && touch != Touch::no;
    if (!key) key = asked_value(*write, predicates);
    Attribution::By whose = by(*write, read);
    int rank = (bearer == Bearer::source ? 8 : 0) + (named || (key && touch != Touch::no) ? 4 : 0) + (key ? 1 : 0) + (may_have_changed(*write, table, a, b, leftovers) ? 2 : 0);
    rank = rank * 4 + static_cast<int>(whose);
    if (best && (rank < best_rank || (rank == best_rank && write->ok <= best->write->ok))) return;
    best_rank = rank;
    best = Attribution{write, table, std::move(key), whose, !visible, bearer == Bearer::source};
  });
  return best;
}

std::optional<Attribution> WriteIndex::shown_by_target(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const {
  std::optional<Attribution> latest;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    if (!is_explained_by_time(*write, read) || (latest && write->ok <= latest->write->ok)) return;
    std::optional<std::string> key = common_key(predicates, write->keys);
    if (bearer_of(*write, table, key ? Predicate::names_row : Predicate::silent, a, b, leftovers) != Bearer::target) return;
    latest = Attribution{write, table, std::move(key), by(*write, read), false, false};
  });
  return latest;
}

bool WriteIndex::touches_column(const ReadScope& read, const std::string& column, const Table& a, std::size_t row) const {
  bool found = false;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues&) {
    if (found || write->removes || write->ok > read.request || !(write->columns.empty() || write->columns.contains(column))) return;
    auto shown = shown_key(*write, table, a);
    found = !shown || row_has_key(a, row, shown->first, *shown->second);
  });
  return found;
}

std::optional<Attribution> WriteIndex::racing(const ReadScope& read) const {
  std::optional<Attribution> found;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    CaptureTime visible = write->committed.value_or(write->ok);
    if (found || write->request > read.response || visible <= read.request || write->rolled_back) return;
    found = Attribution{write, table, common_key(predicates, write->keys), by(*write, read), false, false};
  });
  return found;
}

std::optional<CaptureTime> WriteIndex::last_before(const ReadScope& read) const {
  std::optional<CaptureTime> last;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName&, const KeyValues&) {
    CaptureTime visible = write->committed.value_or(write->ok);
    if (!write->rolled_back && visible <= read.request) last = std::max(last.value_or(visible), visible);
  });
  return last;
}

std::optional<std::vector<DatedWrite>> WriteIndex::dated(const ReadScope& read, std::size_t most) const {
  std::vector<DatedWrite> found;
  bool open = false;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues&) {
    const bool own = write->id.session == read.id.session, before = write->ok <= read.request;
    if (write->rolled_back && (!own || *write->rolled_back <= read.request)) return;
    const bool met = write->committed && *write->committed <= read.request;
    open = open || (own && before && !met);
    found.push_back({write, table, write->committed.value_or(CaptureTime::max()), met});
  });
  if (open) return std::nullopt;
  std::stable_sort(found.begin(), found.end(), [](const DatedWrite& x, const DatedWrite& y) { return x.met != y.met ? x.met : x.visible < y.visible; });
  if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  return found;
}

bool WriteIndex::own_to_be_rolled_back(const ReadScope& read) const {
  bool found = false;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName&, const KeyValues&) {
    bool open = write->id.session == read.id.session && write->ok <= read.request && !(write->committed && *write->committed <= read.request) && !(write->rolled_back && *write->rolled_back <= read.request);
    found = found || (open && write->replayed == Replayed::rolled_back);
  });
  return found;
}

bool WriteIndex::written_since(const ReadScope& read, CaptureTime time) const {
  bool found = false;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName&, const KeyValues&) {
    if (!write->rolled_back && write->committed.value_or(write->ok) >= time) found = true;
  });
  return found;
}

std::optional<Attribution> WriteIndex::skipped_schema_change(const ReadScope& read) const {
  std::optional<Attribution> found;
  each_candidate(read, skipped_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues&) {
    if (!found && write->changes_schema && write->ok <= read.response) found = Attribution{write, table, std::nullopt, by(*write, read), false, false};
  });
  return found;
}

SessionHistory WriteIndex::take_history(session::ExchangeId id) {
  auto entry = histories_.find(id);
  if (entry == histories_.end()) return {};
  SessionHistory history = std::move(entry->second);
  histories_.erase(entry);
  return history;
}

}  // namespace darktap::compare
