// The names of the report's contract, and what counts.
#include "compare/verdict.h"

#include <array>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace darktap::compare {

namespace {

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<Side, 3> side_names{{{Side::source, "source"}, {Side::target, "target"}, {Side::reference, "reference"}}};

constexpr Names<Difference, 14> difference_names{{
    {Difference::row_order, "row_order"},
    {Difference::row_values, "row_values"},
    {Difference::missing_rows, "missing_rows"},
    {Difference::extra_rows, "extra_rows"},
    {Difference::row_count, "row_count"},
    {Difference::column_metadata, "column_metadata"},
    {Difference::error_only_target, "error_only_target"},
    {Difference::error_only_source, "error_only_source"},
    {Difference::error_differs, "error_differs"},
    {Difference::warnings, "warnings"},
    {Difference::affected_rows, "affected_rows"},
    {Difference::last_insert_id, "last_insert_id"},
    {Difference::latency_regression, "latency_regression"},
    {Difference::timeout, "timeout"},
}};

constexpr Names<Cause, 12> cause_names{{
    {Cause::order_undefined, "order_undefined"},
    {Cause::order_violated, "order_violated"},
    {Cause::read_after_write, "read_after_write"},
    {Cause::stale_read, "stale_read"},
    {Cause::data_moved, "data_moved"},
    {Cause::nondeterministic, "nondeterministic"},
    {Cause::skipped_write, "skipped_write"},
    {Cause::replay_artifact, "replay_artifact"},
    {Cause::normalization, "normalization"},
    {Cause::unsupported, "unsupported"},
    {Cause::defect, "defect"},
    {Cause::unexamined, "unexamined"},
}};

constexpr Names<Level, 3> level_names{{{Level::proved, "proved"}, {Level::confirmed, "confirmed"}, {Level::assumed, "assumed"}}};

template <class Enum, std::size_t N>
std::string_view name_of(const Names<Enum, N>& names, Enum value) {
  for (const auto& [candidate, name] : names)
    if (candidate == value) return name;
  return "";
}

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const Names<Enum, N>& names, std::string_view name) {
  for (const auto& [value, candidate] : names)
    if (candidate == name) return value;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Side side) { return name_of(side_names, side); }
std::string_view to_string(Difference difference) { return name_of(difference_names, difference); }
std::string_view to_string(Cause cause) { return name_of(cause_names, cause); }
std::string_view to_string(Level level) { return name_of(level_names, level); }
std::optional<Difference> parse_difference(std::string_view name) { return value_of(difference_names, name); }
std::optional<Cause> parse_cause(std::string_view name) { return value_of(cause_names, name); }
std::optional<Level> parse_level(std::string_view name) { return value_of(level_names, name); }

bool counts_by_default(Difference difference, Cause cause) {
  if (difference == Difference::latency_regression || difference == Difference::timeout) return true;
  return cause == Cause::defect || cause == Cause::order_violated || cause == Cause::stale_read || cause == Cause::unsupported;
}

std::string signature(std::uint64_t fingerprint, Difference difference, Cause cause) {
  std::string name = to_hex(fingerprint);
  name += '/';
  name += to_string(difference);
  name += '/';
  name += to_string(cause);
  return to_hex(static_cast<std::uint64_t>(XXH3_64bits(name.data(), name.size())));
}

}  // namespace darktap::compare
