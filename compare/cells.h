// Two cells of one column: equal, equal under a named rule, excused by the statement, or different.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mysql/row.h"
#include "plan.h"

namespace darktap::compare {

// Kinds of values that a client can tell apart; lengths and storage sizes are not.
enum class TypeFamily : std::uint8_t { null, integer, decimal, floating, text, bytes, date, time, datetime, year, bit, json, enum_, set, geometry, vector };
TypeFamily family_of(const mysql::Column& column);
std::string_view to_string(TypeFamily family);
bool is_text(TypeFamily family);

enum class CellMatch : std::uint8_t { equal, noise, reordered, normalised, different };
struct CellComparison {
  CellMatch match = CellMatch::equal;
  std::string_view rule;  // where normalised: the rule's name
};

namespace rule {
inline constexpr std::string_view float_printing = "float_printing", decimal_scale = "decimal_scale", char_padding = "char_padding",
                                  json_key_order = "json_key_order", column_type = "column_type", bit_as_number = "bit_as_number";
// Of columns, not of cells.
inline constexpr std::string_view vitess_literal_header = "vitess_literal_header", expression_header = "expression_header", computed_number = "computed_number", json_as_text = "json_as_text", computed_text = "computed_text";
}

CellComparison compare_cells(const mysql::Cell& a, const mysql::Column& column_a, const mysql::Cell& b,
                             const mysql::Column& column_b, const ColumnPlan& plan);

// A spelling that most cells which don't compare as different share, for pairing rows quickly; what it misses (the last
// place of a float, CHAR against VARCHAR) is paired cell by cell afterwards.
std::string canonical(const mysql::Cell& cell, const mysql::Column& column, const ColumnPlan& plan);

// The list of a value builder with its elements sorted; nothing where the builder is not known well enough.
std::optional<std::string> sorted_list(std::string_view value, const sql::ValueBuilder& builder);

}  // namespace darktap::compare
