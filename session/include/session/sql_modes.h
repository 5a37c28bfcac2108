// Which sql_mode a captured session's texts are read under: quotes, escapes and blanks mean what it says.
#pragma once

#include <unordered_map>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::session {

// Sessions begin with the server's default, which is taken to have none of the modes that matter here; those that set another
// are remembered until they end.
class SqlModes {
 public:
  struct Mode {
    sql::SqlMode mode;
    bool known = true;  // false: it was set to what the text doesn't show
    bool operator==(const Mode&) const = default;
  };

  Mode of(const SessionInfo& session) const;  // for its next statement
  void note(const SessionInfo& session, const Exchange& exchange, const sql::Meaning& meaning);
  void forget(SessionId session) { set_.erase(session.value); }

 private:
  std::unordered_map<std::uint64_t, Mode> set_;
};

}  // namespace darktap::session
