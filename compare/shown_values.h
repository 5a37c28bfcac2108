// What the rows that differ tell of one write: does one of them bear its key, and whose cells bear the values that it wrote?
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "row_match.h"
#include "sql/catalogue.h"

namespace darktap::compare {

struct SeenWrite;

bool row_has_key(const Table& table, std::size_t row, std::size_t column, const std::set<std::string>& values);

// The column of the output that shows a key of the write, and its values.
std::optional<std::pair<std::size_t, const std::set<std::string>*>> shown_key(const SeenWrite& write, const sql::QualifiedName& table, const Table& rows);

// Does the write's key meet a row on one side only? Nothing where the output doesn't show the key. A write whose key column is
// shown, but none of whose values is among the leftovers, did not cause them.
enum class Touch : std::uint8_t { unknown, yes, no };
Touch touches(const SeenWrite& write, const sql::QualifiedName& table, const Table* a, const Table* b, const RowMatch* leftovers);

// Whose row bears what the write wrote, where the sides differ: the source's (the target lacks it, or shows an older version), or
// the target's (it has this write, and lacks a later one). predicate: does the statement name the row by a key of the write?
enum class Bearer : std::uint8_t { nobody, source, target };
enum class Predicate : std::uint8_t { silent, names_row };
Bearer bearer_of(const SeenWrite& write, const sql::QualifiedName& table, Predicate predicate, const Table* a, const Table* b, const RowMatch* leftovers);

}  // namespace darktap::compare
