#include "write_index.h"

#include <algorithm>

#include "evidence.h"
#include "text.h"

namespace darktap::compare {

namespace {

constexpr std::uint16_t deadlock = 1213;

bool is_kept(Replayed replayed) { return replayed != Replayed::not_sent && replayed != Replayed::rolled_back; }

bool in_transaction(const mysql::Answer& answer) { return (answer.last_status().value_or(0) & mysql::status_flag::in_transaction) != 0; }

bool changed_something(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (exchange.answer.error() != nullptr || !exchange.is_observed() || meaning.tables_written.empty()) return false;
  bool counts_rows = meaning.statement_class == sql::StatementClass::write && meaning.statements == 1;
  const mysql::Ok* ok = exchange.answer.last_ok();
  return !counts_rows || ok == nullptr || ok->affected_rows > 0;
}

// Does the write's key meet a row on one side only? Nothing where the output doesn't show the key.
enum class Touch : std::uint8_t { unknown, yes, no };
bool row_has_key(const Table& table, std::size_t row, std::size_t column, const std::set<std::string>& values) {
  const mysql::Cell& cell = table.rows[row][column];
  return !cell.is_null && values.contains(key_spelling(cell.text));
}

std::optional<std::pair<std::size_t, const std::set<std::string>*>> shown_key(const SeenWrite& write, const sql::QualifiedName& table, const Table& rows) {
  for (std::size_t c = 0; c < rows.columns.size(); ++c) {
    if (rows.columns[c].org_table != table.second && rows.columns[c].table != table.second) continue;
    if (auto key = write.keys.find(lower(rows.columns[c].org_name)); key != write.keys.end()) return std::pair(c, &key->second);
  }
  return std::nullopt;
}

// A key that an UPDATE may have touched in one column only tells by that column: a write whose key column is shown, but none
// of whose values is among the leftovers, did not cause them.
Touch touches(const SeenWrite& write, const sql::QualifiedName& table, const Table* a, const Table* b, const RowMatch* leftovers) {
  if (a == nullptr || b == nullptr || leftovers == nullptr || leftovers->complete()) return Touch::unknown;
  auto shown = shown_key(write, table, *a);
  if (!shown) return Touch::unknown;
  auto [column, values] = *shown;
  for (std::size_t row : leftovers->only_a)
    if (row_has_key(*a, row, column, *values)) return Touch::yes;
  for (std::size_t row : leftovers->only_b)
    if (row_has_key(*b, row, column, *values)) return Touch::yes;
  return Touch::no;
}

// The columns that a write gives values which each server draws for itself.
std::set<std::string> drawn_columns(const sql::QueryShape& shape, const sql::Meaning& meaning, const sql::Table* table) {
  std::set<std::string> columns;
  const std::vector<std::string> functions = drawn_values(meaning);
  auto is_drawn = [&](const sql::Value& value) {
    const std::string text = lower(value.text);
    return std::any_of(functions.begin(), functions.end(), [&](const std::string& name) { return text.find(name) != std::string::npos; });
  };
  for (const sql::Assignment& assignment : shape.assignments)
    if (is_drawn(assignment.value)) columns.insert(lower(assignment.column));
  std::vector<std::string> inserted = shape.columns;
  if (inserted.empty() && table != nullptr)
    for (const sql::Column& column : table->columns) inserted.push_back(column.name);
  for (const std::vector<sql::Value>& row : shape.rows)
    for (std::size_t c = 0; c < row.size() && row.size() == inserted.size(); ++c)
      if (is_drawn(row[c])) columns.insert(lower(inserted[c]));
  return columns;
}

// False where rows differ in a column that the write did not draw: it explains no other.
bool may_differ_so(const SeenWrite& write, const sql::QualifiedName& table, const Table* a, const Table* b, const RowMatch* leftovers) {
  if (write.drawn.empty() || a == nullptr || b == nullptr || leftovers == nullptr || leftovers->only_a.size() != leftovers->only_b.size()) return true;
  auto shown = shown_key(write, table, *a);
  for (std::size_t row : leftovers->only_a) {
    auto other = leftovers->only_b.begin();
    if (shown) other = std::find_if(other, leftovers->only_b.end(), [&](std::size_t r) { return b->rows[r][shown->first] == a->rows[row][shown->first]; });
    else if (leftovers->only_b.size() != 1) return true;
    if (other == leftovers->only_b.end()) return true;
    for (std::size_t c = 0; c < a->columns.size() && c < b->columns.size(); ++c) {
      bool is_its_own = !a->columns[c].org_name.empty() && (a->columns[c].org_table == table.second || a->columns[c].table == table.second);
      if (is_its_own && a->rows[row][c] != b->rows[*other][c] && !write.drawn.contains(lower(a->columns[c].org_name))) return false;
    }
  }
  return true;
}

}  // namespace

sql::QualifiedName WriteIndex::qualified(const sql::TableName& table, const std::string& schema) const {
  return {table.schema.empty() ? schema : table.schema, table.name};
}

void WriteIndex::add(WritePtr write) {
  for (const sql::QualifiedName& table : write->tables) by_table_[table].push_back(write);
  if (!is_kept(write->replayed) || write->replayed == Replayed::applied_anew) add_skipped(write);
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
  bool rolled_back = (error != nullptr && error->code == deadlock) || exchange.command.code == mysql::CommandCode::quit ||
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
    write->last_seq = exchange.id.seq;
    if (committed && ok != nullptr && !ok->gtid.empty()) write->gtid = ok->gtid;
  }
  session.pending.clear();
}

void WriteIndex::observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed) {
  Session& session = sessions_[exchange.id.session];
  session.last_seen = exchange.request_first;
  bool asks_history = std::any_of(meaning.nondeterministic.begin(), meaning.nondeterministic.end(), [](const std::string& name) {
    return name == "found_rows" || name == "row_count" || name == "last_insert_id" || name.starts_with("@@");
  });
  if (asks_history && histories_.size() < max_histories) histories_[exchange.id] = session.history;
  finish_transaction(session, exchange, meaning);

  if (!exchange.command.text.empty()) {
    session.history.previous_sql.assign(exchange.command.text, 0, max_evidence_sql);
    session.history.previous_collation = exchange.collation;
    session.history.previous = replayed;
  }
  if (changed_something(exchange, meaning)) {
    auto write = std::make_shared<SeenWrite>();
    write->id = exchange.id;
    write->sql = quoted_sql(exchange.command.text, exchange.collation);
    write->request = exchange.request_first;
    write->ok = exchange.response_last;
    write->replayed = replayed;
    for (const sql::TableName& table : meaning.tables_written) write->tables.push_back(qualified(table, exchange.schema));
    const mysql::Ok* ok = exchange.answer.last_ok();
    if (write->tables.size() == 1 && meaning.statements == 1) {
      sql::Dialect dialect = dialect_of(exchange.collation);
      const sql::Table* table = catalogue_.table(write->tables[0].first, write->tables[0].second);
      sql::QueryShape shape = sql::shape_of(exchange.command.text, dialect);
      write->keys = written_keys(shape, exchange.command, dialect, table, ok ? ok->last_insert_id : 0);
      if (shape.understood && shape.kind == sql::ShapeKind::update)
        for (const sql::Assignment& assignment : shape.assignments) write->columns.insert(lower(assignment.column));
      if (shape.understood && replayed == Replayed::applied_anew) write->drawn = drawn_columns(shape, meaning, table);
    }
    if (ok != nullptr) write->gtid = ok->gtid;
    // INSERT … SELECT, UPDATE … JOIN: what is computed from rows that the target never got is wrong there as well.
    bool from_tainted = is_kept(replayed) && std::any_of(meaning.tables_read.begin(), meaning.tables_read.end(), [&](const sql::TableName& table) {
      auto entry = skipped_.find(qualified(table, exchange.schema));
      return entry != skipped_.end() && !entry->second.empty() &&
             std::find(write->tables.begin(), write->tables.end(), entry->first) == write->tables.end();
    });
    if (from_tainted) {
      write->replayed = Replayed::not_sent;
      write->tainted = true;
      write->keys.clear();
    }
    if (ok != nullptr && ok->last_insert_id != 0) {
      session.history.insert_sql = write->sql;
      session.history.insert = replayed;
    }
    bool implicit_commit = meaning.statement_class == sql::StatementClass::ddl;
    if (in_transaction(exchange.answer) && !implicit_commit) session.pending.push_back(write);
    else write->committed = write->ok, write->last_seq = write->id.seq;
    add(std::move(write));
  }
  bool ended = exchange.command.code == mysql::CommandCode::quit;
  if (ended) sessions_.erase(exchange.id.session);
  prune(exchange.request_first);
}

ReadScope WriteIndex::scope_of(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::QueryShape& shape,
                               const sql::Dialect& dialect) const {
  ReadScope scope{exchange.id, exchange.request_first, exchange.response_last, {}};
  for (const sql::TableName& table : meaning.tables_read)
    scope.tables.emplace_back(qualified(table, exchange.schema), predicates_on(table, shape, exchange.command, dialect));
  // What a write meets was put there by earlier ones.
  for (const sql::TableName& table : meaning.tables_written) {
    sql::QualifiedName name = qualified(table, exchange.schema);
    if (std::any_of(scope.tables.begin(), scope.tables.end(), [&](const auto& read) { return read.first == name; })) continue;
    scope.tables.emplace_back(name, written_keys(shape, exchange.command, dialect, catalogue_.table(name.first, name.second), 0));
  }
  return scope;
}

template <class Consider>
void WriteIndex::each_candidate(const ReadScope& read, const std::map<sql::QualifiedName, std::deque<WritePtr>>& writes, Consider consider) const {
  for (const auto& [table, predicates] : read.tables) {
    auto entry = writes.find(table);
    if (entry == writes.end()) continue;
    for (auto write = entry->second.rbegin(); write != entry->second.rend(); ++write)
      if (!disjoint(predicates, (*write)->keys)) consider(*write, table, predicates);
  }
}

std::optional<Attribution> WriteIndex::explaining(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers, Leftovers kind) const {
  std::optional<Attribution> best;
  int best_rank = -1;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    bool own = write->id.session == read.id.session;
    if (write->ok > read.request || write->ok + window_ < read.request) return;
    if (own && write->rolled_back && *write->rolled_back <= read.request) return;
    bool visible = write->committed && *write->committed <= read.request;
    if (!own && !visible) return;
    Touch touch = touches(*write, table, a, b, leftovers);
    if (touch == Touch::no && kind == Leftovers::all_rows) return;
    std::optional<std::string> key = common_key(predicates, write->keys);
    if (!key && touch == Touch::yes) {
      auto [column, values] = *shown_key(*write, table, *a);
      key = lower(a->columns[column].org_name) + "=" + *values->begin();
    }
    // In a window a row that the write names says more than whose write it was.
    bool by_row = kind == Leftovers::of_a_window && touch == Touch::yes;
    int rank = (by_row ? 4 : 0) + (own ? 2 : 0) + (key ? 1 : 0);
    if (best && (rank < best_rank || (rank == best_rank && write->ok <= best->write->ok))) return;
    best_rank = rank;
    best = Attribution{write, table, std::move(key), own ? Attribution::Session::own : Attribution::Session::other, !visible};
  });
  return best;
}

bool WriteIndex::touches_column(const ReadScope& read, const std::string& column) const {
  bool found = false;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName&, const KeyValues&) {
    found = found || write->columns.empty() || write->columns.contains(column);
  });
  return found;
}

std::optional<Attribution> WriteIndex::racing(const ReadScope& read) const {
  std::optional<Attribution> found;
  each_candidate(read, by_table_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    CaptureTime visible = write->committed.value_or(write->ok);
    if (found || write->request > read.response || visible <= read.request || write->rolled_back) return;
    found = Attribution{write, table, common_key(predicates, write->keys), Attribution::Session::other, false};
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

std::optional<Attribution> WriteIndex::skipped(const ReadScope& read, const Table* a, const Table* b, const RowMatch* leftovers) const {
  std::optional<Attribution> best;
  std::set<std::pair<int, std::size_t>> covered;  // (side, row)
  bool whole = false;
  each_candidate(read, skipped_, [&](const WritePtr& write, const sql::QualifiedName& table, const KeyValues& predicates) {
    bool own = write->id.session == read.id.session;
    if (write->ok > read.request || (write->rolled_back && (!own || *write->rolled_back <= read.request))) return;
    if (!own && !(write->committed && *write->committed <= read.response)) return;
    Touch touch = touches(*write, table, a, b, leftovers);
    if (touch == Touch::no || (write->replayed == Replayed::applied_anew && !may_differ_so(*write, table, a, b, leftovers))) return;
    if (touch == Touch::yes) {
      auto [column, values] = *shown_key(*write, table, *a);
      for (std::size_t row : leftovers->only_a)
        if (row_has_key(*a, row, column, *values)) covered.emplace(0, row);
      for (std::size_t row : leftovers->only_b)
        if (row_has_key(*b, row, column, *values)) covered.emplace(1, row);
    } else {
      whole = true;
    }
    if (!best || (!best->key && common_key(predicates, write->keys)))
      best = Attribution{write, table, common_key(predicates, write->keys), own ? Attribution::Session::own : Attribution::Session::other, false};
  });
  if (best && !whole && leftovers != nullptr && covered.size() < leftovers->only_a.size() + leftovers->only_b.size()) return std::nullopt;
  return best;
}

SessionHistory WriteIndex::take_history(session::ExchangeId id) {
  auto entry = histories_.find(id);
  if (entry == histories_.end()) return {};
  SessionHistory history = std::move(entry->second);
  histories_.erase(entry);
  return history;
}

}  // namespace darktap::compare
