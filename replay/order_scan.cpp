// Reads the capture for the order by commit: what each command read, locked and published, and where it stands.
#include <algorithm>

#include "base/text.h"
#include "beneath.h"
#include "mysql/server_errors.h"
#include "order_state.h"

namespace darktap::replay {
namespace {

using sql::StatementClass;
using Isolation = OrderOptions::Isolation;

constexpr std::size_t max_told_writes = 256;  // of one transaction; further ones tell nothing of what was seen

void add(Touched& into, const Touched& other) {
  for (const auto& [table, keys] : other) {
    auto [entry, is_new] = into.try_emplace(table, keys);
    if (!is_new) merge(entry->second, keys);
  }
}

}  // namespace

Touched OrderByCommit::State::tables_of(const session::Exchange& exchange, const sql::Meaning& meaning) const {
  Touched touched;
  TouchedKeys keys = touched_keys(exchange, meaning, catalogue);
  auto add_tables = [&](const std::vector<sql::TableName>& tables) {
    for (const sql::TableName& table : tables) {
      sql::QualifiedName name{table.schema.empty() ? exchange.schema : table.schema, table.name};
      if (catalogue != nullptr)
        for (const sql::QualifiedName& below : below_view(name, *catalogue)) touched.insert_or_assign(below, TouchedKeys());
      touched.try_emplace(std::move(name), keys);
    }
  };
  add_tables(meaning.tables_written);
  add_tables(meaning.tables_read);
  return touched;
}

void OrderByCommit::State::follow_isolation(Session& session, const sql::Meaning& meaning) {
  auto level = [](const std::string& text) -> std::optional<Isolation> {
    if (text.find("repeatable") != std::string::npos || text.find("serializable") != std::string::npos) return Isolation::repeatable_read;
    if (text.find("committed") != std::string::npos) return Isolation::read_committed;
    return std::nullopt;
  };
  if (meaning.verb == "set" && meaning.normalized.find("isolation level") != std::string::npos) {
    auto found = level(meaning.normalized);
    if (!found) return;
    (meaning.normalized.starts_with("set session") ? session.isolation : session.next_isolation) = found;
    return;
  }
  for (const sql::Effect& effect : meaning.effects)
    if (effect.kind == sql::EffectKind::session_state && (effect.subject == "tx_isolation" || effect.subject == "transaction_isolation"))
      if (auto found = level(lower(effect.value))) session.isolation = found;
}

// What the exchange was in the capture: what it read, locked and published, told by its text and the status in its answer.
void OrderByCommit::State::announce(const session::Exchange& exchange, const sql::Meaning& meaning, const Decision& decision) {
  frontier = std::max(frontier, exchange.request_first);
  Session& session = sessions[exchange.id.session];
  session.last_seen = exchange.request_first;
  std::optional<std::uint16_t> status = exchange.answer.last_status();
  const mysql::ServerError* error = exchange.answer.error();
  bool was_open = session.in_transaction;
  bool is_open = status ? (*status & mysql::status_flag::in_transaction) != 0 : was_open;
  using Code = mysql::CommandCode;
  Code code = exchange.command.code;
  bool breaks = (error != nullptr && error->code == mysql::server_error::lock_deadlock) || code == Code::quit || code == Code::change_user || code == Code::reset_connection;
  if (breaks) is_open = false;
  bool begins = meaning.verb == "begin" || meaning.verb == "start transaction";
  bool is_ddl = meaning.statement_class == StatementClass::ddl;
  bool is_locker = meaning.statement_class == StatementClass::write || meaning.statement_class == StatementClass::locking_read ||
                   decision.action == Decision::Action::write || is_ddl;
  bool is_statement = code == Code::query || code == Code::stmt_execute || code == Code::stmt_bulk_execute;
  // A victim waited for a lock in vain: nobody's commit let it go on.
  if (error != nullptr && (error->code == mysql::server_error::lock_deadlock || error->code == mysql::server_error::lock_wait_timeout)) is_locker = false;
  session.in_transaction = is_open;
  if (code == Code::query) follow_isolation(session, meaning);

  auto event = std::make_unique<Event>();
  event->id = exchange.id;
  event->request = exchange.request_first;
  event->answer = exchange.is_observed() ? std::max(exchange.response_last, exchange.request_first) : exchange.request_first;
  bool chains = meaning.verb == "commit" || (meaning.verb == "rollback" && meaning.normalized.find(" to ") == std::string::npos);
  bool ends_transaction = was_open && (!is_open || begins || is_ddl || chains);
  if (is_statement && is_locker) {
    event->locks = tables_of(exchange, meaning);
    if (event->locks.empty() || is_ddl) event->publishes_all = true;  // what it touches isn't known: it stands alone
    Beneath beneath = catalogue == nullptr ? Beneath() : beneath_write(exchange, meaning, event->locks, *catalogue);
    Touched& released = is_open ? session.touched : event->publishes;
    add(released, event->locks);
    add(released, beneath.releases);
    add(event->locks, beneath.locks);
    std::vector<WrittenRows> written = written_rows(exchange, meaning, catalogue);
    std::vector<WrittenRows>& writes = is_open ? session.writes : event->writes;
    for (WrittenRows& row : written)
      if (writes.size() < max_told_writes) writes.push_back(std::move(row));
  }
  if (ends_transaction) {
    add(event->publishes, session.touched);
    session.touched.clear();
    event->writes.insert(event->writes.begin(), std::make_move_iterator(session.writes.begin()), std::make_move_iterator(session.writes.end()));
    session.writes.clear();
  }
  if (!is_open || begins || ends_transaction) session.has_snapshot = false, session.snapshot.reset();
  if (begins && session.next_isolation && was_open) session.next_isolation.reset();
  bool snapshot_at_once = begins && meaning.normalized.find("consistent snapshot") != std::string::npos;
  if ((is_statement && meaning.statement_class == StatementClass::read && !meaning.tables_read.empty()) || snapshot_at_once) {
    bool fixed = is_open && session.next_isolation.value_or(session.isolation.value_or(options.isolation)) == Isolation::repeatable_read;
    bool is_read = meaning.statement_class == StatementClass::read;
    Touched touched = is_read ? tables_of(exchange, meaning) : Touched();
    if (fixed && !session.has_snapshot) {
      event->reads_all = true;
      session.has_snapshot = true;
      event->snapshot = session.snapshot = std::make_shared<Snapshot>();
    } else if (!fixed) {
      event->reads = touched;
      event->snapshot = std::make_shared<Snapshot>();
    }
    // What the transaction wrote itself hides what others did to the same rows.
    const std::shared_ptr<Snapshot>& snapshot = fixed ? session.snapshot : event->snapshot;
    if (is_read && snapshot && snapshot->reads.size() < max_seen_of_snapshot && !meet(touched, session.touched))
      snapshot->reads.push_back(seen_rows(exchange, meaning, std::move(touched)));
  }
  if (!is_open) session.next_isolation = begins ? session.next_isolation : std::nullopt;

  bool publishes = !event->publishes.empty() || event->publishes_all;
  if (!publishes && event->locks.empty() && event->reads.empty() && !event->reads_all) return;
  event->point.time = publishes || !event->locks.empty() ? event->answer : event->request;
  add_event(session, std::move(event));
  if (sessions.size() > options.tracked_sessions)
    sessions.erase(std::min_element(sessions.begin(), sessions.end(), [](const auto& a, const auto& b) { return a.second.last_seen < b.second.last_seen; }));
}

}  // namespace darktap::replay
