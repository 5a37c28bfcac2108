// What the parser found in one statement, by token index: small, without copies of the text. The public answers (Meaning,
// QueryShape, fingerprints, rewrites) are read off it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "functions.h"
#include "sql/lexer.h"
#include "sql/meaning.h"

namespace darktap::sql {

inline constexpr std::uint32_t no_token = ~std::uint32_t{0};

// Parentheses, subqueries and CASEs inside each other; a deeper statement is not understood. MySQL's own parser gives up
// on its stack somewhat later.
inline constexpr int max_nesting = 200;

// What one text may hold; beyond it, it is not understood. Servers stop well below at columns (4,096) and tables of a join (61).
inline constexpr std::size_t max_statements = 1000;
inline constexpr std::size_t max_effects = 4096;
inline constexpr std::size_t max_tables = 10'000;
inline constexpr std::size_t max_columns = 4096;

struct TokenRange {
  std::uint32_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
  bool contains(std::uint32_t token) const { return token >= begin && token < end; }
};

// What a token turned out to be; the fingerprint prints by it.
enum class Role : std::uint8_t {
  unknown,     // behind the point that was understood
  keyword,     // printed in lower case
  function,    // a called name: lower case too
  name,        // an identifier: as written
  table,       // a table's name: as written, digits foldable
  alias,       // an identifier after AS, written or not
  alias_bare,  // an alias without AS
  position,    // a number that is a column's position: kept
  dropped,     // a word that says nothing (ASC)
  comma,       // OFFSET: LIMIT a OFFSET b and LIMIT b, a are one shape
};

struct ItemRef {
  TokenRange expression;
  std::uint32_t alias = no_token;
};

struct KeyRef {
  TokenRange expression;
  std::uint32_t collation = no_token;  // of a COLLATE that ends the expression
  bool descending = false;
};

struct TableRef {
  std::uint32_t schema = no_token, name = no_token, alias = no_token;
  bool written = false, read = false;
  bool derived = false;      // a subquery, a CTE's name or JSON_TABLE: no table of its own
  bool in_top_from = false;  // in the FROM of the top-level block
};

struct FunctionUse {
  std::uint32_t token = 0;
  const Function* function = nullptr;  // built in
  TokenRange call;                     // name to closing parenthesis (and OVER …)
  int block = 0;                       // nesting of the query block; 0 is the top-level one
  bool varies = false;                 // with these arguments: UNIX_TIMESTAMP(), not UNIX_TIMESTAMP(d)
  bool ordered = false;                // an ORDER BY inside
  bool windowed = false;               // has OVER
  std::uint32_t separator = no_token;
};

struct EffectRef {
  EffectKind kind{};
  std::uint32_t token = 0;
  std::string subject;
  TokenRange value;
  bool forbids = false;
};

struct LimitRef {
  std::uint32_t count = no_token, offset = no_token;  // number or placeholder tokens
  bool unusual = false;                               // ROWS EXAMINED, WITH TIES, OFFSET without a count
  bool whole_ties = false;                            // WITH TIES from the first row on: no tie is cut
};

struct AssignmentRef {
  TokenRange target;  // [table .] column
  TokenRange value;
};

// The top-level query block, or the write's clauses.
struct BlockFacts {
  bool seen = false;
  bool distinct = false;
  TokenRange select;  // the whole block, tail left out
  TokenRange from, where, having, limit_clause, order_clause;
  std::uint32_t where_at = no_token;  // where a WHERE clause starts, or would
  std::uint32_t sql_calc_found_rows = no_token;
  bool grouped = false, rollup = false, named_windows = false;
  LimitRef limit;
  bool values_or_table = false;  // VALUES ROW(…), TABLE t
  bool has_from = false;         // FROM DUAL is none
};
struct Block : BlockFacts {
  std::vector<ItemRef> items;
  std::vector<KeyRef> group_by, order_by;
  // As new, but for the lists' memory.
  void reset() {
    static_cast<BlockFacts&>(*this) = {};
    items.clear(), group_by.clear(), order_by.clear();
  }
};

enum class Verb : std::uint8_t { none, select, insert, replace, update, remove, other };

struct StatementFacts {
  std::uint32_t begin = 0, end = 0;  // tokens; end is the ';' or the end
  bool empty = false;
  bool understood = false;
  Verb verb = Verb::none;
  StatementClass base = StatementClass::other;  // without forbidding effects
  std::uint32_t why_token = 0;

  bool set_operation = false;
  bool parenthesized_with_tail = false;  // (SELECT … LIMIT …) LIMIT …
  bool outer_join = false;
  bool locking = false;
  bool has_cte = false, has_subquery = false, subquery_with_limit = false, assigns_variable = false;

  // Writes.
  std::uint64_t row_count = 0;
  bool from_select = false, ignores = false, on_duplicate = false, multi_table = false;
};

struct Statement : StatementFacts {
  std::string verb_text;
  std::string why;
  std::string set_operator;
  std::vector<EffectRef> effects;
  std::vector<TableRef> tables;
  std::vector<FunctionUse> functions;
  std::vector<std::uint32_t> varying_variables;  // @@… tokens
  std::vector<std::string> varying;              // others that have no function token: "show status"

  Block top;

  // Writes.
  std::vector<std::uint32_t> insert_columns;
  std::vector<std::vector<TokenRange>> rows;  // at most max_shape_rows
  std::vector<AssignmentRef> assignments;

  // As new, but for the lists' memory.
  void reset() {
    static_cast<StatementFacts&>(*this) = {};
    verb_text.clear(), why.clear(), set_operator.clear();
    effects.clear(), tables.clear(), functions.clear(), varying_variables.clear(), varying.clear();
    top.reset();
    insert_columns.clear(), rows.clear(), assignments.clear();
  }
};

struct Parsed {
  std::vector<Statement> statements;  // empty ones left out
  std::vector<Role> roles;            // one for each token
};

// What is written down of a statement: `meaning` leaves out the columns and rows of an INSERT.
enum class Detail : std::uint8_t { meaning, shape };
Parsed parse(std::string_view text, const Lexed& lexed, const Dialect& dialect);
// The same into what an earlier text left.
void parse(std::string_view text, const Lexed& lexed, const Dialect& dialect, Detail detail, Parsed& reused);

}  // namespace darktap::sql
