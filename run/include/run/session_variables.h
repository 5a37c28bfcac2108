// What sessions have set for themselves and answers depend on: a question about a session's exchange is asked under the same.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

#include "client/asker.h"
#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::run {

class SessionVariables {
 public:
  // Every exchange, in the order of its session.
  void note(const session::Exchange& exchange, const sql::Meaning& meaning);
  // Its cases may be open for some time yet: it is kept, until so many others have ended since.
  static constexpr std::size_t ended_sessions = 10'000;
  void end(SessionId session);
  // As they stood when the exchange came. A session may have changed them since: so many changes are kept, of earlier ones the
  // oldest that is.
  static constexpr std::size_t kept_changes = 1'000;
  client::Variables of(session::ExchangeId exchange) const;

 private:
  void change(session::ExchangeId exchange, client::Variables&& variables);

  struct Since {
    std::int64_t after;  // the exchange that set them; -1: from the beginning
    std::shared_ptr<const client::Variables> variables;
  };
  std::unordered_map<SessionId, std::deque<Since>> of_;  // ascending
  std::deque<SessionId> ended_;
};

}  // namespace darktap::run
