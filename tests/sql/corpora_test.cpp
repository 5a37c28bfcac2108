// Other people's test suites: agreement with their judgement, and no harm from their worst inputs.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sql/meaning.h"
#include "sql/query_shape.h"
#include "sql/secrets.h"
#include "test_support/catch.h"
#include "test_support/corpus.h"

using namespace darktap::sql;
using nlohmann::json;

namespace {

json load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return json::parse(file);
}

// Every string under the keys that hold SQL.
void collect(const json& value, std::vector<std::string>& sqls) {
  if (value.is_array()) {
    for (const json& entry : value) collect(entry, sqls);
  } else if (value.is_object()) {
    for (const auto& [key, entry] : value.items()) {
      if ((key == "sql" || key == "q" || key == "group") && entry.is_string()) sqls.push_back(entry);
      else if (key == "group") for (const json& sql : entry) sqls.push_back(sql);
      else if (entry.is_object() || entry.is_array()) collect(entry, sqls);
    }
  }
}

struct Grouping {
  std::size_t statements = 0, shapes = 0, splits = 0, merges = 0;
};

// How our fingerprints group against theirs. A split: one shape of theirs, several of ours; a merge: the other way round.
Grouping group(const std::vector<std::pair<std::string, std::string>>& sql_and_key) {
  std::map<std::string, std::set<std::string>> ours_of, theirs_of;
  for (const auto& [sql, key] : sql_and_key) {
    std::string normalized = fingerprint(sql).normalized;
    ours_of[key].insert(normalized);
    theirs_of[normalized].insert(key);
  }
  Grouping grouping{sql_and_key.size(), ours_of.size(), 0, 0};
  for (const auto& [key, ours] : ours_of) {
    if (ours.size() == 1) continue;
    ++grouping.splits;
    for (const std::string& normalized : ours) UNSCOPED_INFO("split of " << key.substr(0, 100) << ": " << normalized.substr(0, 200));
  }
  for (const auto& [normalized, keys] : theirs_of) {
    if (keys.size() == 1) continue;
    ++grouping.merges;
    for (const std::string& key : keys) UNSCOPED_INFO("merge in " << normalized.substr(0, 100) << ": " << key.substr(0, 200));
  }
  return grouping;
}

std::vector<std::pair<std::string, std::string>> pairs(const std::string& file, const std::string& key) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const json& entry : load(*corpus_path("corpora/" + file))) {
    if (entry.contains(key) && entry[key].is_string()) found.emplace_back(entry["sql"], entry[key]);
  }
  return found;
}

// The Vitess text with its bind variables as plain markers, tabs and quotes aside.
std::string without_bindings(const std::string& redacted) {
  std::string text;
  for (std::size_t i = 0; i < redacted.size(); ++i) {
    if (redacted[i] == ':' && i + 1 < redacted.size() && (std::isalpha(static_cast<unsigned char>(redacted[i + 1])) || redacted[i + 1] == ':')) {
      text += '?';
      while (i + 1 < redacted.size() && (std::isalnum(static_cast<unsigned char>(redacted[i + 1])) || redacted[i + 1] == '_' || redacted[i + 1] == ':')) ++i;
      if (redacted.compare(i + 1, 4, " /* ") == 0) i = redacted.find("*/", i) + 1;
    } else {
      text += redacted[i];
    }
  }
  return text;
}

std::string unquoted(std::string name) {
  std::erase(name, '`');
  return name;
}

}  // namespace

TEST_CASE("lobsters falls into the groups of the Vitess parser") {
  auto path = corpus_path("corpora/vitess_reference_classification.json");
  if (!path) DARKTAP_SKIP("no corpora");
  std::vector<std::pair<std::string, std::string>> sql_and_key;
  for (const json& entry : load(*path)) {
    if (entry["src"] == "vitess_lobsters" && entry.contains("redacted")) sql_and_key.emplace_back(entry["sql"], without_bindings(entry["redacted"]));
  }
  Grouping grouping = group(sql_and_key);
  CHECK(grouping.statements > 9000);
  CHECK(grouping.splits == 0);
  CHECK(grouping.merges == 0);
}

TEST_CASE("fingerprint lists agree in what they put together") {
  if (!corpus_path("corpora/index.json")) DARKTAP_SKIP("no corpora");
  struct List { const char* file; const char* key; std::size_t splits, merges; };
  // Both explained in docs/sql.md.
  for (const List& list : {List{"percona_toolkit_fingerprint.json", "fingerprint", 1, 1}, List{"percona_gomysql_fingerprint.json", "fingerprint", 1, 1},
                           List{"tidb_normalize.json", "normalized", 0, 5}, List{"proxysql_digest.json", "s4", 0, 4}, List{"vitess_normalize.json", "normalized", 0, 3}}) {
    CAPTURE(list.file);
    Grouping grouping = group(pairs(list.file, list.key));
    CHECK(grouping.splits <= list.splits);
    CHECK(grouping.merges <= list.merges);
  }
}

TEST_CASE("groups that must be equal or different are") {
  auto path = corpus_path("corpora/tidb_digest_equal_groups.json");
  if (!path) DARKTAP_SKIP("no corpora");
  for (const json& entry : load(*path)) {
    std::set<std::uint64_t> hashes;
    for (const json& sql : entry["group"]) hashes.insert(fingerprint(sql.get<std::string>()).hash);
    CAPTURE(entry.dump());
    CHECK(hashes.size() == (entry["relation"] == "equal" ? 1 : entry["group"].size()));
  }
}

TEST_CASE("type, tables and locks agree with the Vitess parser in 99 of 100 statements") {
  auto path = corpus_path("corpora/vitess_reference_classification.json");
  if (!path) DARKTAP_SKIP("no corpora");
  const std::map<std::string, std::set<std::string>> verbs = {
      {"SELECT", {"select", "values", "table"}}, {"INSERT", {"insert", "replace"}}, {"UPDATE", {"update"}}, {"DELETE", {"delete"}}, {"SHOW", {"show"}},
      {"SET", {"set"}}, {"EXPLAIN", {"explain", "describe", "show"}}, {"BEGIN", {"begin"}}, {"COMMIT", {"commit"}}, {"ROLLBACK", {"rollback"}},
      {"SAVEPOINT_ROLLBACK", {"rollback to"}}, {"SAVEPOINT", {"savepoint"}}, {"RELEASE", {"release"}}, {"USE", {"use"}}, {"FLUSH", {"flush"}},
      {"CALL_PROC", {"call"}}, {"KILL", {"kill"}}, {"LOCK_TABLES", {"lock"}}, {"UNLOCK_TABLES", {"unlock"}}, {"PREPARE", {"prepare"}},
      {"EXECUTE", {"execute"}}, {"DEALLOCATE_PREPARE", {"deallocate"}}, {"ANALYZE", {"analyze table"}}, {"COMMENT_ONLY", {""}},
      {"OTHER", {"load", "do", "repair table", "optimize table"}}, {"UNKNOWN", {"values", "select", "purge"}}};
  struct Agreement { std::size_t statements = 0, types = 0, with_tables = 0, tables = 0, locks = 0; };
  std::map<std::string, Agreement> lists;
  std::size_t application = 0, refused = 0;
  for (const json& entry : load(*path)) {
    std::string sql = entry["sql"], source = entry["src"];
    Agreement& of_list = lists[source];
    Meaning meaning = understand(sql);
    bool from_application = source == "vitess_lobsters" || source == "vitess_django_queries";
    if (from_application && entry["preview"] == "SELECT") {
      ++application;
      refused += meaning.statement_class == StatementClass::unsafe;
    }
    if (!entry.contains("stmt_type")) continue;
    ++of_list.statements;
    std::string type = entry["stmt_type"];
    auto known = verbs.find(type);
    of_list.types += (type == "DDL" && meaning.statement_class == StatementClass::ddl) || (known != verbs.end() && known->second.contains(meaning.verb));
    bool locking = std::any_of(meaning.effects.begin(), meaning.effects.end(), [](const Effect& e) { return e.kind == EffectKind::row_lock; });
    of_list.locks += locking == (entry.contains("lock") && !entry["lock"].get<std::string>().empty());
    if (type != "SELECT" && type != "INSERT" && type != "UPDATE" && type != "DELETE") continue;
    if (!meaning.understood || entry["table_refs"].is_null()) continue;
    // The reference lists the qualifiers of columns too, and takes CTEs and aliases for tables: ours must be among
    // them, and the rest must not be a table that we missed where there is none of these.
    ++of_list.with_tables;
    std::set<std::string> theirs, ours;
    for (const json& name : entry["table_refs"]) theirs.insert(unquoted(name));
    for (const auto* list : {&meaning.tables_read, &meaning.tables_written}) {
      for (const TableName& table : *list) ours.insert(to_string(table));
    }
    theirs.erase("dual");
    bool aliases_possible = meaning.normalized.find(" as ") != std::string::npos || meaning.normalized.find('.') != std::string::npos;
    of_list.tables += theirs == ours || (aliases_possible && std::includes(theirs.begin(), theirs.end(), ours.begin(), ours.end()));
  }
  Agreement all;
  auto print = [](const char* name, const Agreement& of) {
    std::printf("agreement with Vitess, %s: type %zu and lock %zu of %zu statements, tables %zu of %zu\n", name, of.types, of.locks, of.statements,
                of.tables, of.with_tables);
  };
  for (const auto& [name, of] : lists) {
    print(name.c_str(), of);
    all.statements += of.statements, all.types += of.types, all.with_tables += of.with_tables, all.tables += of.tables, all.locks += of.locks;
  }
  print("all", all);
  std::printf("application reads refused: %zu of %zu\n", refused, application);
  auto percent = [](std::size_t part, std::size_t whole) { return 100.0 * static_cast<double>(part) / static_cast<double>(whole); };
  CHECK(percent(all.types, all.statements) >= 99);
  CHECK(percent(all.tables, all.with_tables) >= 99);
  CHECK(percent(all.locks, all.statements) >= 99);
  CHECK(percent(refused, application) <= 2);
}

TEST_CASE("what the Vitess parser refuses is never a safe read") {
  auto path = corpus_path("corpora/vitess_invalid_sql.json");
  if (!path) DARKTAP_SKIP("no corpora");
  // Refused by Vitess alone: servers take these as they are, or refuse them for a reason that is none of the grammar's.
  const std::set<std::string> valid_elsewhere = {"SELECT NTILE(-10) OVER w FROM numbers", "SELECT NTILE('val') OVER w FROM numbers", "SELECT 0b2 FROM user",
                                                 "select /* vitess-reserved keyword as unqualified column */ * from t where escape = 'test'"};
  std::size_t reads = 0;
  for (const json& entry : load(*path)) {
    std::string sql = entry["sql"];
    if (valid_elsewhere.contains(sql) || understand(sql).statement_class != StatementClass::read) continue;
    ++reads;
    UNSCOPED_INFO(sql);
  }
  CHECK(reads == 0);
}

TEST_CASE("SET statements are session state, whatever they set") {
  auto path = corpus_path("corpora/proxysql_set_effects.json");
  if (!path) DARKTAP_SKIP("no corpora");
  for (const json& entry : load(*path)) {
    std::string sql = entry["sql"];
    CAPTURE(sql);
    Meaning meaning = understand(sql);
    CHECK(meaning.understood);
    CHECK(meaning.statement_class >= StatementClass::session);
  }
}

TEST_CASE("no statement of any file crashes, whole or cut off at any byte") {
  auto root = corpus_path("corpora");
  if (!root) DARKTAP_SKIP("no corpora");
  // Longer ones, of which there are two, are cut at this many places.
  constexpr std::size_t cuts = 10'000;
  std::set<std::string> statements;
  for (const auto& file : std::filesystem::directory_iterator(*root)) {
    if (file.path().extension() != ".json" || file.path().filename() == "vitess_reference_classification.json") continue;
    std::vector<std::string> found;
    collect(load(file.path()), found);
    statements.insert(found.begin(), found.end());
  }
  std::size_t prefixes = 0, wrong = 0;
  auto look_further = [](std::string text) {
    shape_of(text);
    redact_secrets(text);
  };
  for (const std::string& sql : statements) {
    look_further(sql);
    std::size_t stride = std::max<std::size_t>(1, sql.size() / cuts);
    if (sql.size() > 1'000'000) stride = sql.size() / 100;
    for (std::size_t length = 0; length <= sql.size(); length += stride) {
      // A copy of its own, so that a sanitizer sees a read past its end.
      std::string prefix = sql.substr(0, length);
      Meaning meaning = understand(prefix);
      // What is cut off inside a read is either still a whole read or not understood.
      wrong += !meaning.understood && meaning.statement_class != StatementClass::unsafe;
      if (++prefixes % 16 == 0) look_further(std::move(prefix));
    }
  }
  std::printf("corpora: %zu statements and %zu prefixes without a crash\n", statements.size(), prefixes);
  CHECK(wrong == 0);
  CHECK(statements.size() > 5000);
  CHECK(prefixes > 1'000'000);
}
