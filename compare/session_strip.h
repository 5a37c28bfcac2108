// The statements that a session sent before one that differs: what a reader of the finding asks for first. A few of each
// session are held, from eight before the oldest exchange that has no outcome yet.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::compare {

inline constexpr std::size_t shown_before = 8;
inline constexpr std::size_t strip_sql_bytes = 300;           // of each statement
inline constexpr std::size_t max_strip_of_session = 16'384;   // statements; flat out a session is read thousands of them ahead; further on it loses the oldest
inline constexpr std::size_t max_strip_bytes = 16 << 20;      // of all sessions; beyond it the session that was first seen is forgotten

class SessionStrips {
 public:
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning);
  // A JSON array of {seq, sql, class, write}, oldest first.
  std::string before(session::ExchangeId exchange);
  // It has its outcome: what lies further back than it needs is forgotten.
  void passed(session::ExchangeId exchange);

 private:
  struct Statement {
    std::uint32_t seq = 0;
    std::uint16_t collation = 0;
    sql::StatementClass statement_class{};
    enum class Writes : std::uint8_t { no, yes } writes = Writes::no;
    std::string sql;  // its first bytes, as they came
  };
  using Strip = std::deque<Statement>;

  void drop_first(Strip& strip);

  std::unordered_map<SessionId, Strip> strips_;
  std::deque<SessionId> order_;
  std::size_t bytes_ = 0;
};

}  // namespace darktap::compare
