// What a statement does: its class, side effects, tables, order and fingerprint. It fails closed: what is not understood
// to its last token is `unsafe`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/catalogue.h"
#include "sql/dialect.h"
#include "sql/fingerprint.h"

namespace darktap::sql {

// Of several statements in one text the one furthest down this list decides.
enum class StatementClass : std::uint8_t { other, read, session, transaction, locking_read, write, ddl, unsafe };
std::string_view to_string(StatementClass statement_class);

enum class EffectKind : std::uint8_t {
  user_lock,           // GET_LOCK, RELEASE_LOCK …
  sequence,            // nextval, setval, NEXT VALUE FOR
  user_variable,       // @x := …, SET @x, INTO @x
  last_insert_id,      // LAST_INSERT_ID(expr)
  file,                // INTO OUTFILE or DUMPFILE, LOAD_FILE, LOAD DATA
  sleep,               // SLEEP, waits for replication positions
  benchmark,           // BENCHMARK
  stored_routine,      // CALL, a function that is not built in, a view that reaches one
  session_state,       // SET of a session variable: subject and value
  global_state,        // SET GLOBAL, PERSIST
  autocommit,          // SET autocommit: value
  default_schema,      // USE: value
  transaction,         // BEGIN, COMMIT …
  row_lock,            // FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE
  table_lock,          // LOCK TABLES, UNLOCK TABLES
  write,               // rows of a table
  schema_change,       // CREATE, ALTER, DROP, TRUNCATE, RENAME
  account,             // GRANT, REVOKE, SET PASSWORD, CREATE USER …
  replication,         // CHANGE MASTER, START REPLICA, PURGE BINARY LOGS …
  server_control,      // SHUTDOWN, RESTART, INSTALL, CLONE …
  kill,
  flush,               // FLUSH, RESET, CACHE INDEX
  table_maintenance,   // ANALYZE, OPTIMIZE, REPAIR, CHECK TABLE
  prepared_statement,  // PREPARE, EXECUTE, DEALLOCATE as text
  handler,             // HANDLER … OPEN, READ, CLOSE
  diagnostics,         // SIGNAL, RESIGNAL, GET DIAGNOSTICS
  not_understood,
};
std::string_view to_string(EffectKind kind);

struct Effect {
  EffectKind kind{};
  std::string subject;       // the function, variable, table or statement that has it
  std::string value;         // for variables: the text assigned
  std::uint32_t offset = 0;  // of the word that shows it
  std::uint32_t length = 0;
  bool forbids = false;      // it alone makes the class `unsafe`
};

struct TableName {
  std::string schema;  // empty where none was written
  std::string name;
  auto operator<=>(const TableName&) const = default;
};
std::string to_string(const TableName& table);  // "schema.name" or "name"

// A LIMIT or OFFSET: a number in the text, or a parameter's index (from 0 in the whole text).
struct Count {
  std::optional<std::uint64_t> number;
  std::optional<std::uint32_t> parameter;
};

struct OrderKey {
  std::string expression;  // as written
  bool descending = false;
  std::string collation;   // of an explicit COLLATE, lower case
};

enum class OrderGuarantee : std::uint8_t {
  total,    // at most one row, or keys that hold a unique key: row order is promised whole
  partial,  // ordered by the keys, ties open
  none,     // no ORDER BY
  unknown,  // not a query, or not understood
};
std::string_view to_string(OrderGuarantee guarantee);

struct Order {
  OrderGuarantee guarantee = OrderGuarantee::unknown;
  std::vector<OrderKey> keys;
  std::optional<Count> limit, offset;
};

struct Meaning {
  StatementClass statement_class = StatementClass::other;
  StatementClass class_if_allowed = StatementClass::other;  // were every forbidding effect allowed by name
  bool understood = false;
  bool catalogued = false;       // a catalogue was asked, so that views and unique keys are known
  bool counts_found_rows = false;  // SELECT SQL_CALC_FOUND_ROWS …
  SqlMode mode;                  // that the text was read under
  std::string verb;              // "select", "insert", "create table", "set" …; of the deciding statement; lower case
  std::string why;               // one sentence, where it is not understood or refused
  std::uint32_t why_offset = 0;  // the bytes that decided, for a caret
  std::uint32_t why_length = 0;
  std::uint32_t statements = 0;  // in the text, empty ones not counted
  std::uint32_t parameters = 0;  // ? markers
  std::vector<Effect> effects;
  std::vector<TableName> tables_read, tables_written;  // in order of appearance, each once
  Order order;
  std::vector<std::string> nondeterministic;           // function names (lower case) and "@@variables", each once
  std::vector<std::string> user_variables;             // named anywhere, as "@x": lower case, without quotes; each once
  std::uint64_t fingerprint = 0;
  std::string normalized;
};

// "@x", as Meaning::user_variables has it, of a name as written (@X, @`x`, @'x').
std::string user_variable_name(std::string_view written);

Meaning understand(std::string_view text, const Dialect& dialect = {}, const Catalogue* catalogue = nullptr,
                   const FingerprintRules& rules = {});

// The class once the named effects are allowed (names as to_string(EffectKind) gives them, or an effect's subject, such
// as "get_lock"; case does not matter). Still `unsafe` while one forbidding effect is not named, or anything is not understood.
StatementClass class_allowing(const Meaning& meaning, const std::vector<std::string>& allowed);

// The contract's JSON object of `darktap sql`, one line, no line break at its end.
std::string to_json(const Meaning& meaning);

}  // namespace darktap::sql
