// Which rows a statement names by key: what lets a write be told apart from another row's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/command.h"
#include "sql/catalogue.h"
#include "sql/query_shape.h"

namespace darktap::compare {

// Column (lower case) -> the only values it can have in the rows concerned. A column that is missing may have any.
using KeyValues = std::map<std::string, std::set<std::string>>;

// A spelling that equal keys share: numbers without needless zeros, text in lower case without trailing blanks. Unequal keys
// may share it too, so that it never tells two rows apart that some collation holds equal.
std::string key_spelling(std::string_view value);

// As the value was written, but for the spelling of numbers: equal only for what a server would answer alike.
std::string exact_spelling(std::string_view value);

// The values of `column = …` and `column IN (…)` that hold for every row of the table the statement reads or changes.
KeyValues predicates_on(const sql::TableName& table, const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect);

// The rows that a write touched; columns: the table's, where known. generated_id: the OK packet's, 0 for none.
KeyValues written_keys(const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect,
                       const sql::Table* table, std::uint64_t generated_id);

// What a write put into rows: column (lower case) -> value, where it is a literal. One entry a row that INSERT brought, or one for
// all the rows that an UPDATE met; empty where they are too many, or nothing is known. changed: the rows that OK told of.
using WrittenRow = std::map<std::string, std::string>;
std::vector<WrittenRow> written_rows(const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect,
                                     const sql::Table* table, std::uint64_t changed);
inline constexpr std::size_t max_written_rows = 16, max_written_columns = 32, max_written_value = 200;  // kept of each write

// INSERT … ON DUPLICATE KEY UPDATE of one row that met one: two rows are told of where it changed that.
bool updated_instead(const sql::QueryShape& shape, std::uint64_t changed);

// True where some column is known on both sides and shares no value.
bool disjoint(const KeyValues& a, const KeyValues& b);
// "id=7" where a column is known on both sides and shares a value.
std::optional<std::string> common_key(const KeyValues& a, const KeyValues& b);

inline constexpr std::size_t max_key_values = 1000;  // a statement that names more keys counts as naming none

}  // namespace darktap::compare
