#include "user_variables.h"

#include <algorithm>
#include <cctype>

#include "evidence.h"

namespace darktap::compare {

namespace {

// A number, NULL, TRUE, FALSE, or a string without quotes and escapes inside: what means the same on any connection.
bool is_literal(std::string_view value) {
  if (value.empty() || value.size() > max_variable_bytes) return false;
  if (value.front() == '\'') return value.size() >= 2 && value.back() == '\'' && value.substr(1, value.size() - 2).find_first_of("'\\") == std::string_view::npos;
  auto same = [&](std::string_view word) {
    return std::equal(value.begin(), value.end(), word.begin(), word.end(), [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  };
  if (same("null") || same("true") || same("false")) return true;
  if (value.front() == '+' || value.front() == '-') value.remove_prefix(1);
  return !value.empty() && std::isdigit(static_cast<unsigned char>(value.front())) != 0 &&
         std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
}

bool forgets_session(const session::Exchange& exchange) {
  using mysql::CommandCode;
  CommandCode code = exchange.command.code;
  return code == CommandCode::quit || code == CommandCode::change_user || code == CommandCode::reset_connection;
}

}  // namespace

UsedVariables UserVariables::used(const Values& values, const sql::Meaning& meaning) {
  UsedVariables used;
  auto unknown = [&](const std::string& name, const Value* value) {
    using Setter = UsedVariables::Unknown::Setter;
    Setter setter = value == nullptr ? Setter::not_seen : value->replayed == Replayed::not_sent ? Setter::left_out : Setter::sent;
    if (!used.unknown || setter == Setter::left_out) used.unknown = {name, value == nullptr ? "" : value->set_by, setter};
  };
  for (const std::string& name : meaning.user_variables) {
    auto value = values.find(name);
    if (value == values.end()) unknown(name, nullptr);
    else if (!value->second.literal || value->second.replayed == Replayed::not_sent) unknown(name, &value->second);
    else used.known.emplace(name, *value->second.literal);
  }
  return used;
}

void UserVariables::observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed) {
  if (meaning.user_variables.empty()) {
    if (!sessions_.empty() && forgets_session(exchange) && exchange.answer.error() == nullptr) sessions_.erase(exchange.id.session);
    return;
  }
  if (exchange.command.code == mysql::CommandCode::stmt_prepare) return;
  auto [entry, fresh] = sessions_.try_emplace(exchange.id.session);
  if (fresh) {
    order_.push_back(exchange.id.session);
    while (order_.size() > max_sessions_with_variables) {
      if (order_.front() != exchange.id.session) sessions_.erase(order_.front());
      order_.pop_front();
    }
    entry = sessions_.find(exchange.id.session);
  }
  Values& values = entry->second;
  if (replayed != Replayed::not_sent) {
    uses_.insert_or_assign(exchange.id, used(values, meaning));
    used_.push_back(exchange.id);
    while (used_.size() > max_open_uses) {
      uses_.erase(used_.front());
      used_.pop_front();
    }
  }
  if (meaning.statement_class == sql::StatementClass::read) return;
  std::string sql = quoted_sql(exchange.command.text, exchange.collation);
  bool plain_set = meaning.verb == "set" && meaning.statements == 1 && exchange.is_observed() && exchange.answer.error() == nullptr;
  for (const std::string& name : meaning.user_variables) {
    if (values.size() >= max_variables_of_session && !values.contains(name)) continue;  // not seen to be set, from here on
    auto sets = [&](const sql::Effect& effect) { return effect.kind == sql::EffectKind::user_variable && sql::user_variable_name(effect.subject) == name; };
    auto set = std::find_if(meaning.effects.begin(), meaning.effects.end(), sets);
    if (plain_set && set == meaning.effects.end()) continue;  // named in a value only
    // What isn't SET may write any variable that it names: CALL's out parameters, SELECT … INTO.
    Value value{std::nullopt, sql, replayed};
    if (plain_set && std::count_if(meaning.effects.begin(), meaning.effects.end(), sets) == 1 && is_literal(set->value)) value.literal = set->value;
    values.insert_or_assign(name, std::move(value));
  }
}

UsedVariables UserVariables::take(session::ExchangeId exchange) {
  auto entry = uses_.find(exchange);
  if (entry == uses_.end()) return {{}, UsedVariables::Unknown{"", "", UsedVariables::Unknown::Setter::not_seen}};
  UsedVariables used = std::move(entry->second);
  uses_.erase(entry);
  return used;
}

StateJudgement judge_user_variable(const UsedVariables::Unknown& variable, JsonWriter& evidence) {
  using Setter = UsedVariables::Unknown::Setter;
  if (!variable.name.empty()) evidence.member("variable", variable.name);
  if (!variable.set_by.empty()) evidence.member("depends_on", variable.set_by);
  switch (variable.setter) {
    case Setter::left_out:
      evidence.member("reason", "the run did not send the statement that set this variable");
      return {Cause::skipped_write, Level::proved};
    case Setter::sent:
      evidence.member("unexamined_because", "the variable's value was computed by each server, and belongs to the session: it can't be asked for again");
      return {};
    case Setter::not_seen:
      evidence.member("unexamined_because", "the variable was not seen to be set: its value in production isn't known");
      return {};
  }
  return {};
}

}  // namespace darktap::compare
