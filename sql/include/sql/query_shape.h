// What a comparison needs to know of a statement's top-level block: which columns come out, what orders them, what cuts
// them, which keys it names. Texts are as written; positions are byte offsets into the statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/dialect.h"
#include "sql/meaning.h"

namespace darktap::sql {

struct Span {
  std::uint32_t begin = 0, end = 0;  // bytes [begin, end)
  bool empty() const { return begin == end; }
  auto operator<=>(const Span&) const = default;
};
inline std::string_view text_at(std::string_view text, Span span) { return text.substr(span.begin, span.end - span.begin); }

// A value in the text or a parameter (index from 0 in the whole text).
struct Value {
  std::string text;  // the literal as written, sign included; empty for a parameter
  std::optional<std::uint32_t> parameter;
  bool is_literal = true;  // false: an expression (its text is given), worth nothing as a key
};

// An aggregate whose value is put together from rows: GROUP_CONCAT, JSON_ARRAYAGG, JSON_OBJECTAGG.
struct ValueBuilder {
  std::string function;       // lower case
  bool ordered = false;       // has an ORDER BY of its own
  bool whole_item = false;    // the item is this call and nothing else
  std::string separator;      // GROUP_CONCAT's, unescaped; "," by default
};

enum class Star : std::uint8_t { no, all, table };  // *, t.*

struct SelectItem {
  Span span;                // the expression, alias left out
  std::string text;         // the same, as written
  std::string alias;        // "" without one
  Star star = Star::no;
  std::string star_table;   // t of t.*
  std::string column;       // where the item is a bare column: its name (qualifier dropped)
  std::string column_table; // and its qualifier, if written
  bool aggregate = false;   // contains an aggregate function of this block
  bool window = false;      // contains a window function
  bool subquery = false;
  std::vector<ValueBuilder> builders;
  std::vector<std::string> nondeterministic;
};

struct ShapeTable {
  TableName table;     // empty name for a derived table
  std::string alias;   // "" without one
  bool derived = false;  // a subquery, a CTE's name, JSON_TABLE
};

struct SortKey {
  Span span;                          // the expression, direction left out
  std::string text;
  bool descending = false;
  std::string collation;              // of an explicit COLLATE, lower case
  std::string column, column_table;   // where the key is a bare column
  std::optional<std::size_t> item;    // the select item it names: by position, alias or equal expression
};

// A conjunct of the top-level WHERE (or JOIN … ON of an inner join is not looked at): column = value, column IN (values).
struct KeyPredicate {
  std::string table;   // the qualifier as written, "" without one
  std::string column;
  std::vector<Value> values;
  bool null_safe = false;  // <=>
};

// An IN list that is longer is no key predicate.
inline constexpr std::size_t max_key_values = 1000;

struct Assignment {
  std::string table, column;
  Value value;
};

enum class ShapeKind : std::uint8_t { select, set_operation, values, insert, replace, update, remove, other };
enum class Conflict : std::uint8_t { fails, ignored, updates };  // INSERT, INSERT IGNORE, ON DUPLICATE KEY UPDATE

struct QueryShape {
  bool understood = false;  // false: nothing below may excuse or permit anything
  ShapeKind kind = ShapeKind::other;

  // Queries.
  std::vector<SelectItem> items;     // of the (first) block
  bool distinct = false;
  std::vector<ShapeTable> tables;    // of the top-level FROM (UPDATE's and DELETE's table references too)
  bool outer_join = false;
  Span where, having;                // expressions, keywords left out; empty without one
  std::vector<SortKey> group_by;
  bool with_rollup = false;
  std::vector<SortKey> order_by;
  std::optional<Count> limit, offset;
  Span order_clause, limit_clause;   // from the keyword to the clause's end
  std::string set_operation;         // "union", "union all", "except" …: the first one
  bool has_window = false;           // a window function anywhere in the block
  bool has_subquery = false;         // anywhere in the statement, derived tables included
  bool subquery_with_limit = false;
  bool has_cte = false;
  bool locking = false;
  bool assigns_variable = false;     // @x := …
  bool aggregate_without_group = false;  // one row comes out, HAVING aside
  std::vector<std::string> nondeterministic_outside_items;  // in WHERE, ON, GROUP BY, HAVING, ORDER BY, LIMIT
  std::vector<KeyPredicate> key_predicates;

  // Writes.
  std::vector<TableName> targets;
  std::vector<std::string> columns;      // INSERT's list; empty without one
  std::vector<std::vector<Value>> rows;  // of VALUES, or of SET as one row; at most max_shape_rows are kept
  std::uint64_t row_count = 0;           // all of them
  std::vector<Assignment> assignments;   // UPDATE's SET, ON DUPLICATE KEY UPDATE's list
  bool from_select = false;              // INSERT … SELECT
  Conflict conflict = Conflict::fails;
};

inline constexpr std::size_t max_shape_rows = 1000;

QueryShape shape_of(std::string_view text, const Dialect& dialect = {});

}  // namespace darktap::sql
