// A wrong row beside a difference of order, in one answer or below it: neither hides the other.
#include "rules.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Rows = std::vector<std::vector<std::string>>;

mysql::Column computed(const std::string& name, mysql::ColumnType type = mysql::ColumnType::var_string) {
  mysql::Column result = column("", name, type);
  result.org_name = result.org_table = "";
  return result;
}
mysql::Column number(const std::string& name) { return column("t", name, mysql::ColumnType::long_); }

sql::Catalogue catalogue() {
  sql::Catalogue result;
  result.tables[{"shop", "t"}] = {{{"id", false}, {"p", true}}, {{"PRIMARY", {"id"}}}};
  result.tables[{"shop", "o"}] = {{{"id", false}, {"t", true}}, {{"PRIMARY", {"id"}}}};
  return result;
}

std::string judge(const std::string& sql, const Side& source, const Side& target) { return judge_by_rules(Bench(Bench::with_reference(), catalogue()), sql, source, target); }

}  // namespace

TEST_CASE("of a group's values only those that differ are in question: another column's wrong row says nothing about a list") {
  std::string sql = "SELECT p, GROUP_CONCAT(DISTINCT city ORDER BY city) AS l, COUNT(DISTINCT name) AS n FROM t GROUP BY p";
  std::vector<mysql::Column> columns{number("p"), computed("l"), computed("n", mysql::ColumnType::longlong)};
  auto own = [&](const char* list) { return rows_answer(columns, {{"1", list, "2"}}); };
  auto all = [](const char* name) { return rows_answer({number("city"), number("name"), number("p")}, {{"Oslo", "ann", "1"}, {"oslo", name, "1"}}); };
  auto listed = [](const char* city) { return rows_answer({number("p"), number("city")}, {{"1", "Oslo"}, {"1", city}}); };
  CHECK(judge(sql, {own("Oslo"), {{"SELECT p, city FROM", listed("oslo")}, {"city, name", all("bob")}}}, {own("oslo"), {{"SELECT p, city FROM", listed("oslo")}, {"city, name", all("Bob")}}}) ==
        "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {own("Oslo"), {{"SELECT p, city FROM", listed("oslo")}, {"city, name", all("bob")}}}, {own("oslo"), {{"SELECT p, city FROM", listed("OSLO")}, {"city, name", all("Bob")}}}) ==
        "row_values/defect/confirmed");
}

TEST_CASE("the first few of a list hang on its ties: the rows below decide") {
  std::string sql = "SELECT p, SUBSTRING_INDEX(GROUP_CONCAT(id ORDER BY prio), ',', 2) AS top FROM t GROUP BY p";
  std::vector<mysql::Column> columns{number("p"), computed("top")};
  auto own = [&](const char* list) { return rows_answer(columns, {{"1", list}}); };
  auto below = [](const char* last) { return rows_answer({number("id"), number("p"), number("prio")}, {{"4", "1", "1"}, {"5", "1", "1"}, {last, "1", "1"}}); };
  CHECK(judge(sql, {own("4,5"), {{"SELECT", below("6")}}}, {own("5,6"), {{"SELECT", below("6")}}}) == "row_values/order_undefined/confirmed");
  // Other rows below: with the ties broken the servers differ both times.
  Side source{own("4,5"), {{"`t`.`id` DESC", own("6,5")}, {"`t`.`id`", own("4,5")}, {"SELECT", below("6")}}};
  Side target{own("5,7"), {{"`t`.`id` DESC", own("7,5")}, {"`t`.`id`", own("4,7")}, {"SELECT", below("7")}}};
  CHECK(judge(sql, source, target) == "row_values/defect/confirmed");
}

TEST_CASE("a row that differs with its ties broken, but not in the answer, is no proof that the answer is wrong") {
  std::string sql = "SELECT t.id, (SELECT o.v FROM o WHERE o.t = t.id LIMIT 1) AS v FROM t WHERE t.id < 9 ORDER BY t.id";
  std::vector<mysql::Column> columns{number("id"), computed("v")};
  auto own = [&](const char* first, const char* second) { return rows_answer(columns, {{"1", first}, {"2", second}}); };
  auto below = [](const char* row) { return rows_answer({number("x")}, {{"1"}, {row}}); };
  auto side = [&](mysql::Answer answer, mysql::Answer broken, const char* row) { return Side{answer, {{"ORDER BY `o`.`id`", broken}, {"SELECT", below(row)}}}; };
  // Row 1 differs in the answers; with the ties broken only row 2 does.
  CHECK(judge(sql, side(own("a", "c"), own("a", "c"), "2"), side(own("b", "c"), own("a", "d"), "3")) == "row_values/unexamined/assumed");
  CHECK(judge(sql, side(own("a", "c"), own("a", "c"), "2"), side(own("b", "c"), own("b", "c"), "3")) == "row_values/defect/confirmed");
}

TEST_CASE("a row that the reference itself gives with its ties broken is one that its data allow, whatever is wrong elsewhere") {
  std::string sql = "SELECT t.id, (SELECT o.v FROM o WHERE o.t = t.id LIMIT 1) AS v FROM t WHERE t.id < 9 ORDER BY t.id";
  std::vector<mysql::Column> columns{number("id"), computed("v")};
  auto own = [&](const char* first, const char* second) { return rows_answer(columns, {{"1", first}, {"2", second}}); };
  auto below = [](const char* row) { return rows_answer({number("x")}, {{"1"}, {row}}); };
  auto judged = [&](const char* from_target, const char* target_down) {
    Side source{own("a", "c"), {{"`o`.`id` DESC", own("b", "c")}, {"`o`.`id`", own("a", "c")}, {"SELECT", below("2")}}};
    Side target{own(from_target, "c"), {{"`o`.`id` DESC", own(target_down, "d")}, {"`o`.`id`", own("a", "d")}, {"SELECT", below("3")}}};
    return judge(sql, source, target);
  };
  CHECK(judged("b", "b") == "row_values/order_undefined/confirmed");
  CHECK(judged("B", "B") == "row_values/unexamined/assumed");  // the reference never gives it
}

TEST_CASE("a text is read under the sql_mode that its session had set: quotes that name columns order by them") {
  std::string sql = "SELECT \"t\".\"id\" FROM t ORDER BY \"p\"";
  auto own = [](Rows rows) { return rows_answer({number("id")}, rows); };
  auto judged = [&](Rows target, bool ansi) {
    Bench bench;
    auto keys = rows_answer({number("id"), number("__dt_k1")}, {{"1", "5"}, {"2", "5"}, {"3", "6"}});
    bench.reference = [=](const std::string& asked, CaptureTime) { return holds(asked, "__dt_k1") ? keys : own({{"1"}, {"2"}, {"3"}}); };
    bench.target = [=](const std::string&, CaptureTime) { return own(target); };
    bench.dialect.mode.ansi_quotes = ansi;
    bench.read(1, sql, own({{"1"}, {"2"}, {"3"}}), own(target), at(1s));
    bench.run_out();
    return bench.outcome();
  };
  CHECK(judged({{"2"}, {"1"}, {"3"}}, true) == "row_order/order_undefined/confirmed");
  CHECK(judged({{"1"}, {"3"}, {"2"}}, true) == "row_order/order_violated/confirmed");
}

TEST_CASE("the same rows below excuse no order where the servers differ with its ties broken: one compares texts otherwise") {
  std::string sql = "SELECT * FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY name ORDER BY p) AS rn FROM t) x WHERE rn = 1";
  std::vector<mysql::Column> columns{number("id"), computed("rn", mysql::ColumnType::longlong)};
  auto own = [&](Rows rows) { return rows_answer(columns, rows); };
  auto table = rows_answer({number("id")}, {{"1"}, {"2"}});
  auto side = [&](Rows answer, Rows broken) { return Side{own(answer), {{"`t`.`id`", own(broken)}, {"SELECT", table}}}; };
  // 'Ann' and 'ann' are one to the source and two to the target.
  CHECK(judge(sql, side({{"1", "1"}}, {{"1", "1"}}), side({{"1", "1"}, {"2", "1"}}, {{"1", "1"}, {"2", "1"}})) == "extra_rows/defect/confirmed");
  CHECK(judge(sql, side({{"1", "1"}}, {{"1", "1"}}), side({{"2", "1"}}, {{"1", "1"}})) == "row_values/order_undefined/confirmed");
}

TEST_CASE("the very same rows in an order that their own keys forbid are no ties, whatever the keys might have been") {
  std::vector<mysql::Column> columns{number("id"), computed("subject")};
  Rows sorted{{"1", "alpha"}, {"2", "beta"}, {"3", "gamma"}}, turned{{"2", "beta"}, {"1", "alpha"}, {"3", "gamma"}};
  for (const std::string sql : {"(SELECT id, subject FROM t ORDER BY p LIMIT 2) UNION ALL (SELECT id, subject FROM t ORDER BY q LIMIT 1) ORDER BY subject",
                                "SELECT p AS id, subject FROM t GROUP BY p ORDER BY subject"})
    CHECK(judge(sql, {rows_answer(columns, sorted), {}}, {rows_answer(columns, turned), {}}) == "row_order/order_violated/confirmed");
}
