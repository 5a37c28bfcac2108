#include "run/session_variables.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

namespace darktap::run {

namespace {

constexpr std::array<std::string_view, 9> noted = {"time_zone", "sql_mode", "group_concat_max_len", "div_precision_increment", "default_week_format", "lc_time_names", "sql_auto_is_null", "sql_select_limit", "max_sort_length"};

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
  const bool begins_anew = exchange.command.code == CommandCode::change_user || exchange.command.code == CommandCode::reset_connection;
  if (!begins_anew && meaning.verb != "set") return;
  auto found = of_.find(exchange.id.session);
  const client::Variables before = found != of_.end() && !found->second.empty() ? *found->second.back().variables : client::Variables();
  client::Variables variables = begins_anew ? client::Variables() : before;
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind != sql::EffectKind::session_state || std::find(noted.begin(), noted.end(), effect.subject) == noted.end()) continue;
    // A value that is computed is left as the login has it.
    if (is_literal(effect.value)) variables[effect.subject] = effect.value;
    else variables.erase(effect.subject);
  }
  if (variables != before) change(exchange.id, std::move(variables));
}

void SessionVariables::change(session::ExchangeId exchange, client::Variables&& variables) {
  std::deque<Since>& changes = of_[exchange.session];
  // Many switch to and fro: two values, not a thousand.
  std::shared_ptr<const client::Variables> shared;
  for (std::size_t back = 1; back <= 4 && back <= changes.size() && !shared; ++back)
    if (*changes[changes.size() - back].variables == variables) shared = changes[changes.size() - back].variables;
  if (!shared) shared = std::make_shared<const client::Variables>(std::move(variables));
  // A recording's settings are restored under numbers that are no exchange's: they stand before all of them.
  bool restored = exchange.seq > std::numeric_limits<std::uint32_t>::max() / 2;
  changes.push_back({restored ? -1 : static_cast<std::int64_t>(exchange.seq), std::move(shared)});
  if (changes.size() > kept_changes) changes.pop_front();
}

void SessionVariables::end(SessionId session) {
  if (!of_.contains(session)) return;
  ended_.push_back(session);
  if (ended_.size() <= ended_sessions) return;
  of_.erase(ended_.front());
  ended_.pop_front();
}

client::Variables SessionVariables::of(session::ExchangeId exchange) const {
  auto found = of_.find(exchange.session);
  if (found == of_.end()) return {};
  const std::deque<Since>& changes = found->second;
  auto later = std::find_if(changes.begin(), changes.end(), [&](const Since& change) { return change.after >= static_cast<std::int64_t>(exchange.seq); });
  if (later != changes.begin()) return *std::prev(later)->variables;
  return changes.size() < kept_changes ? client::Variables() : *changes.front().variables;
}

}  // namespace darktap::run
