// What sessions have set for themselves and answers depend on: a question about a session's exchange is asked under the same.
#pragma once

#include <deque>
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
  client::Variables of(SessionId session) const;

 private:
  std::unordered_map<SessionId, client::Variables> of_;
  std::deque<SessionId> ended_;
};

}  // namespace darktap::run
