// sql_select_limit, as sessions set it (mysql --safe-updates, JDBC's setMaxRows): it cuts a SELECT without LIMIT as one would.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "session/exchange.h"
#include "sql/dialect.h"
#include "sql/meaning.h"

namespace darktap::compare {

class SelectLimits {
 public:
  static constexpr std::size_t max_sessions = 10'000;  // that have set it; the first one is forgotten
  static constexpr std::size_t kept_changes = 1'000;   // of a session: drivers switch to and fro

  // Every captured exchange, in its session's order.
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning);
  // What cut the exchange's rows, if anything.
  std::optional<std::uint64_t> of(session::ExchangeId exchange) const;

 private:
  struct Since {
    std::uint32_t after;  // the exchange that set it
    std::optional<std::uint64_t> limit;
  };
  std::unordered_map<SessionId, std::deque<Since>> sessions_;
  std::deque<SessionId> order_;
};

// The statement with that LIMIT behind it; nothing where it has one, or the setting does not reach it.
std::optional<std::string> with_select_limit(std::string_view text, std::uint64_t limit, const sql::Dialect& dialect);

}  // namespace darktap::compare
