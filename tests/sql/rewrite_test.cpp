// The text edits that questions are made with.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sql/rewrite.h"
#include "sql/meaning.h"
#include "sql/query_shape.h"
#include "statement_lists.h"
#include "test_support/catch.h"
#include "test_support/corpus.h"

using namespace darktap::sql;

TEST_CASE("order keys are added to the end of the select list") {
  auto projected = [](std::string_view sql) { auto keys = project_order_keys(sql); return keys ? keys->sql : std::string("-"); };
  CHECK(projected("SELECT a FROM t ORDER BY b DESC, c + 1 LIMIT 5") == "SELECT a, b AS `__dt_k1`, c + 1 AS `__dt_k2` FROM t ORDER BY b DESC, c + 1 LIMIT 5");
  CHECK(projected("SELECT a + 1 AS x FROM t ORDER BY x") == "SELECT a + 1 AS x, a + 1 AS `__dt_k1` FROM t ORDER BY x");
  CHECK(projected("SELECT * FROM t ORDER BY t.b /* c */") == "SELECT *, t.b AS `__dt_k1` FROM t ORDER BY t.b /* c */");
  CHECK(projected("SELECT a, COUNT(*) FROM t GROUP BY a ORDER BY 2") == "SELECT a, COUNT(*), COUNT(*) AS `__dt_k1` FROM t GROUP BY a ORDER BY 2");
  CHECK(projected("SELECT a -- list\n FROM t ORDER BY b") == "SELECT a, b AS `__dt_k1` -- list\n FROM t ORDER BY b");
  for (const char* sql : {"SELECT a FROM t", "SELECT DISTINCT a FROM t ORDER BY b", "SELECT a FROM t UNION SELECT b FROM u ORDER BY 1",
                          "SELECT a x FROM t ORDER BY x + 1", "SELECT * FROM t ORDER BY 2", "SELECT a FROM t ORDER BY RAND()", "SELECT a FROM t ORDER BY ?",
                          "SELECT a FROM t ORDER BY b FOR UPDATE", "SELECT a FROM t ORDER BY b -- x\n + 1", "UPDATE t SET a = 1 ORDER BY b", "nonsense"}) {
    CAPTURE(sql);
    CHECK(projected(sql) == "-");
  }
  CHECK(project_order_keys("SELECT a FROM t ORDER BY b, c")->count == 2);
}

TEST_CASE("a tie group is asked for by its key values") {
  auto scoped = [](std::string_view sql, std::vector<std::string> values) { return tie_scoped(sql, values).value_or("-"); };
  CHECK(scoped("SELECT a FROM t ORDER BY b LIMIT 5", {"3"}) == "SELECT a FROM t WHERE (b) <=> 3 ORDER BY b ");
  CHECK(scoped("SELECT a FROM t WHERE c = 1 OR d = 2 ORDER BY b, e LIMIT 5, 10", {"'x'", "NULL"}) ==
        "SELECT a FROM t WHERE (c = 1 OR d = 2) AND (b) <=> 'x' AND (e) <=> NULL ORDER BY b, e ");
  CHECK(scoped("SELECT a + 1 x FROM t AS u JOIN v USING (i) ORDER BY x LIMIT 1", {"-2"}) ==
        "SELECT a + 1 x FROM t AS u JOIN v USING (i) WHERE (a + 1) <=> -2 ORDER BY x ");
  CHECK(scoped("SELECT a FROM t WHERE c = ? ORDER BY b LIMIT 5", {"1"}) == "SELECT a FROM t WHERE (c = ?) AND (b) <=> 1 ORDER BY b ");
  for (const char* sql : {"SELECT a FROM t LIMIT 5", "SELECT a FROM t GROUP BY a ORDER BY a LIMIT 1", "SELECT MAX(a) FROM t ORDER BY 1", "SELECT DISTINCT a FROM t ORDER BY a",
                          "SELECT a, ROW_NUMBER() OVER (ORDER BY b) FROM t ORDER BY a LIMIT 1", "SELECT a FROM t ORDER BY b LIMIT ?",
                          "SELECT a FROM t UNION SELECT 1 ORDER BY 1 LIMIT 1", "SELECT a FROM t ORDER BY b LIMIT 1 FOR UPDATE", "SELECT 1 ORDER BY 1"}) {
    CAPTURE(sql);
    CHECK(scoped(sql, {"1"}) == "-");
  }
  for (const char* value : {"1 OR 1", "a", "'x' -- ", "(SELECT 1)", "1; DELETE FROM t", "", "'", "SLEEP(1)", "?"}) {
    CAPTURE(value);
    CHECK(scoped("SELECT a FROM t ORDER BY b LIMIT 5", {value}) == "-");
  }
  CHECK(scoped("SELECT a FROM t ORDER BY b LIMIT 5", {"1", "2"}) == "-");
}

TEST_CASE("a limit is dropped at the top level only") {
  CHECK(drop_limit("SELECT a FROM (SELECT a FROM t LIMIT 3) d LIMIT 5 /* x */") == "SELECT a FROM (SELECT a FROM t LIMIT 3) d  /* x */");
  CHECK(drop_limit("SELECT a FROM t") == "SELECT a FROM t");
  CHECK(drop_limit("SELECT 1 UNION SELECT 2 LIMIT 1") == "SELECT 1 UNION SELECT 2 ");
  CHECK_FALSE(drop_limit("SELECT a FROM t LIMIT ?"));
  CHECK_FALSE(drop_limit("(SELECT a FROM t LIMIT 5) LIMIT 2"));
  CHECK_FALSE(drop_limit("DELETE FROM t LIMIT 1"));
}

TEST_CASE("what SQL_CALC_FOUND_ROWS counts is asked for by itself") {
  auto counted = [](const char* sql) { return count_found_rows(sql, "n").value_or("-"); };
  CHECK(counted("SELECT SQL_CALC_FOUND_ROWS a, b FROM t WHERE c = 1 ORDER BY b LIMIT 0, 5") == "SELECT COUNT(*) AS `n` FROM t WHERE (c = 1)");
  CHECK(counted("SELECT sql_calc_found_rows a, a FROM t JOIN u USING (i) LIMIT 5") == "SELECT COUNT(*) AS `n` FROM t JOIN u USING (i)");
  CHECK(counted("SELECT DISTINCT SQL_CALC_FOUND_ROWS a FROM t ORDER BY a LIMIT 5;") == "SELECT COUNT(*) AS `n` FROM (SELECT DISTINCT  a FROM t ORDER BY a\n) AS `__dt_found`");
  CHECK(counted("SELECT SQL_CALC_FOUND_ROWS a FROM t GROUP BY a HAVING COUNT(*) > 1 LIMIT 5 -- x") ==
        "SELECT COUNT(*) AS `n` FROM (SELECT  a FROM t GROUP BY a HAVING COUNT(*) > 1  -- x\n) AS `__dt_found`");
  CHECK(counted("SELECT SQL_CALC_FOUND_ROWS MAX(a) FROM t LIMIT 1") == "SELECT COUNT(*) AS `n` FROM (SELECT  MAX(a) FROM t\n) AS `__dt_found`");
  CHECK(counted("SELECT SQL_CALC_FOUND_ROWS a FROM t UNION SELECT b FROM u LIMIT 1") == "SELECT COUNT(*) AS `n` FROM (SELECT  a FROM t UNION SELECT b FROM u\n) AS `__dt_found`");
  for (const char* sql : {"SELECT a FROM t LIMIT 5", "SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT ?", "SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT 5 FOR UPDATE", "SELECT `SQL_CALC_FOUND_ROWS` FROM t"}) {
    CAPTURE(sql);
    CHECK(counted(sql) == "-");
  }
}

TEST_CASE("the rows a write would touch can be looked at first") {
  CHECK(select_touched_rows("UPDATE t AS x SET a = 1 WHERE b = 2 ORDER BY c LIMIT 3") == "SELECT * FROM t AS x WHERE b = 2 ORDER BY c LIMIT 3");
  CHECK(select_touched_rows("DELETE FROM s.t WHERE b = 'x'") == "SELECT * FROM s.t WHERE b = 'x'");
  CHECK_FALSE(select_touched_rows("DELETE a FROM a JOIN b USING (i)"));
  CHECK_FALSE(select_touched_rows("UPDATE a, b SET a.x = 1"));
  CHECK_FALSE(select_touched_rows("UPDATE t SET a = 1 WHERE SLEEP(1)"));
  CHECK_FALSE(select_touched_rows("INSERT INTO t VALUES (1)"));
}

TEST_CASE("markers are filled in with literals only") {
  CHECK(with_parameters("SELECT ? , '?' FROM t WHERE a=?", {"1", "'x'"}) == "SELECT  1  , '?' FROM t WHERE a= 'x' ");
  CHECK(with_parameters("SELECT 1-?", {"-1"}) == "SELECT 1- -1 ");
  CHECK_FALSE(with_parameters("SELECT ?", {}));
  CHECK_FALSE(with_parameters("SELECT ?", {"1, SLEEP(1)"}));
}

TEST_CASE("named windows are written where they are used") {
  CHECK(with_windows_written_out("SELECT SUM(a) OVER w, RANK() OVER `W` FROM t WINDOW w AS (ORDER BY b ROWS 2 PRECEDING) ORDER BY a") ==
        "SELECT SUM(a) OVER (ORDER BY b ROWS 2 PRECEDING), RANK() OVER (ORDER BY b ROWS 2 PRECEDING) FROM t  ORDER BY a");
  CHECK(with_windows_written_out("SELECT SUM(a) OVER v FROM t WINDOW w AS (PARTITION BY COALESCE(b, (c))), v AS (ORDER BY b)") == "SELECT SUM(a) OVER (ORDER BY b) FROM t ");
  for (const char* sql : {"SELECT SUM(a) OVER (ORDER BY b) FROM t", "SELECT SUM(a) OVER (w ORDER BY b) FROM t WINDOW w AS (PARTITION BY c)", "SELECT SUM(a) OVER v FROM t WINDOW w AS (ORDER BY c), v AS (w ROWS 2 PRECEDING)",
                          "SELECT SUM(a) OVER w, (SELECT SUM(a) OVER w FROM o WINDOW w AS (ORDER BY d) LIMIT 1) FROM t WINDOW w AS (ORDER BY c)"}) {
    INFO(sql);
    CHECK_FALSE(with_windows_written_out(sql));
  }
}

TEST_CASE("a query in parentheses with a tail behind it is one over a table") {
  CHECK(with_query_as_table("/* c */ (SELECT a FROM t ORDER BY b LIMIT 9) ORDER BY a LIMIT 3") == "/* c */ SELECT * FROM (SELECT a FROM t ORDER BY b LIMIT 9) AS `__dt_query` ORDER BY a LIMIT 3");
  for (const char* sql : {"(SELECT a FROM t LIMIT 9)", "SELECT a FROM t LIMIT 9", "(SELECT a FROM t LIMIT 9) UNION SELECT b FROM u LIMIT 3", "(SELECT a FROM t LIMIT 9) LIMIT 3 FOR UPDATE"}) {
    INFO(sql);
    CHECK_FALSE(with_query_as_table(sql));
  }
}

TEST_CASE("a text of several statements is taken apart") {
  CHECK(single_statements("SELECT 1; SELECT ';' FROM t /* ; */ WHERE a = 2;; ") == std::vector<std::string>{"SELECT 1", "SELECT ';' FROM t /* ; */ WHERE a = 2"});
  CHECK(single_statements("SELECT 1; SELCT 2").empty());
}

TEST_CASE("no edit makes anything but a read") {
  for (std::string_view list : {not_reads, reads}) {
    for (const std::string& sql : statements_of(list)) {
      CAPTURE(sql);
      for (std::optional<std::string> edited : {drop_limit(sql), tie_scoped(sql, {"1"}), select_touched_rows(sql)}) {
        if (edited) REQUIRE(understand(*edited).statement_class == StatementClass::read);
      }
      if (auto keys = project_order_keys(sql)) REQUIRE(understand(keys->sql).statement_class == StatementClass::read);
    }
  }
}

TEST_CASE("an edited query still has the shape it promises") {
  for (const std::string& sql : statements_of(reads)) {
    auto keys = project_order_keys(sql);
    if (!keys) continue;
    CAPTURE(sql, keys->sql);
    QueryShape before = shape_of(sql), after = shape_of(keys->sql);
    REQUIRE(after.understood);
    REQUIRE(after.items.size() == before.items.size() + keys->count);
    REQUIRE(after.order_by.size() == before.order_by.size());
  }
}

// Each distinct shape of the corpora is edited in every way it takes. Where DARKTAP_REWRITES names a file, the pairs are
// written to it, for tests/end_to_end/test_sql_rewrites.py, which has a server judge them.
TEST_CASE("every edit of the corpora's statements is a read, with as many markers as before") {
  auto root = corpus_path("corpora");
  if (!root) DARKTAP_SKIP("no corpora");
  const char* out_path = std::getenv("DARKTAP_REWRITES");
  std::ofstream out;
  if (out_path != nullptr) out.open(out_path);
  std::set<std::uint64_t> shapes;
  std::map<std::string, std::size_t> edits;
  for (const char* name : {"vitess_lobsters", "vitess_django_queries", "vitess_select_cases", "vitess_valid_sql", "vitess_union_cases", "vitess_tpcc",
                           "percona_toolkit_convert_to_select", "percona_toolkit_fingerprint", "tidb_parser_cases"}) {
    std::ifstream file(*root / (std::string(name) + ".json"));
    for (const nlohmann::json& entry : nlohmann::json::parse(file)) {
      if (!entry.contains("sql") || !entry["sql"].is_string()) continue;
      std::string sql = entry["sql"];
      Meaning before = understand(sql);
      if (!before.understood || !shapes.insert(before.fingerprint).second) continue;
      auto check = [&](const char* kind, const std::optional<std::string>& edited, bool counted) {
        if (!edited) return;
        CAPTURE(kind, sql, *edited);
        Meaning after = understand(*edited);
        REQUIRE(after.statement_class == StatementClass::read);
        if (counted) REQUIRE(after.parameters == before.parameters);
        ++edits[kind];
        if (out.is_open()) {
          nlohmann::json pair{{"kind", kind}, {"sql", sql}, {"edited", *edited}};
          out << pair.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
        }
      };
      auto keys = project_order_keys(sql);
      check("project_order_keys", keys ? std::optional(keys->sql) : std::nullopt, true);
      for (std::size_t count : {1, 2, 3}) check("tie_scoped", tie_scoped(sql, std::vector<std::string>(count, "1")), true);
      if (auto dropped = drop_limit(sql); dropped && *dropped != sql) {
        check("drop_limit", dropped, true);
        REQUIRE(drop_limit(*dropped) == dropped);  // nothing is left to drop
      }
      check("select_touched_rows", select_touched_rows(sql), true);
    }
  }
  for (const char* kind : {"project_order_keys", "tie_scoped", "drop_limit", "select_touched_rows"}) {
    std::printf("%s: %zu\n", kind, edits[kind]);
    CHECK(edits[kind] >= 20);
  }
}

TEST_CASE("a SET does without some of its assignments, and keeps the others as they were written") {
  auto without = [](std::string_view text, std::string_view name) {
    std::vector<std::uint32_t> offsets;
    for (const Effect& effect : understand(text).effects)
      if (effect.subject.find(name) != std::string::npos || (effect.kind == EffectKind::autocommit && name == "autocommit")) offsets.push_back(effect.offset);
    CHECK(!offsets.empty());
    return without_assignments(text, offsets).value_or("-");
  };
  CHECK(without("SET @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',ANSI'),  @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483", "wait_timeout") ==
        "SET @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',ANSI'), @@SESSION.sql_auto_is_null = 0");
  CHECK(without("/* conn 7 */ SET character_set_results = NULL, autocommit=1, sql_mode=concat(@@sql_mode,',A');", "autocommit") == "SET character_set_results = NULL, sql_mode=concat(@@sql_mode,',A')");
  CHECK(without("set session wait_timeout=1, time_zone='a,b'", "wait_timeout") == "SET time_zone='a,b'");
  CHECK(without("SET wait_timeout = 1", "wait_timeout") == "-");
  CHECK(without("SET wait_timeout = 1 /* , */, sql_mode = ''", "wait_timeout") == "-");
  CHECK(without("SET sql_mode = '' /*!, wait_timeout = 1*/", "wait_timeout") == "-");
  CHECK_FALSE(without_assignments("SET a = 1, , b = 2", std::vector<std::uint32_t>{4}));
  CHECK_FALSE(without_assignments("SELECT 1, 2", std::vector<std::uint32_t>{7}));
}
