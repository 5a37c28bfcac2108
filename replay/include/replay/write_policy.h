// What a run does with each captured exchange: send it, send it because it shapes the session, or hold it back and say why
// (docs/adr: reads run autocommitted; docs/replay.md). Pure; fails closed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::replay {

struct Decision {
  enum class Action : std::uint8_t {
    send,           // a read
    send_as_state,  // USE, INIT_DB, SET of a session variable: sent, compared, and sent again after a reconnect
    write,          // changes rows or locks them
    transaction,    // BEGIN, COMMIT, ROLLBACK, savepoints, SET TRANSACTION
    begin_anew,     // RESET_CONNECTION, CHANGE_USER: not sent; the session goes on over a new connection
    hold,
  } action = Action::hold;
  std::string reason;  // for hold and begin_anew: the ledger's reason; empty otherwise
  std::string sent_text{};  // of a SET that goes out without some of its assignments; empty: as captured
  bool is_sent() const { return action != Action::begin_anew && action != Action::hold; }
};

// What becomes of captured writes at the target.
enum class Writes : std::uint8_t {
  left_out,     // --run reads: the session is read-only, transactions are not replayed
  rolled_back,  // --sandbox rollback: each captured transaction, or single write, is run and rolled back
  redirected,   // --sandbox redirect: run on copies of the tables
  applied,      // --sandbox disposable
};

struct WritePolicy {
  std::vector<std::string> allowed;  // --allow: effects by name (sql::to_string(EffectKind)) or by subject ("get_lock")
  Writes writes = Writes::left_out;
  enum class Reads : std::uint8_t { sent, left_out } reads = Reads::sent;  // left_out: --run writes
  // With rolled_back: tables whose rows a ROLLBACK would not bring back, or that could change others of which that is true.
  // Lower case, whatever the target makes of case: a name too many is left out, none too few.
  std::set<sql::QualifiedName> cannot_roll_back;
  bool keeps(const sql::QualifiedName& table) const;
};

// Reasons: "read" (--run writes), "write", "ddl", "locking_read", "transaction_control", "session_variable", "session_global",
// "unsafe: EFFECT", "not_understood", "statement_unknown" (its PREPARE was not seen, or was refused), "cursor", "long_data",
// "bulk_unit_results", "session_reset", "connection_command" (PING, QUIT, STATISTICS …), "admin_command", "xa", "lock_conflict_at_source" (a deadlock or lock wait there), "interrupted_at_source"
// (killed, out of time or kept from writing there), "other",
// "system_schema: NAME" (a write to the server's own tables); with rolled_back also "not_transactional: TABLE", "commits_inside"
// (several statements in one text, one of which commits) and "cannot_roll_back: EFFECT" (allowed, but a ROLLBACK does not undo it).
Decision decide(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy);

// True for a session variable that only changes how this session's reads are answered.
bool is_harmless_variable(std::string_view name);

}  // namespace darktap::replay
