#include "key_values.h"

#include <algorithm>

#include "literal_value.h"
#include "text.h"

namespace darktap::compare {

namespace {

// The value as text; nothing where it is none that is known.
std::optional<std::string> text_of_value(const sql::Value& value, const mysql::Command& command, const sql::Dialect& dialect) {
  if (value.parameter) {
    if (*value.parameter >= command.parameters.size()) return std::nullopt;
    const mysql::Parameter& parameter = command.parameters[*value.parameter];
    if (parameter.presence != mysql::Parameter::Presence::value) return std::nullopt;
    return mysql::print_parameter(parameter);
  }
  return value.is_literal ? literal_text(value.text, dialect) : std::nullopt;
}

// Each reading of the value; empty where it is none that is known.
std::vector<std::string> spelled(const sql::Value& value, const mysql::Command& command, const sql::Dialect& dialect) {
  std::vector<std::string> readings;
  if (!value.parameter) {
    if (value.is_literal) readings = literal_readings(value.text, dialect);
  } else if (auto bound = text_of_value(value, command, dialect)) {
    readings.push_back(std::move(*bound));
  }
  for (std::string& reading : readings) reading = key_spelling(reading);
  return readings;
}

// All the values, or nothing where one of them is not known.
std::optional<std::set<std::string>> spelled(const std::vector<sql::Value>& values, const mysql::Command& command, const sql::Dialect& dialect) {
  std::set<std::string> result;
  if (values.empty() || values.size() > max_key_values) return std::nullopt;
  for (const sql::Value& value : values) {
    std::vector<std::string> readings = spelled(value, command, dialect);
    if (readings.empty()) return std::nullopt;
    for (std::string& reading : readings) result.insert(std::move(reading));
  }
  return result;
}

void restrict_to(KeyValues& keys, const std::string& column, std::set<std::string> values) {
  auto [entry, fresh] = keys.try_emplace(lower(column), values);
  if (fresh) return;
  std::set<std::string> both;
  std::set_intersection(entry->second.begin(), entry->second.end(), values.begin(), values.end(), std::inserter(both, both.end()));
  entry->second = std::move(both);
}

void put_written(WrittenRow& row, const std::string& column, const sql::Value& value, const mysql::Command& command, const sql::Dialect& dialect) {
  auto text = row.size() < max_written_columns ? text_of_value(value, command, dialect) : std::nullopt;
  if (text && text->size() <= max_written_value) row.insert_or_assign(lower(column), exact_spelling(*text));
}

std::vector<std::string> inserted_columns(const sql::QueryShape& shape, const sql::Table* table) {
  std::vector<std::string> columns = shape.columns;
  if (columns.empty() && table != nullptr)
    for (const sql::Column& column : table->columns) columns.push_back(column.name);
  return columns;
}

void add_inserted(KeyValues& keys, const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect,
                  const sql::Table* table, std::uint64_t generated_id) {
  const std::vector<std::string> columns = inserted_columns(shape, table);
  bool all_rows = !shape.rows.empty() && shape.rows.size() == shape.row_count && command.bulk_rows == 0;
  for (std::size_t c = 0; all_rows && c < columns.size(); ++c) {
    std::vector<sql::Value> values;
    for (const auto& row : shape.rows)
      if (row.size() == columns.size()) values.push_back(row[c]);
    if (values.size() != shape.rows.size()) continue;
    if (auto known = spelled(values, command, dialect)) keys[lower(columns[c])] = std::move(*known);
  }
  if (generated_id == 0 || table == nullptr || shape.row_count != 1 || shape.from_select || command.bulk_rows > 1) return;
  for (const sql::UniqueKey& key : table->unique_keys)
    if (key.name == "PRIMARY" && key.columns.size() == 1) keys.try_emplace(lower(key.columns[0]), std::set{std::to_string(generated_id)});
}

}  // namespace

std::string key_spelling(std::string_view value) {
  std::string_view number = value;
  bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  bool numeric = !number.empty() && number.find_first_not_of("0123456789.") == std::string_view::npos && number != ".";
  if (numeric && std::count(number.begin(), number.end(), '.') <= 1) {
    std::size_t point = number.find('.');
    std::string whole(number.substr(0, point)), fraction(point == std::string_view::npos ? "" : number.substr(point + 1));
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    std::string result = (whole.empty() ? "0" : whole) + (fraction.empty() ? "" : "." + fraction);
    return negative && result != "0" ? "-" + result : result;
  }
  std::string text = lower(value);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string exact_spelling(std::string_view value) {
  bool number = !value.empty() && value.find_first_not_of("0123456789.-") == std::string_view::npos && std::count(value.begin(), value.end(), '.') <= 1;
  return number ? key_spelling(value) : std::string(value);
}

bool updated_instead(const sql::QueryShape& shape, std::uint64_t changed) {
  return shape.understood && shape.conflict == sql::Conflict::updates && shape.row_count == 1 && changed == 2;
}

std::vector<WrittenRow> written_rows(const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect,
                                     const sql::Table* table, std::uint64_t changed) {
  std::vector<WrittenRow> rows;
  if (!shape.understood || shape.targets.size() != 1 || command.bulk_rows > 1) return rows;
  bool updates = shape.kind == sql::ShapeKind::update || updated_instead(shape, changed);
  if (updates) {
    WrittenRow row;
    for (const sql::Assignment& assignment : shape.assignments) put_written(row, assignment.column, assignment.value, command, dialect);
    if (!row.empty()) rows.push_back(std::move(row));
    return rows;
  }
  bool inserts = shape.kind == sql::ShapeKind::insert || shape.kind == sql::ShapeKind::replace;
  // Of several rows that may have met others it isn't known which did.
  bool all_new = shape.conflict == sql::Conflict::fails || (shape.row_count == 1 && changed == 1);
  if (!inserts || !all_new || shape.rows.size() != shape.row_count || shape.rows.size() > max_written_rows) return rows;
  const std::vector<std::string> columns = inserted_columns(shape, table);
  for (const std::vector<sql::Value>& values : shape.rows) {
    WrittenRow row;
    for (std::size_t c = 0; c < columns.size() && values.size() == columns.size(); ++c) put_written(row, columns[c], values[c], command, dialect);
    rows.push_back(std::move(row));
  }
  return rows;
}

KeyValues predicates_on(const sql::TableName& table, const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect) {
  KeyValues keys;
  if (command.bulk_rows > 1) return keys;  // each row of parameters binds another row of the table
  // A table that is met twice, or inside a subquery, is not bound by the predicates of one place.
  if (!shape.understood || shape.kind == sql::ShapeKind::set_operation || shape.has_subquery || shape.has_cte || shape.outer_join) return keys;
  const sql::ShapeTable* place = nullptr;
  for (const sql::ShapeTable& candidate : shape.tables) {
    if (candidate.derived || candidate.table.name != table.name) continue;
    if (place != nullptr) return keys;
    place = &candidate;
  }
  if (place == nullptr) return keys;
  std::string_view called = place->alias.empty() ? std::string_view(place->table.name) : place->alias;
  for (const sql::KeyPredicate& predicate : shape.key_predicates) {
    bool here = predicate.table.empty() ? shape.tables.size() == 1 : same_name(predicate.table, called);
    if (!here) continue;
    if (auto values = spelled(predicate.values, command, dialect)) restrict_to(keys, predicate.column, std::move(*values));
  }
  return keys;
}

KeyValues written_keys(const sql::QueryShape& shape, const mysql::Command& command, const sql::Dialect& dialect,
                       const sql::Table* table, std::uint64_t generated_id) {
  KeyValues keys;
  if (!shape.understood || shape.targets.size() != 1) return keys;
  switch (shape.kind) {
    case sql::ShapeKind::insert:
    case sql::ShapeKind::replace:
      add_inserted(keys, shape, command, dialect, table, generated_id);
      break;
    case sql::ShapeKind::update:
    case sql::ShapeKind::remove:
      keys = predicates_on(shape.targets[0], shape, command, dialect);
      break;
    case sql::ShapeKind::select:
    case sql::ShapeKind::set_operation:
    case sql::ShapeKind::values:
    case sql::ShapeKind::other:
      break;
  }
  // An assigned column held another value before (or after): both count.
  for (const sql::Assignment& assignment : shape.assignments) {
    auto entry = keys.find(lower(assignment.column));
    if (entry == keys.end()) continue;
    std::vector<std::string> readings = spelled(assignment.value, command, dialect);
    if (readings.empty()) keys.erase(entry);
    for (std::string& reading : readings) entry->second.insert(std::move(reading));
  }
  return keys;
}

bool disjoint(const KeyValues& a, const KeyValues& b) {
  // A collation may hold an accented letter and a plain one equal: only ASCII tells apart.
  auto is_ascii = [](const std::string& value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  for (const auto& [column, values] : a) {
    auto other = b.find(column);
    if (other == b.end()) continue;
    if (!std::all_of(values.begin(), values.end(), is_ascii) || !std::all_of(other->second.begin(), other->second.end(), is_ascii)) continue;
    if (std::none_of(values.begin(), values.end(), [&](const std::string& value) { return other->second.contains(value); })) return true;
  }
  return false;
}

std::optional<std::string> common_key(const KeyValues& a, const KeyValues& b) {
  for (const auto& [column, values] : a) {
    auto other = b.find(column);
    if (other == b.end()) continue;
    for (const std::string& value : values)
      if (other->second.contains(value)) return column + "=" + value;
  }
  return std::nullopt;
}

}  // namespace darktap::compare
