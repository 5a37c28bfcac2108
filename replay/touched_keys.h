// Which rows a statement may touch, as far as its text shows them: values of columns that its WHERE pins, or that it inserts.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "session/exchange.h"
#include "sql/catalogue.h"
#include "sql/dialect.h"
#include "sql/meaning.h"
#include "sql/query_shape.h"

namespace darktap::replay {

// Column (lower case) -> every value that the touched rows may have there. No entry: any value.
using TouchedKeys = std::map<std::string, std::set<std::string>>;

// Nothing (an empty map) where the statement reads more than one table, has subqueries, or is not understood; and where it
// inserts into a table, or changes a column, with a unique key besides: rows may then meet by another key than the one shown.
TouchedKeys touched_keys(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue* catalogue);

// The same by the text alone: which rows it names, though others may be touched too.
TouchedKeys named_rows(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Table* table = nullptr);

// Which columns an INSERT's values go to, as far as that is known.
std::vector<std::string> inserted_columns(const sql::QueryShape& shape, const sql::Table* table);
// A literal's or a bound marker's, in the spelling below; nothing where it isn't known.
std::optional<std::string> value_of(const sql::Value& value, const mysql::Command& command);

// What a marker was given, as it is printed; nothing for NULL and what isn't known. For values that are a marker.
std::optional<std::string> bound_value(const sql::Value& value, const mysql::Command& command);

// One spelling for values that a server may find equal; nothing where that can't be told from the text.
std::optional<std::string> spelling(std::string_view value);

// True where some column tells the rows apart.
bool disjoint(const TouchedKeys& a, const TouchedKeys& b);
// What both together may touch.
void merge(TouchedKeys& into, const TouchedKeys& other);

}  // namespace darktap::replay
