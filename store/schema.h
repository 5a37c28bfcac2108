// The numbered schema files, embedded at build time (cmake/store_schema.cmake).
#pragma once

#include <span>
#include <string_view>

namespace darktap::store {

struct SchemaFile {
  std::string_view name, sql;  // name begins with its number: "001_runs_and_findings.sql"
};

// In order of their numbers, which start at 1 and have no holes; the last number is the schema's version (user_version).
std::span<const SchemaFile> schema_files();

}  // namespace darktap::store
