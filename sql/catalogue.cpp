#include "sql/catalogue.h"

#include "base/text.h"

namespace darktap::sql {
namespace {

template <class Value>
const Value* find(const std::map<QualifiedName, Value>& entries, std::string_view schema, std::string_view name, const std::string& default_schema) {
  auto found = entries.find({schema.empty() ? default_schema : std::string(schema), std::string(name)});
  return found == entries.end() ? nullptr : &found->second;
}

}  // namespace

const Column* Table::column(std::string_view name) const {
  for (const Column& candidate : columns) {
    if (same_name(candidate.name, name)) return &candidate;
  }
  return nullptr;
}

const Table* Catalogue::table(std::string_view schema, std::string_view name) const { return find(tables, schema, name, default_schema); }

const View* Catalogue::view(std::string_view schema, std::string_view name) const {
  if (const View* exact = find(views, schema, name, default_schema)) return exact;
  for (const auto& [known, view] : views) {
    if (same_name(known.second, name) && same_name(known.first, schema.empty() ? default_schema : schema)) return &view;
  }
  return nullptr;
}

}  // namespace darktap::sql
