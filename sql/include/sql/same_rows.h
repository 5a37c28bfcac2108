// Questions about the rows that a query is computed from: those of its FROM and WHERE, before anything is grouped, sorted,
// made distinct or cut. Nothing where the statement is not one plain block, or is not understood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/dialect.h"

namespace darktap::sql {

// SELECT `items` FROM and WHERE as written, AND `condition` where one is given, then `tail`.
std::optional<std::string> over_same_rows(std::string_view text, std::string_view items, std::string_view condition, std::string_view tail,
                                          const Dialect& dialect = {});

// The columns that the block's select list and its GROUP BY, HAVING and ORDER BY name, as written and with commas between;
// "1" where there are none, "*" where they can't be told.
std::optional<std::string> columns_used(std::string_view text, const Dialect& dialect = {});

// Of some of the select items only (by index); "*" where they can't be told.
std::string columns_of_items(std::string_view text, const std::vector<std::size_t>& items, const Dialect& dialect = {});

// The select item as an expression over those rows with its alias left out; GROUP BY or ORDER BY keys, where they name an
// item, by that item's expression. Nothing where it holds an aggregate, a window function or a parameter.
std::optional<std::string> group_key_over_rows(std::string_view text, std::size_t key, const Dialect& dialect = {});

// A set operation with its UNIONs turned into UNION ALLs and without its tail: every row that any part gives. Nothing where
// a part has a LIMIT, or where EXCEPT or INTERSECT is among the operators and only UNIONs are wanted: their parts give more rows
// than come out.
enum class Operators : std::uint8_t { unions, any };
std::optional<std::string> all_of_union(std::string_view text, Operators operators, const Dialect& dialect = {});
// The same of a derived table that the block reads and nothing else: SELECT … FROM (… UNION …) name ….
std::optional<std::string> over_all_of_union(std::string_view text, Operators operators, const Dialect& dialect = {});

}  // namespace darktap::sql
