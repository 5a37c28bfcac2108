#include "question_sql.h"

#include "cells.h"
#include "sql/rewrite.h"
#include "text.h"

namespace darktap::compare {

namespace {

mysql::Command text_query(std::string sql) {
  mysql::Command command;
  command.code = mysql::CommandCode::query;
  command.text = std::move(sql);
  command.text_state = mysql::Command::Text::known;
  return command;
}

// Without the semicolon that would end it before what is put behind.
std::string open_ended(std::string sql) {
  std::string_view text = trimmed(sql);
  while (text.ends_with(';')) text = trimmed(text.substr(0, text.size() - 1));
  return std::string(text);
}

}  // namespace

std::optional<mysql::Command> rewritten(const mysql::Command& original, const Plan& plan, std::string sql) {
  sql::Meaning meaning = sql::understand(sql, plan.dialect);
  if (!meaning.understood || meaning.statement_class != sql::StatementClass::read) return std::nullopt;
  if (meaning.parameters == 0) return text_query(std::move(sql));
  mysql::Command command = original;
  command.text = std::move(sql);
  if (meaning.parameters == command.parameters.size()) return command;
  // LIMIT and OFFSET are the last markers of a statement; those that went with them go here too.
  std::size_t dropped = 0;
  for (const auto& count : {plan.shape.limit, plan.shape.offset}) dropped += count && count->parameter ? 1 : 0;
  if (meaning.parameters + dropped != command.parameters.size()) return std::nullopt;
  for (const auto& count : {plan.shape.limit, plan.shape.offset})
    if (count && count->parameter && *count->parameter < meaning.parameters) return std::nullopt;
  command.parameters.resize(meaning.parameters);
  return command;
}

std::optional<std::string> literal_of(const mysql::Cell& cell, const mysql::Column& column, const sql::Dialect& dialect) {
  if (cell.is_null) return "NULL";
  switch (family_of(column)) {
    case TypeFamily::integer: case TypeFamily::decimal: case TypeFamily::year:
      return cell.text;
    case TypeFamily::text: case TypeFamily::date: case TypeFamily::time: case TypeFamily::datetime: case TypeFamily::enum_:
      return sql::quote_string(cell.text, dialect);
    case TypeFamily::bytes:
      return "x'" + to_hex(as_bytes(cell.text)) + "'";
    case TypeFamily::null: case TypeFamily::floating: case TypeFamily::bit: case TypeFamily::json: case TypeFamily::set:
    case TypeFamily::geometry: case TypeFamily::vector:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<mysql::Command> whole_tie(const mysql::Command& original, const Plan& plan, const Table& table, std::size_t row,
                                        const std::vector<std::size_t>& key_columns) {
  std::vector<std::string> values;
  for (std::size_t c : key_columns) {
    auto literal = literal_of(table.rows[row][c], table.columns[c], plan.dialect);
    if (!literal) return std::nullopt;
    values.push_back(std::move(*literal));
  }
  auto sql = sql::tie_scoped(plan.sql, values, plan.dialect);
  if (!sql) return std::nullopt;
  return rewritten(original, plan, std::move(*sql));
}

std::optional<mysql::Command> whole_list(const mysql::Command& original, const Plan& plan, std::size_t max_rows) {
  auto sql = sql::drop_limit(plan.sql, plan.dialect);
  if (!sql) return std::nullopt;
  std::string bounded = open_ended(std::move(*sql)) + "\nLIMIT " + std::to_string(max_rows);
  sql::QueryShape shape = sql::shape_of(bounded, plan.dialect);
  if (!shape.understood || !shape.limit || shape.limit->number != max_rows) return std::nullopt;
  return rewritten(original, plan, std::move(bounded));
}

std::optional<mysql::Command> equal_under_collation(const Plan& plan, const std::vector<Spellings>& spellings) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const sql::SortKey& key = plan.shape.order_by[spellings[i].key];
    std::string column = key.column, qualifier = key.column_table;
    if (key.item && *key.item < plan.shape.items.size() && !plan.shape.items[*key.item].column.empty()) {
      column = plan.shape.items[*key.item].column;
      qualifier = plan.shape.items[*key.item].column_table;
    }
    if (column.empty()) return std::nullopt;
    const sql::ShapeTable* place = nullptr;
    for (const sql::ShapeTable& table : plan.shape.tables) {
      bool here = qualifier.empty() ? plan.shape.tables.size() == 1 : same_name(qualifier, table.alias.empty() ? table.table.name : table.alias);
      if (here && !table.derived && !table.table.name.empty()) place = &table;
    }
    if (place == nullptr) return std::nullopt;
    std::string name = sql::quote_name(column);
    std::string compared = key.collation.empty() ? name : name + " COLLATE " + key.collation;
    std::string table = place->table.schema.empty() ? "" : sql::quote_name(place->table.schema) + ".";
    table += sql::quote_name(place->table.name);
    if (i > 0) sql += ", ";
    sql += "(SELECT " + compared + " = " + sql::quote_string(spellings[i].b, plan.dialect) + " FROM " + table + " WHERE " + name + " = " +
           sql::quote_string(spellings[i].a, plan.dialect) + " LIMIT 1)";
  }
  return text_query(std::move(sql));
}

}  // namespace darktap::compare
