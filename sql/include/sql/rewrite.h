// The few text edits that a comparison's questions, and a replay's SET, need. Each keeps the rest of the statement byte for byte, and answers
// nothing where the statement is not understood or the edit could change more than it says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/dialect.h"

namespace darktap::sql {

struct ProjectedKeys {
  std::string sql;
  std::size_t count = 0;  // the keys are the result's last columns; this many of them
};
// Adds every ORDER BY key to the end of the select list, as `__dt_k1`, `__dt_k2` …. Not for DISTINCT, set operations,
// value-changing side effects or locking reads. With GROUP BY the keys are projected as they are.
std::optional<ProjectedKeys> project_order_keys(std::string_view text, const Dialect& dialect = {});

// The whole tie group at a cut: LIMIT and OFFSET dropped, `AND key <=> value` for every given key put into WHERE.
// key_values are SQL literals (or NULL) as the server is to read them; there may be fewer than keys: a prefix.
// Not with GROUP BY, aggregates, DISTINCT, set operations or window functions, where WHERE would mean something else.
std::optional<std::string> tie_scoped(std::string_view text, const std::vector<std::string>& key_values,
                                      const Dialect& dialect = {});

// Without its top-level LIMIT and OFFSET. A statement without one comes back as it is.
std::optional<std::string> drop_limit(std::string_view text, const Dialect& dialect = {});

// Without the semicolon that would end it before what is put behind.
std::string open_ended(std::string_view text);
// With a LIMIT of so many rows behind it. Nothing where that would not be the statement's own.
std::optional<std::string> with_limit(std::string_view text, std::uint64_t rows, const Dialect& dialect = {});

// What FOUND_ROWS() says after SELECT SQL_CALC_FOUND_ROWS …: its rows without LIMIT, counted, as a column of that name.
std::optional<std::string> count_found_rows(std::string_view text, std::string_view column, const Dialect& dialect = {});

// The rows that an UPDATE or DELETE of one table would touch: SELECT * FROM t WHERE … ORDER BY … LIMIT ….
std::optional<std::string> select_touched_rows(std::string_view text, const Dialect& dialect = {});

// The statement with literals in place of its markers, in order: a prepared statement as text. Nothing where their numbers
// differ or a value is not one literal. The edits above refuse to move or drop a marker: fill them in first.
std::optional<std::string> with_parameters(std::string_view text, const std::vector<std::string>& literals, const Dialect& dialect = {});

// A SET without the assignments within which one of these offsets of the text lies. Nothing where none would be left, or where
// its parts can't be told apart for certain.
std::optional<std::string> without_assignments(std::string_view text, std::span<const std::uint32_t> offsets, const Dialect& dialect = {});

// (SELECT … LIMIT 9) ORDER BY a LIMIT 3 as SELECT * FROM (SELECT … LIMIT 9) ORDER BY a LIMIT 3. Nothing where nothing stands behind the
// parentheses, or a set operation does. (Some versions let the second LIMIT stand in the place of the first instead.)
std::optional<std::string> with_query_as_table(std::string_view text, const Dialect& dialect = {});

// Each statement of a text of several, by itself; empty ones are left out. Nothing where the text isn't understood.
std::vector<std::string> single_statements(std::string_view text, const Dialect& dialect = {});

// OVER name as OVER (…), without its WINDOW clause: what a window leaves open then stands where it is used. Nothing where no window is
// named, where one is made of another, or where two bear one name.
std::optional<std::string> with_windows_written_out(std::string_view text, const Dialect& dialect = {});

// Text as a string literal that the dialect reads back as the same bytes.
std::string quote_string(std::string_view value, const Dialect& dialect = {});
// A name in backticks.
std::string quote_name(std::string_view name);

}  // namespace darktap::sql
