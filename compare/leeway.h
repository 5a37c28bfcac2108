// Beyond noise and lists that sort alike: in which columns may two answers differ because nothing promised an order below
// the result? Rows that differ there only are paired here; whether they may is for the servers' rows to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "plan.h"
#include "row_match.h"

namespace darktap::compare {

enum class Leeway : std::uint8_t {
  none,
  spelling,   // one value to a collation, spelled in two ways: the key of a group, DISTINCT, MIN and MAX, a set operation
  bare,       // a column of any row of its group
  list,       // a list with the same elements, in other spellings or cut off
  window,     // a window function over ties, or whatever hangs on an order in a subquery
  float_sum,  // floating point numbers added up in another order
};
std::string_view to_string(Leeway leeway);

// One entry an output column.
std::vector<Leeway> leeways(const Plan& plan, const std::vector<mysql::Column>& columns);

// Did the servers warn? They do where they cut a list off at group_concat_max_len.
enum class Warned : std::uint8_t { no, yes };
inline Warned both_warned(const Table& a, const Table& b) { return a.warned && b.warned ? Warned::yes : Warned::no; }
bool may_be_cut(std::string_view list, Warned warned);

// Could the two cells be two faces of one value, given the leeway?
bool within(Leeway leeway, const mysql::Cell& a, const mysql::Cell& b, const ColumnPlan& plan, Warned warned);

// Every leftover of a with one of b, all differences within the leeways; nothing where one stays alone.
using RowPairs = std::vector<std::pair<std::size_t, std::size_t>>;
std::optional<RowPairs> pair_within(const Table& a, const Table& b, const RowMatch& match, const Plan& plan);

// The same, of as many rows as can be; what stays alone is put into rest.
RowPairs pair_some_within(const Table& a, const Table& b, const RowMatch& match, const Plan& plan, RowMatch& rest);

// Does the list hold the row, but for what the leeways leave open?
bool holds_within(const Table& list, const Table& answer, std::size_t row, const Plan& plan);

// Columns with a leeway: as if their cells said nothing.
std::vector<ColumnPlan> without_leeway_columns(const Plan& plan, const std::vector<mysql::Column>& columns);

// The largest relative difference that another order of adding makes; the rows themselves are asked for besides.
inline constexpr double max_float_sum_difference = 1e-9;

}  // namespace darktap::compare
