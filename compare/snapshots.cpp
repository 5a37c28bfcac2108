#include "snapshots.h"

#include <algorithm>
#include <vector>

#include "mysql/server_errors.h"

namespace darktap::compare {

void Snapshots::follow_isolation(Session& session, const sql::Meaning& meaning) const {
  if (meaning.verb != "set" || meaning.normalized.find("isolation") == std::string::npos) return;
  bool repeatable = meaning.normalized.find("repeatable") != std::string::npos || meaning.normalized.find("serializable") != std::string::npos;
  bool committed = meaning.normalized.find("committed") != std::string::npos;
  bool for_one = meaning.normalized.starts_with("set transaction");
  // A level that the text doesn't tell ("SET transaction_isolation = ?"): the reads behind it are taken for single ones.
  std::optional<Isolation> found = repeatable && !committed ? Isolation::repeatable_read : Isolation::read_committed;
  (for_one ? session.next : session.isolation) = found;
}

void Snapshots::observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
  std::optional<std::uint16_t> status = exchange.answer.last_status();
  const bool is_open = status && (*status & mysql::status_flag::in_transaction) != 0;
  if (!is_open && meaning.verb != "set" && !sessions_.contains(exchange.id.session)) return;  // many never open one
  if (sessions_.size() >= max_sessions_with_snapshots) forget_older_half();
  Session& session = sessions_[exchange.id.session];
  session.last_seen = exchange.request_first;
  using Code = mysql::CommandCode;
  Code code = exchange.command.code;
  bool was_open = session.open;
  session.open = status ? is_open : was_open;
  const mysql::ServerError* error = exchange.answer.error();
  if ((error != nullptr && error->code == mysql::server_error::lock_deadlock) || code == Code::quit || code == Code::change_user || code == Code::reset_connection) session.open = false;
  follow_isolation(session, meaning);
  bool begins = meaning.verb == "begin" || meaning.verb == "start transaction";
  bool ends = begins || meaning.verb.starts_with("commit") || (meaning.verb.starts_with("rollback") && meaning.normalized.find(" to ") == std::string::npos) ||
              meaning.statement_class == sql::StatementClass::ddl;
  if (!session.open || ends) session.has_snapshot = false;
  if (!session.open && was_open) session.next.reset();
  if (!session.open) return;
  bool at_once = begins && meaning.normalized.find("consistent snapshot") != std::string::npos;
  bool reads = meaning.statement_class == sql::StatementClass::read && !meaning.tables_read.empty();
  bool repeatable = session.next.value_or(session.isolation.value_or(isolation_)) == Isolation::repeatable_read;
  if (session.has_snapshot) {
    session.snapshots.back().last = exchange.id.seq;
  } else if (repeatable && (reads || at_once)) {
    session.has_snapshot = true;
    Snapshot& snapshot = session.snapshots.emplace_back(Snapshot{exchange.id.seq, exchange.id.seq, exchange.request_first, exchange.response_last, std::nullopt, std::nullopt});
    if (session.last_answered && session.last_answered->first < snapshot.first) snapshot.before = session.last_answered->second;
    if (session.snapshots.size() > max_snapshots_of_session) session.snapshots.pop_front();
  }
}

void Snapshots::forget_older_half() {
  std::vector<CaptureTime> seen;
  for (const auto& [id, session] : sessions_) seen.push_back(session.last_seen);
  auto middle = seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2);
  std::nth_element(seen.begin(), middle, seen.end());
  std::erase_if(sessions_, [limit = *middle](const auto& one) { return one.second.last_seen < limit; });
}

void Snapshots::answered(session::ExchangeId exchange, CaptureTime when) {
  auto found = sessions_.find(exchange.session);
  if (found == sessions_.end()) return;
  found->second.last_answered = {exchange.seq, when};
  for (Snapshot& snapshot : found->second.snapshots) {
    if (exchange.seq < snapshot.first) snapshot.before = when;
    if (exchange.seq == snapshot.first) snapshot.answered = when;
  }
}

const Snapshot* Snapshots::of(session::ExchangeId read) const {
  auto found = sessions_.find(read.session);
  if (found == sessions_.end()) return nullptr;
  for (const Snapshot& snapshot : found->second.snapshots)
    if (snapshot.first < read.seq && read.seq <= snapshot.last) return &snapshot;
  return nullptr;
}

}  // namespace darktap::compare
