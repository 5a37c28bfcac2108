#include "replay/copies.h"

#include "sql/rewrite.h"

namespace darktap::replay {
namespace {

constexpr const char* mark = "darktap_copy_of";

std::string literal(const std::string& value) { return sql::quote_string(value); }

std::optional<std::string> run(client::BlockingConnection& connection, const std::string& sql) {
  auto reply = connection.ask(sql);
  if (!reply) return reply.error().reason;
  if (const mysql::ServerError* error = reply->answer.error()) return std::to_string(error->code) + " " + error->message;
  return std::nullopt;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
  return text;
}

// What may be inserted: not what the server makes by itself.
Expected<std::string, std::string> columns_of(client::BlockingConnection& connection, const std::string& schema, const std::string& table) {
  auto rows = connection.table("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = " + literal(schema) + " AND TABLE_NAME = " + literal(table) +
                               " AND COALESCE(GENERATION_EXPRESSION, '') = '' ORDER BY ORDINAL_POSITION");
  if (!rows) return Unexpected(rows.error());
  std::string names;
  for (std::size_t row = 0; row < rows->size(); ++row) names += (row > 0 ? ", " : "") + sql::quote_name(rows->at(row, std::size_t{0}).value_or(""));
  return names;
}

}  // namespace

std::string copy_of(const std::string& schema) { return "darktap_copy_" + schema; }

Expected<Copied, std::string> make_copy(client::BlockingConnection& connection, const std::string& schema) {
  const std::string copy = copy_of(schema), from = sql::quote_name(schema) + ".", to = sql::quote_name(copy) + ".";
  auto failed = [&](const std::string& what, const std::string& error) { return Unexpected("the copy " + copy + " of " + schema + ": " + what + ": " + error); };
  auto there = connection.table("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " + literal(copy));
  if (!there) return failed("looking for it", there.error());
  if (there->at(0, std::size_t{0}).value_or("0") != "0") {
    auto owner = connection.table("SELECT source FROM " + to + mark);
    if (!owner || owner->size() != 1 || owner->at(0, std::size_t{0}).value_or("") != schema)
      return failed("there is a schema of that name that was not made by an earlier run", "move it away, or choose --sandbox rollback");
    if (auto error = run(connection, "DROP DATABASE " + sql::quote_name(copy))) return failed("dropping the earlier one", *error);
  }
  auto objects = connection.table("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = " + literal(schema) + " ORDER BY TABLE_TYPE, TABLE_NAME");
  if (!objects) return failed("listing its tables", objects.error());
  if (objects->size() == 0) return failed("the schema", "it has no tables on the target, or this user may not see them");
  auto charset = connection.table("SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " + literal(schema));
  if (!charset || charset->size() != 1) return failed("its character set", charset ? "not told" : charset.error());
  std::string set = charset->at(0, std::size_t{0}).value_or("utf8mb4"), collation = charset->at(0, std::size_t{1}).value_or("");
  const std::vector<std::string> begin = {"CREATE DATABASE " + sql::quote_name(copy) + " CHARACTER SET " + set + (collation.empty() ? "" : " COLLATE " + collation),
                                          "CREATE TABLE " + to + mark + " (source VARCHAR(255) NOT NULL)", "INSERT INTO " + to + mark + " VALUES (" + literal(schema) + ")",
                                          "USE " + sql::quote_name(copy), "SET SESSION foreign_key_checks = 0", "SET SESSION unique_checks = 0",
                                          "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"};
  for (const std::string& sql : begin)
    if (auto error = run(connection, sql)) return failed(sql.substr(0, 40), *error);
  Copied copied;
  for (std::size_t row = 0; row < objects->size(); ++row) {
    const std::string name = objects->at(row, std::size_t{0}).value_or("");
    if (objects->at(row, std::size_t{1}).value_or("") == "VIEW") continue;
    auto create = connection.table("SHOW CREATE TABLE " + from + sql::quote_name(name));
    if (!create) return failed("table " + name, create.error());
    if (auto error = run(connection, create->at(0, std::size_t{1}).value_or(""))) return failed("table " + name, *error);
    auto columns = columns_of(connection, schema, name);
    if (!columns) return failed("table " + name, columns.error());
    if (auto error = run(connection, "INSERT INTO " + to + sql::quote_name(name) + " (" + *columns + ") SELECT " + *columns + " FROM " + from + sql::quote_name(name))) return failed("table " + name, *error);
    ++copied.tables;
  }
  for (std::size_t row = 0; row < objects->size(); ++row) {
    const std::string name = objects->at(row, std::size_t{0}).value_or("");
    if (objects->at(row, std::size_t{1}).value_or("") != "VIEW") continue;
    auto create = connection.table("SHOW CREATE VIEW " + from + sql::quote_name(name));
    std::string text = create ? create->at(0, std::size_t{1}).value_or("") : "";
    auto error = create ? run(connection, replaced(text, from, to)) : create.error();
    if (error) copied.left_out.push_back("view " + schema + "." + name + " has no copy (" + *error + "); reads of it find no table");
    else ++copied.views;
  }
  auto triggers = connection.table("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = " + literal(schema));
  if (triggers && triggers->size() > 0) copied.left_out.push_back(std::to_string(triggers->size()) + " triggers of " + schema + " are not on its copy, since they could write elsewhere");
  return copied;
}

}  // namespace darktap::replay
