// Where which rows come out hangs on an order that a LIMIT or a window function leaves open below the result, the statement can be
// asked with its ties broken: the primary keys of the tables go behind each such ORDER BY, so that two servers with the same rows
// give the same answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/catalogue.h"
#include "sql/dialect.h"

namespace darktap::sql {

enum class Direction : std::uint8_t { ascending, descending };

// Each answer is one that the statement may give as it is. Nothing where a block's tables have no known primary key, where it is made
// distinct or a set operation as a whole, or where nothing hangs on an order. schema: of names written without one.
std::optional<std::string> break_ties(std::string_view text, const Catalogue& catalogue, std::string_view schema, Direction direction,
                                      const Dialect& dialect = {});

// A block below that a LIMIT cuts, as a statement of its own, with the primary keys of its rows behind its columns.
struct InnerWindow {
  std::string sql;
  std::size_t keys = 0;
};
// Those that a statement's answer hangs on. None where anything else leaves an order open below (windows, lists), a block is grouped,
// made distinct or a set operation, or its tables have no known primary key.
std::vector<InnerWindow> inner_windows(std::string_view text, const Catalogue& catalogue, std::string_view schema, const Dialect& dialect = {});

// The statement over given rows of its inner windows, in place of their LIMITs. rows: of each window, the list behind IN, "(1, 2)"
// or "((1, 'a'), (2, 'b'))".
std::optional<std::string> with_rows_chosen(std::string_view text, const Catalogue& catalogue, std::string_view schema, const std::vector<std::string>& rows,
                                            const Dialect& dialect = {});

// Without the LIMITs of its subqueries and of a set operation's parts: every row that may come out, and more.
std::optional<std::string> drop_inner_limits(std::string_view text, const Dialect& dialect = {});

}  // namespace darktap::sql
