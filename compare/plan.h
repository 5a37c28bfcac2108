// What a statement allows its answers to differ in: which output columns hold noise, which are built over unordered rows,
// where the ORDER BY keys come out, what LIMIT cuts. Made once a case, only where two answers differ.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/answer.h"
#include "mysql/command.h"
#include "sql/catalogue.h"
#include "sql/meaning.h"
#include "sql/query_shape.h"

namespace darktap::compare {

struct ColumnPlan {
  std::string name;                        // of the output column
  std::optional<std::size_t> item;         // the select item it comes from; none behind a *
  std::vector<std::string> noise;          // nondeterministic functions in it: the cell says nothing
  std::vector<std::string> session_state;  // FOUND_ROWS() and its like: depends on the statements before
  const sql::ValueBuilder* builder = nullptr;  // the cell is a list that nothing orders (points into Plan::shape)
  // The cell is a list with an ORDER BY of its own. by_value: by the listed values themselves, so that no tie can hide in it.
  enum class ListOrder : std::uint8_t { none, by_value, by_other } list_order = ListOrder::none;
  const sql::ValueBuilder* ordered_builder = nullptr;
  bool as_json = false;                    // either side holds JSON: MariaDB's is a text, MySQL's a type of its own
  bool part_of_list = false;               // SUBSTRING_INDEX(GROUP_CONCAT(…)) and its like: other elements may come out
  bool limited_list = false;               // of the listed elements some were left out by a LIMIT of the list's own
  bool distinct_list = false;              // which spelling of an element stands in the list is open
  bool of_one_row = false;                 // of a group's one row of its table: no bare column, though it is not grouped by
  bool order_sensitive = false;            // may depend on an order that nothing promised, in a way that can't be checked
  bool float_sum = false;                  // a floating point number added up over rows: their order shows in its last places
};

struct Plan {
  Plan() = default;
  Plan(Plan&&) = default;  // moved, never copied: columns point into shape
  Plan& operator=(Plan&&) = default;

  std::string sql;          // the statement's text, in the connection's character set, parameters filled in where that can be
  std::uint16_t collation = 0;  // of the connection
  sql::Dialect dialect;
  sql::QueryShape shape;
  std::vector<ColumnPlan> columns;
  std::vector<std::optional<std::size_t>> keys;  // output column of each ORDER BY key
  std::list<sql::ValueBuilder> inner_builders;   // of select items that are a subquery with nothing but a list
  bool select_limited = false;  // questions are asked under the session's sql_select_limit
  bool has_order = false, random_order = false, has_limit = false;
  std::optional<std::uint64_t> limit;   // where its value is known
  std::uint64_t offset = 0;
  // Which rows come out may hang on an order below the top block: a LIMIT in a subquery, a window function over ties in one,
  // a user variable that counts.
  bool rows_hang_on_order = false;
  // The rows of a derived table, a CTE or a view may hold representatives, lists or sums of their own.
  bool from_inner_query = false;
  // Asked with every tie broken: a window or a list has one value only.
  bool ties_broken = false;
  // Of a text of several statements: a plan for each of its results. The text as a whole is not understood.
  std::vector<Plan> parts;
  bool describes_server = false;  // SHOW, EXPLAIN, information_schema: about the server, not about the data
  bool keys_projected() const;
  bool depends_on_session() const;
};

// columns: the source's, and the target's where they are known. A view that hides what its statement leaves open is written out
// where the catalogue knows it; names without a schema are of `schema`. select_limit:
// the session's sql_select_limit.
Plan make_plan(const mysql::Command& command, std::uint16_t collation, std::span<const mysql::Column> columns,
               std::span<const mysql::Column> of_target = {}, const sql::Catalogue* catalogue = nullptr, std::string_view schema = {}, const sql::SqlMode& mode = {},
               std::optional<std::uint64_t> select_limit = std::nullopt);

// Of an expression: does it call an aggregate function; one that adds numbers up?
bool holds_aggregate(std::string_view text);
bool adds_floats(std::string_view lower_text);

// Which character set's rules cut the bytes of a connection with this collation.
sql::Dialect dialect_of(std::uint16_t collation);

}  // namespace darktap::compare
