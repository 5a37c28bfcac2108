// What the user variables (@x) of a session held when a statement used them. They belong to its connection: a question about
// the statement is asked under the same values, and where those can't be told, or differ because the run left out the statement
// that set them, no question is asked.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "compare/comparer.h"
#include "session_state.h"

namespace darktap::compare {

inline constexpr std::size_t max_variables_of_session = 256;
inline constexpr std::size_t max_variable_bytes = 4096;       // of a value that questions are asked under
inline constexpr std::size_t max_sessions_with_variables = 100'000, max_open_uses = 10'000;

struct UsedVariables {
  SessionValues known;  // that SET gave a literal on both sides
  struct Unknown {
    std::string name;
    std::string set_by;  // UTF-8; empty: it was not seen to be set
    enum class Setter : std::uint8_t { sent, left_out, not_seen } setter = Setter::not_seen;
  };
  std::optional<Unknown> unknown;
  bool left_out() const { return unknown && unknown->setter == Unknown::Setter::left_out; }
};

class UserVariables {
 public:
  // Every captured exchange, in its session's order.
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed);
  // What the statement used, one that names variables.
  UsedVariables take(session::ExchangeId exchange);

 private:
  struct Value {
    std::optional<std::string> literal;
    std::string set_by;
    Replayed replayed = Replayed::not_sent;
  };
  using Values = std::map<std::string, Value>;

  static UsedVariables used(const Values& values, const sql::Meaning& meaning);

  std::unordered_map<SessionId, Values> sessions_;
  std::deque<SessionId> order_;
  std::map<session::ExchangeId, UsedVariables> uses_;  // of the last statements that used any
  std::deque<session::ExchangeId> used_;
};

// What follows for a pair that differs, where the values were not the same on both sides or can't be told.
StateJudgement judge_user_variable(const UsedVariables::Unknown& variable, JsonWriter& evidence);

}  // namespace darktap::compare
