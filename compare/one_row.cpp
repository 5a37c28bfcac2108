#include "one_row.h"

#include <algorithm>

#include "base/text.h"

namespace darktap::compare {

bool is_of_one_row(const sql::QueryShape& shape, std::string_view table, const sql::Catalogue& catalogue, std::string_view schema) {
  if (shape.group_by.empty() || shape.with_rollup) return false;
  const auto& tables = shape.tables;
  auto named = [](const sql::ShapeTable& one) -> std::string_view { return one.alias.empty() ? one.table.name : one.alias; };
  auto meant = [&](std::string_view qualifier, const sql::ShapeTable& one) { return qualifier.empty() ? tables.size() == 1 : same_name(named(one), qualifier); };
  auto of = std::find_if(tables.begin(), tables.end(), [&](const sql::ShapeTable& one) { return meant(table, one); });
  if (of == tables.end() || of->derived) return false;
  const sql::Table* known = catalogue.table(of->table.schema.empty() ? schema : std::string_view(of->table.schema), of->table.name);
  if (known == nullptr) return false;
  return std::any_of(known->unique_keys.begin(), known->unique_keys.end(), [&](const sql::UniqueKey& unique) {
    return unique.name == "PRIMARY" && std::all_of(unique.columns.begin(), unique.columns.end(), [&](const std::string& column) {
      return std::any_of(shape.group_by.begin(), shape.group_by.end(), [&](const sql::SortKey& group) {
        return same_name(group.column, column) && meant(group.column_table, *of);
      });
    });
  });
}

}  // namespace darktap::compare
