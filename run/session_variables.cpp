#include "session_variables.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace darktap::run {

namespace {

constexpr std::array<std::string_view, 7> noted = {"time_zone", "sql_mode", "group_concat_max_len", "div_precision_increment", "default_week_format", "lc_time_names", "sql_auto_is_null"};

// A literal, or a word such as SYSTEM or DEFAULT: what means the same on a connection that has set nothing else.
bool is_literal(std::string_view value) {
  auto plain = [](unsigned char c) { return std::isalnum(c) || std::string_view("_+-:.,/ ").find(static_cast<char>(c)) != std::string_view::npos; };
  if (value.size() >= 2 && (value.front() == '\'' || value.front() == '"') && value.back() == value.front()) value = value.substr(1, value.size() - 2);
  else if (value.empty()) return false;
  return std::all_of(value.begin(), value.end(), plain);
}

}  // namespace

void SessionVariables::note(const session::Exchange& exchange, const sql::Meaning& meaning) {
  using mysql::CommandCode;
  if (!exchange.is_observed() || exchange.answer.error() != nullptr) return;
  if (exchange.command.code == CommandCode::change_user || exchange.command.code == CommandCode::reset_connection) {
    of_.erase(exchange.id.session);
    return;
  }
  if (meaning.verb != "set") return;
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind != sql::EffectKind::session_state || std::find(noted.begin(), noted.end(), effect.subject) == noted.end()) continue;
    client::Variables& variables = of_[exchange.id.session];
    // A value that is computed is left as the login has it.
    if (is_literal(effect.value)) variables[effect.subject] = effect.value;
    else variables.erase(effect.subject);
  }
}

void SessionVariables::end(SessionId session) {
  if (!of_.contains(session)) return;
  ended_.push_back(session);
  if (ended_.size() <= ended_sessions) return;
  of_.erase(ended_.front());
  ended_.pop_front();
}

client::Variables SessionVariables::of(SessionId session) const {
  auto found = of_.find(session);
  return found == of_.end() ? client::Variables() : found->second;
}

}  // namespace darktap::run
