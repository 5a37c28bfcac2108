// Pairs the rows of two answers as multisets, so that what is left over is truly on one side only.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cells.h"
#include "mysql/answer.h"
#include "plan.h"

namespace darktap::compare {

// A result set's rows as cells.
struct Table {
  std::vector<mysql::Column> columns;
  std::vector<std::vector<mysql::Cell>> rows;
  bool warned = false;  // the server warned of something: a list that it cut off, perhaps
};
// Nothing where not all rows were kept, or a row doesn't fit its columns.
std::optional<Table> table_of(const mysql::ResultSet& result);

struct RowMatch {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // row of a, row of b; by row of a
  std::vector<std::size_t> only_a, only_b;                 // ascending
  std::set<std::size_t> noise_columns, reordered_columns;  // where paired cells differ and the statement excuses it
  std::set<std::string_view> rules;                        // where a named rule made paired cells equal
  bool complete() const { return only_a.empty() && only_b.empty(); }
  bool in_place() const;  // complete, and every row stands where it stood
};

// Leftovers of more rows than this are not paired cell by cell.
inline constexpr std::size_t max_pairing_rows = 500;

// How each column's cells may differ; one entry a column of both tables.
using ColumnPlans = std::span<const ColumnPlan>;

RowMatch match_rows(const Table& a, const Table& b, ColumnPlans plan);

// The row as one text: equal for rows that a plan lets count as equal.
std::string row_key(const Table& table, std::size_t row, ColumnPlans plan);

// True where no cell of the two rows is different.
bool rows_agree(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, ColumnPlans plan);

}  // namespace darktap::compare
