#include "question_sql.h"

#include <limits>

#include "cells.h"
#include "order_check.h"
#include "select_limits.h"
#include "sql/rewrite.h"
#include "sql/same_rows.h"
#include "text.h"

namespace darktap::compare {

namespace {

// In the protocol of the original, so that values come printed alike.
mysql::Command query_like(const mysql::Command& original, std::string sql) {
  mysql::Command command;
  command.code = original.code == mysql::CommandCode::stmt_execute ? original.code : mysql::CommandCode::query;
  command.text = std::move(sql);
  command.text_state = mysql::Command::Text::known;
  return command;
}

}  // namespace

std::optional<mysql::Command> rewritten(const mysql::Command& original, const Plan& plan, std::string sql) {
  // A list that is asked for whole must not be cut either.
  if (plan.select_limited)
    if (auto whole = with_select_limit(sql, std::numeric_limits<std::uint64_t>::max(), plan.dialect)) sql = std::move(*whole);
  sql::Meaning meaning = sql::understand(sql, plan.dialect);
  if (!meaning.understood || meaning.statement_class != sql::StatementClass::read) return std::nullopt;
  if (meaning.parameters == 0) return query_like(original, std::move(sql));
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
    case TypeFamily::text: case TypeFamily::date: case TypeFamily::time: case TypeFamily::datetime: case TypeFamily::enum_: case TypeFamily::set:
      return sql::quote_string(cell.text, dialect);
    case TypeFamily::bytes:
      return "x'" + to_hex(as_bytes(cell.text)) + "'";
    case TypeFamily::floating:
      // A DOUBLE is printed so that reading it gives the same number; a FLOAT is not.
      if (column.type != mysql::ColumnType::double_ || cell.text.find_first_not_of("0123456789.-+e") != std::string::npos) return std::nullopt;
      return cell.text.find('e') == std::string::npos ? cell.text + "e0" : cell.text;
    case TypeFamily::bit:  // as a number: x'…' is a text to <=>
      return cell.text.empty() || cell.text.size() > 8 ? std::optional<std::string>() : "0x" + to_hex(as_bytes(cell.text));
    case TypeFamily::null: case TypeFamily::json:
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

std::optional<mysql::Command> whole_list_of(std::string_view text, const mysql::Command& original, const Plan& plan, std::size_t max_rows) {
  auto sql = sql::drop_limit(text, plan.dialect);
  if (!sql) return std::nullopt;
  auto bounded = sql::with_limit(*sql, max_rows, plan.dialect);
  return bounded ? rewritten(original, plan, std::move(*bounded)) : std::nullopt;
}

std::optional<mysql::Command> whole_list(const mysql::Command& original, const Plan& plan, std::size_t max_rows) {
  return whole_list_of(plan.sql, original, plan, max_rows);
}

std::optional<mysql::Command> whole_list_with_keys(const mysql::Command& original, const Plan& plan, std::size_t max_rows) {
  auto projected = sql::project_order_keys(plan.sql, plan.dialect);
  return projected ? whole_list_of(projected->sql, original, plan, max_rows) : std::nullopt;
}

namespace {

// The key is an expression, or which table it belongs to is not told: asked over the statement's own rows.
std::optional<std::string> equal_over_rows(const Plan& plan, const Spellings& spelling) {
  const sql::SortKey& key = plan.shape.order_by[spelling.key];
  std::string expression = key.text;
  bool plain = plan.shape.kind == sql::ShapeKind::select;
  if (key.item && plain) {
    const sql::SelectItem& item = plan.shape.items[*key.item];
    plain = !item.aggregate && !item.window;
    expression = item.text;
  }
  if (!plain) {
    // A column of the whole statement's output.
    auto whole = sql::drop_limit(plan.sql, plan.dialect);
    if (!whole || spelling.key >= plan.keys.size() || !plan.keys[spelling.key]) return std::nullopt;
    std::string name = sql::quote_name(plan.columns[*plan.keys[spelling.key]].name);
    return "SELECT " + name + " = " + sql::quote_string(spelling.b, plan.dialect) + " FROM (" + sql::open_ended(*whole) + "\n) AS `__dt_whole` WHERE " + name + " = " +
           sql::quote_string(spelling.a, plan.dialect) + " LIMIT 1";
  }
  std::string equals = "(" + expression + ") = ";
  return sql::over_same_rows(plan.sql, equals + sql::quote_string(spelling.b, plan.dialect), equals + sql::quote_string(spelling.a, plan.dialect), " LIMIT 1", plan.dialect);
}

}  // namespace

std::optional<mysql::Command> equal_under_collation(const Plan& plan, const std::vector<Spellings>& spellings) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const sql::SortKey& key = plan.shape.order_by[spellings[i].key];
    std::string column = key.column, qualifier = key.column_table;
    if (key.item && *key.item < plan.shape.items.size()) {  // an alias is no column of the table
      column = plan.shape.items[*key.item].column;
      qualifier = plan.shape.items[*key.item].column_table;
    }
    const sql::ShapeTable* place = nullptr;
    // A set operation's keys come from all of its parts.
    bool one_block = plan.shape.kind == sql::ShapeKind::select;
    for (const sql::ShapeTable& table : plan.shape.tables) {
      bool here = one_block && (qualifier.empty() ? plan.shape.tables.size() == 1 : same_name(qualifier, table.alias.empty() ? table.table.name : table.alias));
      if (here && !column.empty() && !table.derived && !table.table.name.empty()) place = &table;
    }
    if (i > 0) sql += ", ";
    if (std::size_t shared = shared_beginning(spellings[i].a, spellings[i].b); shared > 0) {
      sql += "(SELECT @@max_sort_length <= " + std::to_string(shared) + ")";
      continue;
    }
    if (place == nullptr) {
      auto asked = equal_over_rows(plan, spellings[i]);
      if (!asked) return std::nullopt;
      sql += "(" + *asked + ")";
      continue;
    }
    std::string name = sql::quote_name(column);
    std::string compared = key.collation.empty() ? name : name + " COLLATE " + key.collation;
    std::string table = place->table.schema.empty() ? "" : sql::quote_name(place->table.schema) + ".";
    table += sql::quote_name(place->table.name);
    sql += "(SELECT " + compared + " = " + sql::quote_string(spellings[i].b, plan.dialect) + " FROM " + table + " WHERE " + name + " = " +
           sql::quote_string(spellings[i].a, plan.dialect) + " LIMIT 1)";
  }
  return query_like({}, std::move(sql));
}

}  // namespace darktap::compare
