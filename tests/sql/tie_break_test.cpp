#include "sql/tie_break.h"

#include "test_support/catch.h"

using namespace darktap::sql;

namespace {

Catalogue shop() {
  Catalogue catalogue;
  catalogue.tables[{"shop", "t"}] = {{{"id", false}, {"a", true}}, {{"PRIMARY", {"id"}}}};
  catalogue.tables[{"shop", "u"}] = {{{"x", false}, {"y", false}}, {{"PRIMARY", {"x", "y"}}}};
  catalogue.tables[{"shop", "keyless"}] = {{{"a", true}}, {{"by_a", {"a"}}}};
  return catalogue;
}

std::optional<std::string> up(std::string_view text) { return break_ties(text, shop(), "shop", Direction::ascending); }

}  // namespace

TEST_CASE("ties are broken by the tables' primary keys, wherever a LIMIT cuts") {
  CHECK(up("SELECT a FROM (SELECT a FROM t ORDER BY a DESC LIMIT 3) x") == "SELECT a FROM (SELECT a FROM t ORDER BY a DESC , `t`.`id` LIMIT 3) x");
  CHECK(break_ties("SELECT a FROM (SELECT a FROM t LIMIT 3) x", shop(), "shop", Direction::descending) ==
        "SELECT a FROM (SELECT a FROM t  ORDER BY `t`.`id` DESC LIMIT 3) x");
  CHECK(up("SELECT a FROM t o WHERE a IN (SELECT * FROM (SELECT y FROM t AS p JOIN u ON p.id = u.x LIMIT 3) z)") ==
        "SELECT a FROM t o WHERE a IN (SELECT * FROM (SELECT y FROM t AS p JOIN u ON p.id = u.x  ORDER BY `p`.`id`, `u`.`x`, `u`.`y` LIMIT 3) z)");
  CHECK(up("(SELECT a FROM t LIMIT 1) UNION ALL (SELECT y FROM u ORDER BY y LIMIT 2)") ==
        "(SELECT a FROM t  ORDER BY `t`.`id` LIMIT 1) UNION ALL (SELECT y FROM u ORDER BY y , `u`.`x`, `u`.`y` LIMIT 2)");
  CHECK(up("SELECT a, COUNT(*) n FROM t GROUP BY a, id % 2 ORDER BY n LIMIT 2") == "SELECT a, COUNT(*) n FROM t GROUP BY a, id % 2 ORDER BY n , a, id % 2 LIMIT 2");
}

TEST_CASE("ties are broken in the windows and lists that show them") {
  CHECK(up("SELECT id, ROW_NUMBER() OVER (PARTITION BY a ORDER BY a) FROM t") == "SELECT id, ROW_NUMBER() OVER (PARTITION BY a ORDER BY a, `t`.`id` ) FROM t");
  CHECK(up("SELECT SUM(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t") ==
        "SELECT SUM(a) OVER (ORDER BY a , `t`.`id` ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t");
  CHECK(up("SELECT GROUP_CONCAT(a, id ORDER BY a SEPARATOR '/') FROM t GROUP BY a") == "SELECT GROUP_CONCAT(a, id ORDER BY a , `t`.`id` SEPARATOR '/') FROM t GROUP BY a");
  CHECK(up("SELECT x, (SELECT GROUP_CONCAT(a) FROM t WHERE id = x) FROM u") == "SELECT x, (SELECT GROUP_CONCAT(a ORDER BY `t`.`id` ) FROM t WHERE id = x) FROM u");
  // Peers count as one to RANK: nothing hangs on an order.
  CHECK_FALSE(up("SELECT RANK() OVER (ORDER BY a) FROM t"));
}

TEST_CASE("what can't be settled by keys is not asked") {
  CHECK_FALSE(up("SELECT a FROM t"));
  CHECK_FALSE(up("SELECT a FROM (SELECT a FROM keyless LIMIT 1) x"));
  CHECK_FALSE(up("SELECT a FROM (SELECT a FROM nowhere LIMIT 1) x"));
  CHECK_FALSE(up("SELECT a FROM (SELECT DISTINCT a FROM t ORDER BY id LIMIT 1) x"));
  CHECK_FALSE(up("SELECT a FROM (SELECT a FROM t UNION SELECT x FROM u LIMIT 1) x"));
  CHECK_FALSE(up("SELECT a FROM (SELECT b.a FROM (SELECT a FROM t) b LIMIT 1) x"));
  CHECK_FALSE(up("SELECT a FROM (SELECT a FROM (t, u) LIMIT 1) x"));
  CHECK_FALSE(up("SELECT a, COUNT(*) FROM t GROUP BY a WITH ROLLUP LIMIT 2"));
  CHECK_FALSE(up("SELECT LAG(a) OVER w FROM t WINDOW w AS (ORDER BY a)"));
  CHECK_FALSE(up("SELECT GROUP_CONCAT(DISTINCT a ORDER BY a) FROM t"));
  CHECK_FALSE(up("SELECT a FROM (SELECT a FROM t LIMIT 1) x FOR UPDATE"));
  CHECK_FALSE(up("DELETE FROM t ORDER BY a LIMIT 1"));
}

TEST_CASE("the LIMITs below a statement can be left out, its own stays") {
  CHECK(drop_inner_limits("SELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 3, 4) x LIMIT 2") == "SELECT a FROM (SELECT a FROM t ORDER BY a ) x LIMIT 2");
  CHECK(drop_inner_limits("(SELECT a FROM t LIMIT 1) UNION ALL (SELECT y FROM u)") == "(SELECT a FROM t ) UNION ALL (SELECT y FROM u)");
  CHECK(drop_inner_limits("SELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 2) x") == "SELECT a FROM (SELECT a FROM t ORDER BY a ) x");
  CHECK_FALSE(drop_inner_limits("SELECT a FROM t LIMIT 2"));
}

TEST_CASE("the windows that a LIMIT cuts below, with their keys, and the statement over rows that were chosen") {
  Catalogue catalogue;
  catalogue.tables[{"shop", "t"}] = {{{"id", false}, {"a", true}}, {{"PRIMARY", {"id"}}}};
  catalogue.tables[{"shop", "u"}] = {{{"x", false}, {"y", false}}, {{"PRIMARY", {"x", "y"}}}};
  auto windows = [&](std::string_view sql) { return inner_windows(sql, catalogue, "shop"); };
  std::string one = "SELECT SUM(a) FROM (SELECT a FROM t WHERE a > 1 OR a < 9 ORDER BY a LIMIT 3) q";
  REQUIRE(windows(one).size() == 1);
  CHECK(windows(one)[0].sql == "SELECT a , `t`.`id` AS `__dt_p1` FROM t WHERE a > 1 OR a < 9 ORDER BY a LIMIT 3");
  CHECK(with_rows_chosen(one, catalogue, "shop", {"(1, 2)"}) == "SELECT SUM(a) FROM (SELECT a FROM t WHERE ( a > 1 OR a < 9 ) AND (`t`.`id`) IN (1, 2) ORDER BY a ) q");
  std::string two = "(SELECT x FROM u LIMIT 2) UNION ALL (SELECT a FROM t b ORDER BY a DESC LIMIT 1)";
  REQUIRE(windows(two).size() == 2);
  CHECK(windows(two)[0].sql == "SELECT x , `u`.`x` AS `__dt_p1`, `u`.`y` AS `__dt_p2` FROM u LIMIT 2");
  CHECK(with_rows_chosen(two, catalogue, "shop", {"((1, 2))", "(7)"}) ==
        "(SELECT x FROM u WHERE (`u`.`x`, `u`.`y`) IN ((1, 2)) ) UNION ALL (SELECT a FROM t b WHERE (`b`.`id`) IN (7) ORDER BY a DESC )");
  CHECK(windows("SELECT a FROM t LIMIT 3").empty());
  CHECK(windows("SELECT * FROM (SELECT a FROM t GROUP BY a LIMIT 3) q").empty());
  CHECK(windows("SELECT * FROM (SELECT a FROM elsewhere LIMIT 3) q").empty());
  CHECK(windows("SELECT ROW_NUMBER() OVER (ORDER BY a) FROM (SELECT a FROM t LIMIT 3) q").empty());
}
