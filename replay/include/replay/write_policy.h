// What a reads run does with each captured exchange: send it, send it because it shapes the session, or hold it back and
// say why (docs/adr: reads run autocommitted). Pure; fails closed.
#pragma once

#include <string>
#include <vector>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::replay {

struct Decision {
  enum class Action : std::uint8_t {
    send,           // a read
    send_as_state,  // USE, INIT_DB, SET of a session variable: sent, compared, and sent again after a reconnect
    begin_anew,     // RESET_CONNECTION, CHANGE_USER: not sent; the session goes on over a new connection
    hold,
  } action = Action::hold;
  std::string reason;  // for hold and begin_anew: the ledger's reason; empty otherwise
};

struct WritePolicy {
  std::vector<std::string> allowed;  // --allow: effects by name (sql::to_string(EffectKind)) or by subject ("get_lock")
};

// Reasons: "write", "ddl", "locking_read", "transaction_control", "session_variable", "session_global",
// "unsafe: EFFECT", "not_understood", "statement_unknown" (its PREPARE was not seen), "cursor", "long_data",
// "bulk", "session_reset", "connection_command" (PING, QUIT, STATISTICS …), "admin_command", "other".
Decision decide(const session::Exchange& exchange, const sql::Meaning& meaning, const WritePolicy& policy);

// True for a session variable that only changes how this session's reads are answered.
bool is_harmless_variable(std::string_view name);

}  // namespace darktap::replay
