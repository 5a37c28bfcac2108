#include "replay/sandbox.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "base/text.h"
#include "sql/rewrite.h"

namespace darktap::replay {
namespace {

std::string sql_name(const sql::QualifiedName& name) { return sql::quote_name(name.first) + "." + sql::quote_name(name.second); }

std::string folded(const std::optional<std::string>& name) { return lower(name.value_or("")); }

// What makes a target a sandbox, ready to be run there.
std::string how_to_mark(const MarkerFacts& facts, Disposal wanted) {
  std::string schema = facts.table.substr(0, facts.table.find('.'));
  return "CREATE DATABASE IF NOT EXISTS " + schema + "; CREATE TABLE IF NOT EXISTS " + facts.table +
         " (target VARCHAR(255) NOT NULL, disposable TINYINT NOT NULL DEFAULT 0); DELETE FROM " + facts.table + "; INSERT INTO " + facts.table +
         " VALUES ('" + facts.target + "', " + (wanted == Disposal::disposable ? "1" : "0") + ")";
}

// Schemas that are there, though its information_schema has no table of that name: empty ones, and a router's (vtgate), which
// tells of them only when it is asked for one by name, and then calls it as the server behind does.
Expected<std::vector<std::string>, std::string> ask_routed_schemas(client::BlockingConnection& connection) {
  auto named = connection.table("SHOW DATABASES"), told = connection.table("SELECT DISTINCT TABLE_SCHEMA FROM information_schema.TABLES");
  if (!named || !told) return Unexpected("its schemas: " + (named ? told.error() : named.error()));
  std::set<std::string> known{"mysql", "information_schema", "performance_schema", "sys"};
  for (std::size_t row = 0; row < told->size(); ++row) known.insert(told->at(row, std::size_t{0}).value_or(""));
  std::vector<std::string> routed;
  for (std::size_t row = 0; row < named->size(); ++row)
    if (std::string name = named->at(row, std::size_t{0}).value_or(""); !known.contains(name)) routed.push_back(std::move(name));
  return routed;
}

}  // namespace

std::optional<std::string> refuse_marker(const MarkerFacts& facts, Disposal wanted) {
  const std::string line = "target " + facts.target + ": ";
  const std::string remedy = "; if this server may be written to, run there: " + how_to_mark(facts, wanted);
  if (!facts.error.empty()) return line + "it is not marked as a sandbox: " + facts.table + " can't be read (" + facts.error + ")" + remedy;
  if (facts.rows.size() != 1)
    return line + "its marker table " + facts.table + (facts.rows.empty() ? " is empty" : " has more than one row") + ", expected exactly one" + remedy;
  const MarkerFacts::Row& row = facts.rows.front();
  if (row.target != facts.target)
    return line + "its marker table " + facts.table + " names '" + row.target + "', expected '" + facts.target + "' as given to --target: this may be a copy of another server's data" + remedy;
  if (wanted == Disposal::disposable && row.disposable != 1)
    return line + "its marker table " + facts.table + " does not say that it is disposable" + remedy;
  return std::nullopt;
}

Expected<sql::QualifiedName, std::string> parse_marker(const std::string& text) {
  std::size_t dot = text.find('.');
  bool is_plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '$' || c == '.' || c == '-'; });
  if (dot == std::string::npos || dot == 0 || dot + 1 == text.size() || text.find('.', dot + 1) != std::string::npos || !is_plain)
    return Unexpected("--marker " + text + ": expected SCHEMA.TABLE");
  return sql::QualifiedName{text.substr(0, dot), text.substr(dot + 1)};
}

MarkerFacts ask_marker(client::BlockingConnection& connection, const std::string& table, const std::string& target) {
  MarkerFacts facts{table, target, "", {}};
  auto name = parse_marker(table);
  if (!name) {
    facts.error = name.error();
    return facts;
  }
  auto rows = connection.table("SELECT target, disposable FROM " + sql_name(*name) + " LIMIT 2");
  if (!rows) {
    facts.error = rows.error();
    return facts;
  }
  for (std::size_t row = 0; row < rows->size(); ++row) {
    MarkerFacts::Row found{rows->at(row, std::size_t{0}).value_or(""), std::nullopt};
    std::string text = rows->at(row, std::size_t{1}).value_or("");
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) found.disposable = value;
    facts.rows.push_back(std::move(found));
  }
  return facts;
}

Expected<std::set<sql::QualifiedName>, std::string> ask_what_cannot_roll_back(client::BlockingConnection& connection) {
  static const std::string user_schemas = " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')";
  std::set<sql::QualifiedName> found;
  bool has_such_table = false;
  auto add_tables = [&](const std::string& where, const std::optional<std::string>& schema) -> std::string {
    auto tables = connection.table("SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, e.TRANSACTIONS FROM information_schema.TABLES t LEFT JOIN "
                                   "information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_SCHEMA" + where + " AND (e.TRANSACTIONS IS NULL OR e.TRANSACTIONS <> 'YES')");
    if (!tables) return "the engines of its tables: " + tables.error();
    for (std::size_t row = 0; row < tables->size(); ++row) {
      found.emplace(folded(schema ? schema : tables->at(row, std::size_t{0})), folded(tables->at(row, std::size_t{1})));
      if (tables->at(row, std::size_t{2}).value_or("") != "VIEW") has_such_table = true;
    }
    return "";
  };
  auto add_triggers = [&](const std::string& where, const std::optional<std::string>& schema) -> std::string {
    auto triggers = connection.table("SELECT DISTINCT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA" + where);
    if (!triggers) return "its triggers: " + triggers.error();
    for (std::size_t row = 0; row < triggers->size(); ++row) found.emplace(folded(schema ? schema : triggers->at(row, std::size_t{0})), folded(triggers->at(row, std::size_t{1})));
    return "";
  };
  auto routed = ask_routed_schemas(connection);
  if (!routed) return Unexpected(routed.error());
  if (std::string problem = add_tables(user_schemas, std::nullopt); !problem.empty()) return Unexpected(problem);
  for (const std::string& schema : *routed)
    if (std::string problem = add_tables(" = " + sql::quote_string(schema), schema); !problem.empty()) return Unexpected(problem);
  if (!has_such_table) return found;
  if (std::string problem = add_triggers(user_schemas, std::nullopt); !problem.empty()) return Unexpected(problem);
  for (const std::string& schema : *routed)
    if (std::string problem = add_triggers(" = " + sql::quote_string(schema), schema); !problem.empty()) return Unexpected(problem);
  return found;
}

TargetClock ask_clock(client::BlockingConnection& connection) {
  if (!connection.table("SET timestamp=1000000000")) return TargetClock::its_own;
  auto told = connection.table("SELECT UNIX_TIMESTAMP(NOW()), UNIX_TIMESTAMP(SYSDATE())");
  connection.table("SET timestamp=DEFAULT");
  auto follows = [&](std::size_t column) { return told && told->size() == 1 && told->at(0, column).value_or("").starts_with("1000000000"); };
  return !follows(0) ? TargetClock::its_own : follows(1) ? TargetClock::told : TargetClock::told_of_now;
}

OrderOptions::Isolation ask_isolation(client::BlockingConnection& connection) {
  for (const char* sql : {"SELECT @@transaction_isolation", "SELECT @@tx_isolation"}) {
    auto level = connection.table(sql);
    if (!level || level->size() != 1) continue;
    return level->at(0, std::size_t{0}).value_or("").ends_with("COMMITTED") ? OrderOptions::Isolation::read_committed : OrderOptions::Isolation::repeatable_read;
  }
  return OrderOptions::Isolation::repeatable_read;
}

}  // namespace darktap::replay
