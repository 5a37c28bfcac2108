// Texts of several statements, and what a statement leaves open in words that are rarely used.
#include "rules.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Rows = std::vector<std::vector<std::string>>;

mysql::Column number(const std::string& name) { return column("t", name, mysql::ColumnType::long_); }
mysql::Column text(const std::string& name) { return column("t", name, mysql::ColumnType::var_string); }

mysql::Answer several(std::vector<mysql::Answer> answers) {
  mysql::Answer all = answers.front();
  for (std::size_t i = 1; i < answers.size(); ++i) all.results.push_back(std::move(answers[i].results.front()));
  return all;
}

std::string judge(const std::string& sql, const Side& source, const Side& target) { return judge_by_rules(Bench(Bench::with_reference()), sql, source, target); }

}  // namespace

TEST_CASE("each of several statements in a text is judged by what it says itself") {
  std::string sql = "SELECT id FROM t; SELECT name FROM t ORDER BY id LIMIT 2";
  auto list = [](Rows rows) { return rows_answer({number("id")}, rows); };
  auto names = [](Rows rows) { return rows_answer({text("name")}, rows); };
  mysql::Answer own = several({list({{"1"}, {"2"}}), names({{"a"}, {"b"}})});
  CHECK(judge(sql, {own, {}}, {several({list({{"2"}, {"1"}}), names({{"a"}, {"b"}})}), {}}) == "row_order/order_undefined/proved");
  // A wrong value behind a list in another order is not hidden by it.
  CHECK(judge(sql, {own, {}}, {several({list({{"2"}, {"1"}}), names({{"a"}, {"B"}})}), {}}) != "row_order/order_undefined/proved");
  CHECK(judge(sql, {own, {}}, {several({list({{"2"}, {"3"}}), names({{"a"}, {"b"}})}), {}}) == "row_values/defect/confirmed");
}

TEST_CASE("of several statements that are open each has to be excused") {
  std::string sql = "SELECT id FROM t LIMIT 1; SELECT name FROM t LIMIT 1";
  auto one = [](const char* id, const char* name) { return several({rows_answer({number("id")}, {{id}}), rows_answer({text("name")}, {{name}})}); };
  auto side = [&](mysql::Answer own, const char* last) {
    return Side{std::move(own), {{"SELECT id", rows_answer({number("id")}, {{"1"}, {"2"}})}, {"SELECT name", rows_answer({text("name")}, {{"a"}, {last}})}}};
  };
  CHECK(judge(sql, side(one("1", "a"), "b"), side(one("2", "b"), "b")) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, side(one("1", "a"), "b"), side(one("2", "B"), "B")) == "row_values/defect/confirmed");
}

TEST_CASE("a window that is named in a WINDOW clause leaves open what it would leave open in its place") {
  std::string sql = "SELECT id, SUM(v) OVER w AS s FROM t WINDOW w AS (ORDER BY p ROWS UNBOUNDED PRECEDING) ORDER BY id";
  auto own = [](const char* first, const char* second) { return rows_answer({number("id"), number("s")}, {{"1", first}, {"2", second}}); };
  auto below = [](const char* v) { return rows_answer({number("id"), number("p"), number("v")}, {{"1", "7", "10"}, {"2", "7", v}}); };
  CHECK(judge(sql, {own("10", "30"), {{"SELECT", below("20")}}}, {own("30", "20"), {{"SELECT", below("20")}}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {own("10", "30"), {{"SELECT", below("20")}}}, {own("31", "21"), {{"SELECT", below("21")}}}) != "row_values/order_undefined/confirmed");
}

TEST_CASE("FETCH FIRST cuts as LIMIT does, and WITH TIES cuts no tie") {
  auto rows = [](Rows list) { return rows_answer({number("id"), number("p")}, list); };
  std::string only = "SELECT id, p FROM t ORDER BY p FETCH FIRST 2 ROWS ONLY";
  auto tie = rows({{"2", "6"}, {"3", "6"}});
  CHECK(judge(only, {rows({{"1", "5"}, {"2", "6"}}), {{"<=>", tie}}}, {rows({{"1", "5"}, {"3", "6"}}), {{"<=>", tie}}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(only, {rows({{"1", "5"}, {"2", "6"}}), {{"<=>", tie}}}, {rows({{"1", "5"}, {"4", "6"}}), {{"<=>", rows({{"3", "6"}, {"4", "6"}})}}}) == "row_values/defect/confirmed");
  std::string with_ties = "SELECT id, p FROM t ORDER BY p FETCH FIRST 2 ROWS WITH TIES";
  CHECK(judge(with_ties, {rows({{"1", "5"}, {"2", "6"}, {"3", "6"}}), {}}, {rows({{"1", "5"}, {"3", "6"}, {"2", "6"}}), {}}) == "row_order/order_undefined/proved");
  CHECK(judge(with_ties, {rows({{"1", "5"}, {"2", "6"}, {"3", "6"}}), {}}, {rows({{"1", "5"}, {"2", "6"}, {"4", "6"}}), {}}) == "row_values/defect/confirmed");
}

TEST_CASE("what a statement leaves open in words that are not understood is no defect, and no excuse") {
  auto rows = [](Rows list) { return rows_answer({number("id")}, list); };
  std::string sql = "SELECT id FROM t ORDER BY p LIMIT 2 ROWS EXAMINED 1000";
  CHECK(judge(sql, {rows({{"1"}, {"2"}}), {}}, {rows({{"1"}, {"3"}}), {}}) == "row_values/unexamined/assumed");
  CHECK(judge(sql, {rows({{"1"}, {"2"}}), {}}, {rows({{"2"}, {"1"}}), {}}) == "row_order/unexamined/assumed");
  CHECK(judge(sql, {rows({{"1"}, {"2"}}), {}}, {rows({{"1"}}), {}}) == "missing_rows/defect/confirmed");
}

TEST_CASE("a query in parentheses is one below the tail behind it") {
  auto rows = [](Rows list) { return rows_answer({number("id")}, list); };
  std::string sql = "(SELECT id FROM t ORDER BY p LIMIT 5) LIMIT 2";
  auto table = [](const char* last) { return rows_answer({number("id"), number("p")}, {{"1", "7"}, {"2", "7"}, {last, "7"}}); };
  CHECK(judge(sql, {rows({{"1"}, {"2"}}), {{"SELECT * FROM `t`", table("3")}}}, {rows({{"1"}, {"3"}}), {{"SELECT * FROM `t`", table("3")}}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {rows({{"1"}, {"2"}}), {{"SELECT * FROM `t`", table("3")}}}, {rows({{"1"}, {"4"}}), {{"SELECT * FROM `t`", table("4")}}}) != "row_values/order_undefined/confirmed");
}

TEST_CASE("0 and -0 tie where they are keys that are not in the output") {
  std::string sql = "SELECT id FROM t ORDER BY ratio";
  auto ids = [](Rows list) { return rows_answer({number("id")}, list); };
  auto keys = rows_answer({number("id"), column("t", "__dt_k1", mysql::ColumnType::double_)}, {{"1", "-0"}, {"2", "0"}, {"3", "0.5"}});
  CHECK(judge(sql, {ids({{"1"}, {"2"}, {"3"}}), {{"__dt_k1", keys}}}, {ids({{"2"}, {"1"}, {"3"}}), {{"__dt_k1", keys}}}) == "row_order/order_undefined/confirmed");
  CHECK(judge(sql, {ids({{"1"}, {"2"}, {"3"}}), {{"__dt_k1", keys}}}, {ids({{"1"}, {"3"}, {"2"}}), {{"__dt_k1", keys}}}) == "row_order/order_violated/confirmed");
}

TEST_CASE("texts that begin alike for longer than servers sort by are ties where the reference says so") {
  std::string beginning(1200, 'x');
  std::string sql = "SELECT id FROM t ORDER BY body";
  auto ids = [](Rows list) { return rows_answer({number("id")}, list); };
  auto keys = rows_answer({number("id"), text("__dt_k1")}, {{"1", beginning + "a"}, {"2", beginning + "b"}, {"3", "y"}});
  auto judged = [&](Rows rows, const char* sorted_by_less) {
    auto says = rows_answer({number("equal")}, {{sorted_by_less}});
    return judge(sql, {ids({{"1"}, {"2"}, {"3"}}), {{"__dt_k1", keys}, {"@@max_sort_length <= 1200", says}}}, {ids(rows), {}});
  };
  CHECK(judged({{"2"}, {"1"}, {"3"}}, "1") == "row_order/order_undefined/confirmed");
  CHECK(judged({{"2"}, {"1"}, {"3"}}, "0") == "row_order/order_violated/confirmed");
  CHECK(judged({{"1"}, {"3"}, {"2"}}, "1") == "row_order/order_violated/confirmed");
}

TEST_CASE("which spelling EXCEPT ALL leaves, and MAX over a window, is one of those that are equal") {
  auto rows = [](const char* last) { return rows_answer({text("v")}, {{"b"}, {last}}); };
  std::string sql = "SELECT v FROM t EXCEPT ALL SELECT w FROM o";
  Rules all{{"UNION ALL", rows_answer({text("v")}, {{"b"}, {"Zoe"}, {"zoe"}})}, {"SELECT v FROM t EXCEPT ALL", rows("zoe")}};
  CHECK(judge(sql, {rows("zoe"), all}, {rows("Zoe"), all}) == "row_values/order_undefined/confirmed");
  std::string windowed = "SELECT id, MAX(v) OVER (PARTITION BY p) AS m FROM t ORDER BY id";
  auto own = [](const char* most) { return rows_answer({number("id"), text("m")}, {{"1", most}, {"2", most}}); };
  auto below = [](const char* last) { return rows_answer({number("id"), number("p"), text("v")}, {{"1", "7", "zoe"}, {"2", "7", last}}); };
  CHECK(judge(windowed, {own("zoe"), {{"SELECT", below("Zoe")}}}, {own("Zoe"), {{"SELECT", below("Zoe")}}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(windowed, {own("zoe"), {{"SELECT", below("zoe")}}}, {own("Zoe"), {{"SELECT", below("Zoe")}}}) != "row_values/order_undefined/confirmed");
}

TEST_CASE("how many warnings a read brings is up to its plan, but not whether it brings any") {
  auto warned = [](std::uint16_t warnings) {
    mysql::Answer answer = rows_answer({number("id")}, {{"1"}});
    std::get<mysql::ResultSet>(answer.results.front()).warnings = warnings;
    return answer;
  };
  CHECK(judge("SELECT id FROM t ORDER BY p LIMIT 1", {warned(2), {}}, {warned(0), {}}) == "warnings/unexamined/assumed");
  CHECK(judge("SELECT id FROM t ORDER BY p", {warned(2), {}}, {warned(0), {}}) == "warnings/defect/proved");
  CHECK(judge("SELECT id FROM t ORDER BY p", {warned(2), {}}, {warned(5), {}}) == "warnings/unexamined/assumed");
}

TEST_CASE("which spelling a UNION in a view gives is found among the rows that it made one") {
  sql::Catalogue catalogue;
  catalogue.views[{"shop", "names"}].definition = "select `shop`.`a`.`v` AS `v` from `shop`.`a` union select `shop`.`b`.`w` AS `w` from `shop`.`b`";
  std::string sql = "SELECT x.v FROM names x";
  Rows one{{"Muller"}, {"stra\u00dfe"}, {"mueller"}, {"\u00d8re jr"}}, other{{"ore jr"}, {"mueller "}, {"strasse"}, {"M\u00fcller"}};
  auto judged = [&](const char* last) {
    Bench bench(Bench::with_reference(), catalogue);
    Rows all = one;
    all.insert(all.end(), other.begin(), other.end());
    auto server = [=](Rows rows, Rows below, std::string spelled) {
      below.back()[0] = spelled;
      return [=](const std::string& asked, CaptureTime) { return rows_answer({text("v")}, asked == sql ? rows : holds(asked, " ALL ") ? below : Rows{{asked}}); };
    };
    bench.reference = server(one, all, "M\u00fcller");
    bench.target = server(other, all, last);
    bench.read(1, sql, rows_answer({text("v")}, one), rows_answer({text("v")}, other), at(1s));
    bench.run_out();
    return bench.outcome();
  };
  CHECK(judged("M\u00fcller") == "row_values/order_undefined/confirmed");
}

TEST_CASE("DISTINCT in the order of another column: some row of each has to give it its place") {
  std::string sql = "SELECT DISTINCT v FROM t ORDER BY p";
  auto rows = [](Rows list) { return rows_answer({text("v")}, list); };
  auto keyed = [](const char* last) { return rows_answer({text("v"), number("p")}, {{"a", "1"}, {"b", "2"}, {"c", "2"}, {"a", "3"}, {"d", last}}); };
  auto judged = [&](Rows target) {
    return judge(sql, {rows({{"a"}, {"b"}, {"c"}, {"d"}}), {{"SELECT v, p FROM t ORDER BY p", keyed("4")}, {"SELECT", keyed("4")}}}, {rows(target), {{"SELECT", keyed("5")}}});
  };
  CHECK(judged({{"c"}, {"b"}, {"a"}, {"d"}}) == "row_order/order_undefined/confirmed");
  CHECK(judged({{"a"}, {"d"}, {"b"}, {"c"}}) != "row_order/order_undefined/confirmed");
}

TEST_CASE("rows that look alike may stand in any tie that a LIMIT cuts, however its keys are spelled") {
  std::string sql = "SELECT v FROM t ORDER BY k LIMIT 1, 4";
  auto rows = [](Rows list) { return rows_answer({number("v")}, list); };
  auto window = rows_answer({number("v"), text("__dt_k1")}, {{"1", "plain"}, {"2", "PLAIN"}, {"3", "zoe"}, {"4", "Zoe"}});
  auto other = rows_answer({number("v"), text("__dt_k1")}, {{"5", "PLAIN"}, {"5", "plain"}, {"3", "zoe"}, {"5", "Zoe"}});
  auto tail = rows({{"3"}, {"4"}, {"5"}}), head = rows({{"1"}, {"2"}, {"5"}, {"5"}});
  auto says = rows_answer({number("equal"), number("too")}, {{"1", "1"}});
  auto side = [&](mysql::Answer own, mysql::Answer keyed, const mysql::Answer& first) {
    return Side{std::move(own), {{"= 'PLAIN'", says}, {"__dt_k1", std::move(keyed)}, {"'Zoe'", tail}, {"'plain'", first}, {"'PLAIN'", first}}};
  };
  CHECK(judge(sql, side(rows({{"1"}, {"2"}, {"3"}, {"4"}}), window, head), side(rows({{"5"}, {"5"}, {"3"}, {"5"}}), other, head)) == "row_values/order_undefined/confirmed");
  auto fewer = rows({{"1"}, {"2"}, {"5"}});
  CHECK(judge(sql, side(rows({{"1"}, {"2"}, {"3"}, {"4"}}), window, fewer), side(rows({{"5"}, {"5"}, {"3"}, {"5"}}), other, head)) != "row_values/order_undefined/confirmed");
}
