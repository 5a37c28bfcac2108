#include "replay/pinning.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

namespace darktap::replay {
namespace {

using sql::StatementClass;

constexpr std::array clock_functions{
    std::string_view{"now"}, std::string_view{"current_timestamp"}, std::string_view{"localtime"}, std::string_view{"localtimestamp"},
    std::string_view{"curdate"}, std::string_view{"current_date"}, std::string_view{"curtime"}, std::string_view{"current_time"},
    std::string_view{"unix_timestamp"}, std::string_view{"utc_timestamp"}, std::string_view{"utc_date"}, std::string_view{"utc_time"},
    std::string_view{"sysdate"},
};

// Where the part behind ON DUPLICATE KEY begins, at the earliest.
std::size_t updates_from(std::string_view text) {
  constexpr std::string_view word = "duplicate";
  auto found = std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) { return (a | 0x20) == b; });
  return static_cast<std::size_t>(found - text.begin());
}

}  // namespace

std::optional<std::uint64_t> first_generated_id(const session::Exchange& exchange, const sql::Meaning& meaning) {
  bool inserts = meaning.verb == "insert" || meaning.verb == "replace";
  if (!inserts || exchange.command.bulk_rows > 1) return std::nullopt;
  const mysql::Ok* only = nullptr;
  for (const mysql::Result& result : exchange.answer.results) {
    const auto* ok = std::get_if<mysql::Ok>(&result);
    if (ok == nullptr || ok->last_insert_id == 0) continue;
    if (only != nullptr) return std::nullopt;
    only = ok;
  }
  if (only == nullptr) return std::nullopt;
  // A row that was updated instead has its id already; the next row would be given it again.
  bool updates = meaning.normalized.find("on duplicate key update") != std::string::npos;
  if (updates && only->affected_rows != 1) return std::nullopt;
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind != sql::EffectKind::last_insert_id) continue;
    // LAST_INSERT_ID(expr) put it there; not where it stands in an update that was not needed.
    if (!updates || effect.offset < updates_from(exchange.command.text)) return std::nullopt;
  }
  return only->last_insert_id;
}

bool asks_the_time(const sql::Meaning& meaning) {
  return std::any_of(meaning.nondeterministic.begin(), meaning.nondeterministic.end(), [](const std::string& name) {
    return std::find(clock_functions.begin(), clock_functions.end(), name) != clock_functions.end();
  });
}

std::string pin_for(const session::Exchange& exchange, const sql::Meaning& meaning, std::optional<CaptureTime> clock) {
  bool writes = meaning.statement_class >= StatementClass::write && meaning.statement_class != StatementClass::ddl;
  if (!writes && !asks_the_time(meaning)) return "";
  std::int64_t microseconds = to_microseconds(clock.value_or(exchange.request_last).time_since_epoch());
  char text[96];
  std::snprintf(text, sizeof text, "SET timestamp=%" PRId64 ".%06" PRId64, microseconds / 1'000'000, microseconds % 1'000'000);
  std::string pin = text;
  if (auto id = first_generated_id(exchange, meaning)) pin += ", insert_id=" + std::to_string(*id);
  return pin;
}

}  // namespace darktap::replay
