// The statements that an inquiry puts, made from the captured one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "examine.h"
#include "plan.h"

namespace darktap::compare {

// A rewritten statement as a command: prepared with the captured parameters where those still fit, else as text. Nothing
// where markers and parameters don't agree.
std::optional<mysql::Command> rewritten(const mysql::Command& original, const Plan& plan, std::string sql);

// A cell as a literal that finds it again by <=>; nothing where none would (floats, JSON, BIT).
std::optional<std::string> literal_of(const mysql::Cell& cell, const mysql::Column& column, const sql::Dialect& dialect);

// All rows of the tie that the row stands in, and nothing but them.
std::optional<mysql::Command> whole_tie(const mysql::Command& original, const Plan& plan, const Table& table, std::size_t row,
                                        const std::vector<std::size_t>& key_columns);

// Without LIMIT, but for a bound of ours.
std::optional<mysql::Command> whole_list(const mysql::Command& original, const Plan& plan, std::size_t max_rows);
// The same of a statement made from it.
std::optional<mysql::Command> whole_list_of(std::string_view text, const mysql::Command& original, const Plan& plan, std::size_t max_rows);
// The same with the ORDER BY keys as its last columns.
std::optional<mysql::Command> whole_list_with_keys(const mysql::Command& original, const Plan& plan, std::size_t max_rows);

// One cell a pair: 1 where the column's own collation holds the two spellings equal.
std::optional<mysql::Command> equal_under_collation(const Plan& plan, const std::vector<Spellings>& spellings);

}  // namespace darktap::compare
