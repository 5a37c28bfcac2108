#include "shown_values.h"

#include <algorithm>

#include "cells.h"
#include "text.h"
#include "write_index.h"

namespace darktap::compare {

bool row_has_key(const Table& table, std::size_t row, std::size_t column, const std::set<std::string>& values) {
  const mysql::Cell& cell = table.rows[row][column];
  if (cell.is_null) return false;
  if (values.contains(key_spelling(cell.text))) return true;
  // BINARY(n) is filled up with zeros.
  std::string_view filled = cell.text;
  while (filled.ends_with('\0')) filled.remove_suffix(1);
  return filled.size() < cell.text.size() && values.contains(key_spelling(filled));
}

namespace {

// Does a column of this kind show each of the values as it was written? A time, a decimal, an ENUM or a JSON text comes back in
// another spelling, so that one that isn't met says nothing.
bool shows_as_written(const mysql::Column& column, const std::set<std::string>& values) {
  switch (family_of(column)) {
    case TypeFamily::text: case TypeFamily::bytes: return true;
    case TypeFamily::integer:
      return std::all_of(values.begin(), values.end(), [](std::string_view value) {
        if (value.starts_with('-')) value.remove_prefix(1);
        return !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
      });
    default: return false;
  }
}

}  // namespace

std::optional<std::pair<std::size_t, const std::set<std::string>*>> shown_key(const SeenWrite& write, const sql::QualifiedName& table, const Table& rows) {
  for (std::size_t c = 0; c < rows.columns.size(); ++c) {
    if (rows.columns[c].org_table != table.second && rows.columns[c].table != table.second) continue;
    auto key = write.keys.find(lower(rows.columns[c].org_name));
    if (key != write.keys.end() && shows_as_written(rows.columns[c], key->second)) return std::pair(c, &key->second);
  }
  return std::nullopt;
}

Touch touches(const SeenWrite& write, const sql::QualifiedName& table, const Table* a, const Table* b, const RowMatch* leftovers) {
  if (a == nullptr || b == nullptr || leftovers == nullptr || leftovers->complete()) return Touch::unknown;
  auto shown = shown_key(write, table, *a);
  if (!shown) return Touch::unknown;
  auto [column, values] = *shown;
  for (std::size_t row : leftovers->only_a)
    if (row_has_key(*a, row, column, *values)) return Touch::yes;
  for (std::size_t row : leftovers->only_b)
    if (row_has_key(*b, row, column, *values)) return Touch::yes;
  return Touch::no;
}

namespace {

// One row of the output that the write may have written: its place on either side.
struct Place {
  std::optional<std::size_t> in_a, in_b;
};

// The leftovers that bear the write's key, each with its like on the other side.
std::vector<Place> places_of(const SeenWrite& write, const sql::QualifiedName& table, Predicate predicate, const Table& a, const Table& b, const RowMatch& leftovers) {
  std::vector<Place> places;
  auto shown = shown_key(write, table, a);
  if (!shown) {
    // Not shown, but named by the statement: the one row that there is.
    if (predicate == Predicate::silent || leftovers.only_a.size() > 1 || leftovers.only_b.size() > 1) return places;
    Place only;
    if (!leftovers.only_a.empty()) only.in_a = leftovers.only_a.front();
    if (!leftovers.only_b.empty()) only.in_b = leftovers.only_b.front();
    places.push_back(only);
    return places;
  }
  auto [column, values] = *shown;
  std::set<std::size_t> met;
  for (std::size_t row : leftovers.only_a) {
    if (!row_has_key(a, row, column, *values)) continue;
    auto like = std::find_if(leftovers.only_b.begin(), leftovers.only_b.end(), [&](std::size_t other) { return b.rows[other][column] == a.rows[row][column]; });
    Place place{row, std::nullopt};
    if (like != leftovers.only_b.end()) met.insert(*(place.in_b = *like));
    places.push_back(place);
  }
  for (std::size_t row : leftovers.only_b)
    if (!met.contains(row) && row_has_key(b, row, column, *values)) places.push_back({std::nullopt, row});
  return places;
}

}  // namespace

Bearer bearer_of(const SeenWrite& write, const sql::QualifiedName& table, Predicate predicate, const Table* a, const Table* b, const RowMatch* leftovers) {
  if (write.rows.empty() || a == nullptr || b == nullptr || leftovers == nullptr || a->columns.size() != b->columns.size()) return Bearer::nobody;
  bool target = false;
  for (const Place& place : places_of(write, table, predicate, *a, *b, *leftovers)) {
    for (const WrittenRow& written : write.rows) {
      bool of_another_row = false, in_source = false, in_target = false;
      for (std::size_t c = 0; c < a->columns.size(); ++c) {
        const mysql::Column& column = a->columns[c];
        if (column.org_name.empty() || (column.org_table != table.second && column.table != table.second)) continue;
        auto value = written.find(lower(column.org_name));
        if (value == written.end()) continue;
        auto bears = [&](const Table& side, const std::optional<std::size_t>& row) {
          return row && !side.rows[*row][c].is_null && exact_spelling(side.rows[*row][c].text) == value->second;
        };
        bool by_source = bears(*a, place.in_a), by_target = bears(*b, place.in_b);
        // A key that the row was inserted with tells the rows of one INSERT apart.
        if (write.rows.size() > 1 && write.keys.contains(value->first) && !by_source && !by_target) of_another_row = true;
        if (place.in_a && place.in_b && by_source == by_target) continue;
        in_source = in_source || by_source;
        in_target = in_target || by_target;
      }
      if (of_another_row) continue;
      if (in_source) return Bearer::source;
      target = target || in_target;
    }
  }
  return target ? Bearer::target : Bearer::nobody;
}

}  // namespace darktap::compare
