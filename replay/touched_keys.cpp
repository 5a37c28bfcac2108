#include "touched_keys.h"

#include <algorithm>

#include "base/text.h"
#include "sql/query_shape.h"

namespace darktap::replay {
namespace {

std::optional<std::set<std::string>> values_of(const std::vector<sql::Value>& values, const mysql::Command& command) {
  std::set<std::string> found;
  for (const sql::Value& value : values) {
    auto one = value_of(value, command);
    if (!one) return std::nullopt;
    found.insert(std::move(*one));
  }
  return found;
}

TouchedKeys inserted(const sql::QueryShape& shape, const std::vector<std::string>& columns, const mysql::Command& command) {
  TouchedKeys keys;
  if (columns.empty() || shape.from_select || shape.rows.empty() || shape.rows.size() != shape.row_count) return keys;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::set<std::string> values;
    bool all_known = std::all_of(shape.rows.begin(), shape.rows.end(), [&](const std::vector<sql::Value>& row) {
      if (c >= row.size()) return false;
      auto one = value_of(row[c], command);
      if (one) values.insert(std::move(*one));
      return one.has_value();
    });
    if (all_known) keys.emplace(lower(columns[c]), std::move(values));
  }
  return keys;
}

bool is_in_a_unique_key(const sql::Table& table, std::string_view column) {
  return std::any_of(table.unique_keys.begin(), table.unique_keys.end(), [&](const sql::UniqueKey& key) {
    return std::any_of(key.columns.begin(), key.columns.end(), [&](const std::string& name) { return lower(name) == lower(column); });
  });
}

TouchedKeys named_rows_of(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::QueryShape& shape, const sql::Table* table) {
  if (!shape.understood || shape.has_subquery || shape.has_cte || shape.outer_join || !shape.set_operation.empty()) return {};
  using sql::ShapeKind;
  if (shape.kind == ShapeKind::insert || shape.kind == ShapeKind::replace) return inserted(shape, inserted_columns(shape, table), exchange.command);
  bool by_where = shape.kind == ShapeKind::select || shape.kind == ShapeKind::update || shape.kind == ShapeKind::remove;
  if (!by_where || shape.tables.size() > 1 || meaning.tables_read.size() + meaning.tables_written.size() > 2) return {};
  TouchedKeys keys;
  for (const sql::KeyPredicate& predicate : shape.key_predicates) {
    auto values = values_of(predicate.values, exchange.command);
    if (values) keys.emplace(lower(predicate.column), std::move(*values));
  }
  for (const sql::Assignment& assignment : shape.assignments) keys.erase(lower(assignment.column));
  return keys;
}

bool is_one_statement(const session::Exchange& exchange, const sql::Meaning& meaning) {
  return meaning.understood && meaning.statements == 1 && exchange.command.bulk_rows == 0;
}

}  // namespace

std::optional<std::string> spelling(std::string_view value) {
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  bool is_number = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
    return std::string(value);
  }
  // Letters of other alphabets, accents, and whatever may be read as a number or a time in another spelling.
  bool is_plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
  if (!is_plain) return std::nullopt;
  return lower(value);
}

std::optional<std::string> bound_value(const sql::Value& value, const mysql::Command& command) {
  if (!value.parameter || *value.parameter >= command.parameters.size()) return std::nullopt;
  const mysql::Parameter& parameter = command.parameters[*value.parameter];
  if (parameter.presence != mysql::Parameter::Presence::value) return std::nullopt;
  return mysql::print_parameter(parameter);
}

std::vector<std::string> inserted_columns(const sql::QueryShape& shape, const sql::Table* table) {
  std::vector<std::string> columns = shape.columns;
  if (columns.empty() && table != nullptr)
    for (const sql::Column& column : table->columns) columns.push_back(column.name);
  return columns;
}

std::optional<std::string> value_of(const sql::Value& value, const mysql::Command& command) {
  if (value.parameter) {
    auto bound = bound_value(value, command);
    return bound ? spelling(*bound) : std::nullopt;
  }
  if (!value.is_literal || value.text.empty()) return std::nullopt;
  std::string_view text = value.text;
  bool is_quoted = text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front();
  if (is_quoted) text = text.substr(1, text.size() - 2);
  return spelling(text);
}

TouchedKeys named_rows(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Table* table) {
  return is_one_statement(exchange, meaning) ? named_rows_of(exchange, meaning, sql::shape_of(exchange.command.text), table) : TouchedKeys();
}

TouchedKeys touched_keys(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue* catalogue) {
  if (!is_one_statement(exchange, meaning)) return {};
  sql::QueryShape shape = sql::shape_of(exchange.command.text);
  const sql::Table* table = nullptr;
  if (!meaning.tables_written.empty()) {
    const sql::TableName& name = meaning.tables_written.front();
    table = catalogue == nullptr ? nullptr : catalogue->table(name.schema.empty() ? exchange.schema : name.schema, name.name);
    // What an INSERT meets on a duplicate key, or a REPLACE deletes, is told by the same columns' values only in part.
    bool inserts = shape.kind == sql::ShapeKind::insert || shape.kind == sql::ShapeKind::replace;
    if (inserts && (shape.kind == sql::ShapeKind::replace || shape.conflict != sql::Conflict::fails || table == nullptr || table->unique_keys.size() > 1)) return {};
    for (const sql::Assignment& assignment : shape.assignments)
      if (table == nullptr || is_in_a_unique_key(*table, assignment.column)) return {};
  }
  return named_rows_of(exchange, meaning, shape, table);
}

bool disjoint(const TouchedKeys& a, const TouchedKeys& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& entry) {
    auto other = b.find(entry.first);
    if (other == b.end()) return false;
    return std::none_of(entry.second.begin(), entry.second.end(), [&](const std::string& value) { return other->second.contains(value); });
  });
}

void merge(TouchedKeys& into, const TouchedKeys& other) {
  for (auto entry = into.begin(); entry != into.end();) {
    auto found = other.find(entry->first);
    if (found == other.end()) {
      entry = into.erase(entry);
      continue;
    }
    entry->second.insert(found->second.begin(), found->second.end());
    ++entry;
  }
}

}  // namespace darktap::replay
