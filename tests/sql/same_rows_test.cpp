#include "sql/same_rows.h"

#include "test_support/catch.h"

using namespace darktap::sql;

TEST_CASE("the rows below a query are its FROM and WHERE") {
  CHECK(over_same_rows("SELECT a, SUM(b) FROM t WHERE c = 'x' OR d = 1 GROUP BY a ORDER BY 2 LIMIT 3", "a, b", "", " LIMIT 9") ==
        "SELECT a, b FROM t WHERE (c = 'x' OR d = 1) LIMIT 9");
  CHECK(over_same_rows("SELECT * FROM t JOIN u ON t.i = u.i", "*", "(t.a) <=> 1", "") == "SELECT * FROM t JOIN u ON t.i = u.i WHERE (t.a) <=> 1");
  CHECK(over_same_rows("WITH x AS (SELECT 1 AS a) SELECT COUNT(*) FROM x", "a", "", "") == "WITH x AS (SELECT 1 AS a) SELECT a FROM x");
  CHECK_FALSE(over_same_rows("SELECT a FROM t UNION SELECT b FROM u", "a", "", ""));
  CHECK_FALSE(over_same_rows("SELECT a FROM t FOR UPDATE", "a", "", ""));
  CHECK_FALSE(over_same_rows("SELECT 1", "1", "", ""));
}

TEST_CASE("columns that a block names, and a star where they can't be told") {
  CHECK(columns_used("SELECT t.a, UPPER(b) AS big FROM t WHERE c = 1 GROUP BY d HAVING COUNT(e) > 1 ORDER BY big, f") == "b, d, e, f, t.a");
  CHECK(columns_used("SELECT COUNT(*) FROM t") == "1");
  CHECK(columns_used("SELECT * FROM t") == "*");
  CHECK(columns_used("SELECT a, (SELECT MAX(b) FROM u WHERE u.i = t.i) FROM t") == "*");
}

TEST_CASE("all the rows of a UNION") {
  CHECK(all_of_union("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1 LIMIT 3", Operators::unions) == "SELECT a FROM t UNION ALL SELECT b FROM u ");
  CHECK(all_of_union("SELECT a FROM t UNION DISTINCT SELECT b FROM u", Operators::unions) == "SELECT a FROM t UNION ALL SELECT b FROM u");
  CHECK_FALSE(all_of_union("SELECT a FROM t EXCEPT SELECT b FROM u", Operators::unions));
  CHECK(all_of_union("SELECT a FROM t EXCEPT SELECT b FROM u INTERSECT DISTINCT SELECT c FROM v ORDER BY a", Operators::any) == "SELECT a FROM t UNION ALL SELECT b FROM u UNION ALL SELECT c FROM v ");
  CHECK_FALSE(all_of_union("SELECT a FROM t", Operators::any));
}

TEST_CASE("a group's key by what the select list says it is") {
  CHECK(group_key_over_rows("SELECT UPPER(a) AS big, COUNT(*) FROM t GROUP BY big", 0) == "UPPER(a)");
  CHECK(group_key_over_rows("SELECT a, COUNT(*) FROM t GROUP BY 1", 0) == "a");
  CHECK_FALSE(group_key_over_rows("SELECT a FROM t GROUP BY a", 1));
}
