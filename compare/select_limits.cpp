#include "select_limits.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "sql/query_shape.h"
#include "sql/rewrite.h"

namespace darktap::compare {

namespace {

// A number that cuts; DEFAULT, and the largest ones, don't.
std::optional<std::uint64_t> limit_of(std::string_view value) {
  std::uint64_t limit = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
  if (error != std::errc() || end != value.data() + value.size() || limit > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return limit;
}

}  // namespace

void SelectLimits::observe(const session::Exchange& exchange, const sql::Meaning& meaning) {
  using mysql::CommandCode;
  const bool begins_anew = exchange.command.code == CommandCode::change_user || exchange.command.code == CommandCode::reset_connection;
  if ((!begins_anew && meaning.verb != "set") || exchange.answer.error() != nullptr) return;
  auto sets = [](const sql::Effect& effect) { return effect.kind == sql::EffectKind::session_state && effect.subject == "sql_select_limit"; };
  auto set = std::find_if(meaning.effects.rbegin(), meaning.effects.rend(), sets);
  auto known = sessions_.find(exchange.id.session);
  if (begins_anew ? known == sessions_.end() : set == meaning.effects.rend()) return;
  if (known == sessions_.end()) {
    order_.push_back(exchange.id.session);
    if (order_.size() > max_sessions) {
      sessions_.erase(order_.front());
      order_.pop_front();
    }
    known = sessions_.try_emplace(exchange.id.session).first;
  }
  std::deque<Since>& changes = known->second;
  changes.push_back({exchange.id.seq, begins_anew ? std::nullopt : limit_of(set->value)});
  if (changes.size() > kept_changes) changes.pop_front();
}

std::optional<std::uint64_t> SelectLimits::of(session::ExchangeId exchange) const {
  auto known = sessions_.find(exchange.session);
  if (known == sessions_.end()) return std::nullopt;
  for (auto change = known->second.rbegin(); change != known->second.rend(); ++change)
    if (change->after < exchange.seq) return change->limit;
  return std::nullopt;
}

std::optional<std::string> with_select_limit(std::string_view text, std::uint64_t limit, const sql::Dialect& dialect) {
  sql::QueryShape shape = sql::shape_of(text, dialect);
  if (!shape.understood || (shape.kind != sql::ShapeKind::select && shape.kind != sql::ShapeKind::set_operation) || shape.limit || shape.locking) return std::nullopt;
  return sql::with_limit(text, limit, dialect);
}

}  // namespace darktap::compare
