// Under which sql_mode a statement was read: what its text orders by, and how it is rewritten, hangs on it.
#pragma once

#include <deque>
#include <map>

#include "session/exchange.h"
#include "session/sql_modes.h"
#include "sql/meaning.h"

namespace darktap::compare {

class ReadModes {
 public:
  static constexpr std::size_t max_waiting = 100'000;  // statements under another mode than the default, whose outcome has not come

  // Every captured exchange, in its session's order.
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
    session::SessionInfo session;
    session.id = exchange.id.session;
    sql::SqlMode mode = modes_.of(session).mode;
    if (!(mode == sql::SqlMode{}) && meaning.statement_class == sql::StatementClass::read) {
      under_.emplace(exchange.id, mode);
      waiting_.push_back(exchange.id);
      if (waiting_.size() > max_waiting) {
        under_.erase(waiting_.front());
        waiting_.pop_front();
      }
    }
    modes_.note(session, exchange, meaning);
  }

  sql::SqlMode take(session::ExchangeId exchange) {
    auto found = under_.find(exchange);
    if (found == under_.end()) return {};
    sql::SqlMode mode = found->second;
    under_.erase(found);
    return mode;
  }

 private:
  session::SqlModes modes_;
  std::map<session::ExchangeId, sql::SqlMode> under_;
  std::deque<session::ExchangeId> waiting_;
};

}  // namespace darktap::compare
