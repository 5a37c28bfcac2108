#include "server_words.h"

#include <algorithm>
#include <array>

#include "text.h"

namespace darktap::compare {

namespace {

// Columns of SHOW COLUMNS, SHOW TABLE STATUS and information_schema that tell how data lie, not what they are.
constexpr std::array<std::string_view, 33> storage_columns{
    "key", "extra", "privileges", "collation", "comment", "engine", "version", "row_format", "table_rows", "rows", "avg_row_length", "data_length",
    "max_data_length", "index_length", "data_free", "auto_increment", "create_time", "update_time", "check_time", "checksum", "create_options",
    "cardinality", "column_key", "table_catalog", "temporary", "max_index_length", "index_type", "sub_part", "packed", "ordinal_position",
    "column_comment", "table_comment", "check_option"};

// The tables of information_schema that say what the databases hold; the others tell of the server's sessions, counters and settings.
constexpr std::array<std::string_view, 13> schema_tables{"schemata", "tables", "columns", "views", "routines", "parameters", "triggers", "events", "statistics",
                                                         "table_constraints", "key_column_usage", "referential_constraints", "check_constraints"};
bool tells_of_schemas(const sql::ShapeTable& place) {
  bool by_name = std::any_of(schema_tables.begin(), schema_tables.end(), [&](std::string_view name) { return same_name(place.table.name, name); });
  return by_name || place.derived || same_name(place.table.schema, "mysql");
}

bool starts(std::string_view text, std::string_view word) { return text.substr(0, word.size()) == word; }

// The words behind SHOW, without those that only widen it.
std::string_view subject(std::string_view text) {
  text = trimmed(text.substr(4));
  for (bool more = true; more;) {
    more = false;
    for (std::string_view word : {"full ", "extended ", "global ", "session ", "local ", "all "}) {
      if (!starts(text, word)) continue;
      text = trimmed(text.substr(word.size()));
      more = true;
    }
  }
  return text;
}

}  // namespace

bool tells_of_itself(const Examination& examination, const Plan& plan) {
  if (examination.difference == Difference::error_only_target || examination.difference == Difference::error_only_source) return false;
  std::string all = lower(plan.sql);
  std::string_view text = trimmed(all);
  while (text.starts_with("/*")) {
    std::size_t end = text.find("*/");
    if (end == std::string_view::npos) break;
    text = trimmed(text.substr(end + 2));
  }
  bool show = starts(text, "show");
  // EXPLAIN SELECT tells a plan; DESCRIBE t and EXPLAIN t tell columns, as SHOW COLUMNS does.
  bool plan_of_query = !show && (text.find("select") != std::string_view::npos || text.find("update") != std::string_view::npos ||
                                 text.find("delete") != std::string_view::npos || text.find("insert") != std::string_view::npos);
  if (!show && plan.shape.kind == sql::ShapeKind::other && plan_of_query) return true;
  if (show) {
    std::string_view about = subject(text);
    bool of_schema = starts(about, "columns") || starts(about, "fields") || starts(about, "tables") || starts(about, "databases") || starts(about, "schemas") || starts(about, "table status");
    if (!of_schema) return true;
  }
  if (!show && !plan.shape.tables.empty() && std::none_of(plan.shape.tables.begin(), plan.shape.tables.end(), tells_of_schemas)) return true;
  if (!examination.a || !examination.b || examination.a->columns.size() != examination.b->columns.size()) return show;
  // The largest tables: which these are is for each server's storage to say.
  bool by_storage = plan.has_limit && std::any_of(plan.shape.order_by.begin(), plan.shape.order_by.end(), [](const sql::SortKey& key) {
    return std::any_of(storage_columns.begin(), storage_columns.end(), [&](std::string_view name) { return same_name(key.column, name); });
  });
  if (!show && by_storage) return true;
  std::vector<ColumnPlan> relaxed = plan.columns;
  for (std::size_t c = 0; c < relaxed.size(); ++c) {
    const mysql::Column& column = examination.a->columns[c];
    for (std::string_view name : storage_columns)
      if (same_name(column.name, name) || same_name(column.org_name, name)) relaxed[c].noise.push_back("storage");
  }
  return match_rows(*examination.a, *examination.b, relaxed).complete();
}

}  // namespace darktap::compare
