// What a statement says of the rows and columns that it can meet, beyond single keys: ranges of numbers, and the names in its text.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "key_values.h"
#include "mysql/command.h"
#include "sql/catalogue.h"
#include "sql/query_shape.h"

namespace darktap::compare {

// Whole numbers, both ends included.
struct NumberRange {
  std::int64_t low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
};
using Ranges = std::map<std::string, NumberRange>;  // by column, in lower case

// What `column BETWEEN a AND b` and `column < a` hold every row of the table to that the statement reads. text: the shape's.
Ranges ranges_on(const sql::TableName& table, std::string_view text, const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect);

// True where the keys name whole numbers only, and all of them are out of range.
bool out_of_range(const Ranges& ranges, const KeyValues& keys);

// Every name in the text, in lower case; nothing where it may read columns that it doesn't name (a star, NATURAL JOIN).
std::optional<std::set<std::string>> names_in(std::string_view text, const sql::Dialect& dialect);

// Can a write to columns of this table change anything for statements that don't name them? Not where the table is known, has no
// trigger, and none of its columns that the statement names follows others by itself.
bool follows_named_columns(const sql::Catalogue& catalogue, const sql::QualifiedName& table, const std::set<std::string>& names);

}  // namespace darktap::compare
