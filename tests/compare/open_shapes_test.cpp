// Statements whose answers leave more open than their ORDER BY says: rows that look alike, values computed over rows, positions
// behind a star, unions of several kinds; and servers that are said to be alike.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

mysql::Column text(const std::string& name) { return column("people", name, mysql::ColumnType::var_string); }
mysql::Column number(const std::string& name) { return column("people", name, mysql::ColumnType::long_); }
mysql::Column computed(const std::string& name, mysql::ColumnType type = mysql::ColumnType::longlong) {
  mysql::Column result = column("", name, type);
  result.org_name = result.org_table = "";
  return result;
}
bool holds(const std::string& asked, const std::string& part) { return asked.find(part) != std::string::npos; }

// Both servers answer what is asked about with the same; the statement itself each in its own way.
using Rule = std::pair<std::string, mysql::Answer>;
std::string judge(const std::string& sql, const mysql::Answer& source, const mysql::Answer& target, const std::vector<Rule>& rules, Bench&& bench = Bench()) {
  auto server = [=](mysql::Answer own) {
    return [=](const std::string& asked, CaptureTime) {
      if (asked == sql) return own;
      for (const auto& [part, answer] : rules)
        if (holds(asked, part)) return answer;
      return error_answer(1064, "not expected: " + asked);
    };
  };
  bench.reference = server(source);
  bench.target = server(target);
  bench.read(1, sql, source, target, at(1s));
  bench.run_out();
  return bench.outcome();
}

}  // namespace

TEST_CASE("a union that makes rows one leaves their spelling open, whatever unions stand before it") {
  std::string sql = "SELECT name FROM people WHERE id = 1 UNION ALL SELECT name FROM people WHERE id = 2 UNION SELECT name FROM people";
  auto source = rows_answer({text("name")}, {{"Bob"}, {"ann"}}), target = rows_answer({text("name")}, {{"bob"}, {"ann"}});
  auto all = rows_answer({text("name")}, {{"Bob"}, {"bob"}, {"ann"}}), without = rows_answer({text("name")}, {{"Bob"}, {"ann"}});
  CHECK(judge(sql, source, target, {{"UNION ALL SELECT name FROM people\n LIMIT", all}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, source, target, {{"UNION ALL SELECT name FROM people\n LIMIT", without}}) == "row_values/unexamined/assumed");
  std::string only_all = "SELECT name FROM people WHERE id = 1 UNION ALL SELECT name FROM people";
  CHECK(judge(only_all, source, target, {}) == "row_values/defect/confirmed");
}

TEST_CASE("which spelling an EXCEPT shows is open where its parts hold both") {
  std::string sql = "SELECT city FROM people EXCEPT SELECT city FROM old";
  auto source = rows_answer({text("city")}, {{"Bern"}}), target = rows_answer({text("city")}, {{"bern"}});
  auto all = rows_answer({text("city")}, {{"Bern"}, {"bern"}, {"Rome"}});
  CHECK(judge(sql, source, target, {{"UNION ALL SELECT city FROM old", all}}) == "row_values/order_undefined/confirmed");
}

TEST_CASE("a position behind a star is the column that came out there") {
  std::string sql = "SELECT score, people.* FROM people ORDER BY 3";
  std::vector<mysql::Column> columns{number("score"), number("id"), number("age")};
  auto source = rows_answer(columns, {{"1", "1", "20"}, {"2", "2", "20"}, {"3", "3", "30"}});
  auto tied = rows_answer(columns, {{"2", "2", "20"}, {"1", "1", "20"}, {"3", "3", "30"}}), wrong = rows_answer(columns, {{"1", "1", "20"}, {"3", "3", "30"}, {"2", "2", "20"}});
  CHECK(judge(sql, source, tied, {}) == "row_order/order_undefined/proved");
  CHECK(judge(sql, source, wrong, {}) == "row_order/order_violated/confirmed");
}

TEST_CASE("rows that look alike may stand at either of the ties that a window cuts") {
  std::string sql = "SELECT sign FROM people ORDER BY age LIMIT 3 OFFSET 1";
  std::vector<mysql::Column> with_key{text("sign"), number("__dt_k1")};
  // The ties: 20 {x, x, y}, 30 {x, y}. The window holds two of the first and one of the second.
  auto source = rows_answer({text("sign")}, {{"y"}, {"x"}, {"x"}}), target = rows_answer({text("sign")}, {{"x"}, {"x"}, {"y"}});
  auto keys = rows_answer(with_key, {{"y", "20"}, {"x", "20"}, {"x", "30"}});
  std::vector<Rule> rules{{"__dt_k1", keys}, {"<=> 30", rows_answer({text("sign")}, {{"x"}, {"y"}})}, {"<=> 20", rows_answer({text("sign")}, {{"x"}, {"x"}, {"y"}})}};
  CHECK(judge(sql, source, target, rules) == "row_order/order_undefined/confirmed");
  auto wrong = rows_answer({text("sign")}, {{"x"}, {"y"}, {"y"}});
  CHECK(judge(sql, source, wrong, rules) == "row_values/order_undefined/confirmed");
  auto none = rows_answer({text("sign")}, {{"y"}, {"y"}, {"x"}});
  CHECK_FALSE(judge(sql, source, none, rules) == "row_values/order_undefined/confirmed");
}

TEST_CASE("a value computed over rows does not hide that a window was cut inside a tie") {
  std::string sql = "SELECT id, (SELECT o.id FROM orders o WHERE o.person = people.id ORDER BY o.day LIMIT 1) AS last FROM people ORDER BY name LIMIT 2";
  std::vector<mysql::Column> columns{number("id"), computed("last")}, with_key{number("id"), computed("last"), text("__dt_k1")};
  auto source = rows_answer(columns, {{"1", "10"}, {"2", "20"}}), target = rows_answer(columns, {{"1", "11"}, {"3", "30"}});
  for (bool same_rows : {true, false}) {
    Bench bench;
    auto server = [=](mysql::Answer own, mysql::Answer keys, mysql::Answer tie, mysql::Answer table) {
      return [=](const std::string& asked, CaptureTime) {
        if (asked == sql) return own;
        if (holds(asked, "__dt_k1")) return keys;
        if (holds(asked, "<=> 'Ann'")) return tie;
        return table;
      };
    };
    auto tie = [&](const char* first) { return rows_answer(columns, {{"1", first}, {"2", "20"}, {"3", "30"}}); };
    auto table = rows_answer({number("id")}, {{"1"}, {"2"}, {"3"}}), other = rows_answer({number("id")}, {{"1"}, {"2"}, {"4"}});
    bench.reference = server(source, rows_answer(with_key, {{"1", "10", "Ann"}, {"2", "20", "Ann"}}), tie("10"), table);
    bench.target = server(target, rows_answer(with_key, {{"1", "11", "Ann"}, {"3", "30", "Ann"}}), tie("11"), same_rows ? table : other);
    bench.read(1, sql, source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (same_rows ? "row_values/order_undefined/confirmed" : "row_values/unexamined/assumed"));
  }
}

TEST_CASE("BIT sent as a number is one under a rule, another number is not") {
  mysql::Column bits = column("people", "flags", mysql::ColumnType::bit), as_number = column("people", "flags", mysql::ColumnType::longlong);
  auto judged = [&](const std::string& printed, std::vector<std::string> accepted = {}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.accepted_rules = std::move(accepted);
    return judge("SELECT DISTINCT flags FROM people WHERE id = 1", rows_answer({bits}, {{std::string("\x01\x02", 2)}}), rows_answer({as_number}, {{printed}}), {}, Bench(options));
  };
  CHECK(judged("258") == "row_values/normalization/proved column_metadata/normalization/proved");
  CHECK(judged("258", {"bit_as_number"}) == "match");
  CHECK(judged("259") == "row_values/defect/confirmed column_metadata/normalization/proved");
}

TEST_CASE("a header that a server makes of an expression is no name, an alias is") {
  auto judged = [](const std::string& sql, const std::string& there, std::vector<std::string> accepted = {}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.accepted_rules = std::move(accepted);
    std::string here = holds(sql, " AS ") ? "N" : "COUNT( * )";
    return judge(sql, rows_answer({computed(here)}, {{"7"}}), rows_answer({computed(there)}, {{"7"}}), {}, Bench(options));
  };
  CHECK(judged("SELECT COUNT( * ) FROM people", "count(*)") == "column_metadata/normalization/proved");
  CHECK(judged("SELECT COUNT( * ) FROM people", "count(*)", {"expression_header"}) == "match");
  CHECK(judged("SELECT COUNT( * ) FROM people", "count(id)") == "column_metadata/defect/proved");
  CHECK(judged("SELECT COUNT(*) AS N FROM people", "n") == "column_metadata/defect/proved");
}

TEST_CASE("between servers that are alike an order that nothing promised is noise, and nothing else is") {
  compare::ComparerOptions options = Bench::with_reference();
  options.sides = compare::ComparerOptions::Sides::alike;
  auto source = rows_answer({number("id")}, {{"1"}, {"2"}}), shuffled = rows_answer({number("id")}, {{"2"}, {"1"}}), other = rows_answer({number("id")}, {{"1"}, {"3"}});
  Bench bench(options);
  bench.reference = [=](const std::string&, CaptureTime) { return source; };
  bench.target = [=](const std::string&, CaptureTime) { return other; };
  bench.read(1, "SELECT id FROM people", source, shuffled, at(1s));
  CHECK(bench.outcome() == "row_order/nondeterministic/proved");
  CHECK(holds(bench.evidence(), R"({"noise":"order_undefined","reason":")"));
  CHECK(holds(bench.evidence(), R"("rule":"no_order_by")"));
  bench.read(1, "SELECT id FROM people", source, other, at(2s));
  bench.run_out();
  CHECK(bench.outcome(1) == "row_values/defect/confirmed");
}

TEST_CASE("between servers that are alike an answer that wavers is noise, between others it is unexamined") {
  std::string sql = "SELECT id, ROW_NUMBER() OVER (ORDER BY city) AS n FROM people";
  std::vector<mysql::Column> columns{number("id"), computed("n")};
  auto source = rows_answer(columns, {{"1", "1"}, {"2", "2"}}), target = rows_answer(columns, {{"1", "2"}, {"2", "1"}});
  for (bool alike : {false, true}) {
    compare::ComparerOptions options = Bench::with_reference();
    if (alike) options.sides = compare::ComparerOptions::Sides::alike;
    Bench bench(options);
    bench.reference = [=](const std::string& asked, CaptureTime) { return asked == sql ? source : error_answer(1064, ""); };
    bench.target = bench.reference;
    bench.read(1, sql, source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (alike ? "row_values/nondeterministic/confirmed" : "row_values/unexamined/assumed"));
  }
}

TEST_CASE("a reference that lags like the target is not believed about an order right after a write") {
  std::string sql = "SELECT id, name FROM people LIMIT 2";
  std::vector<mysql::Column> columns{number("id"), text("name")};
  auto source = rows_answer(columns, {{"1", "new"}, {"2", "b"}}), old = rows_answer(columns, {{"1", "old"}, {"3", "c"}});
  auto list = [&](const char* name) { return rows_answer(columns, {{"1", name}, {"2", "b"}, {"3", "c"}}); };
  Bench bench;
  auto server = [=](CaptureTime caught_up, mysql::Answer own) {
    return [=](const std::string& asked, CaptureTime now) {
      bool fresh = now >= caught_up;
      // Asked for the whole list, the target shows the new row by then already, and the reference both.
      if (asked != sql) return fresh ? list("new") : rows_answer(columns, {{"1", "old"}, {"1", "new"}, {"2", "b"}, {"3", "c"}});
      return fresh ? source : own;
    };
  };
  bench.reference = server(at(1100ms), source);
  bench.target = server(at(1100ms), old);
  bench.seen(2, "UPDATE people SET name = 'new' WHERE id = 1", ok_answer(1), at(990ms));
  bench.read(1, sql, source, old, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
}

TEST_CASE("an error of one class in the middle of an answer: which rows came before it is order") {
  auto cut = [](const std::vector<std::vector<std::string>>& rows, std::uint16_t code, std::uint16_t status = 0) {
    mysql::Answer answer = rows_answer({number("id")}, rows);
    std::get<mysql::ResultSet>(answer.results[0]).status = status;
    answer.results.push_back(mysql::ServerError{code, "22003", "BIGINT value is out of range"});
    return answer;
  };
  std::string sql = "SELECT id FROM people WHERE -score > 1";
  CHECK(judge(sql, cut({{"1"}, {"2"}}, 1690), cut({{"3"}}, 1690), {}) == "match");
  CHECK(judge(sql, cut({{"1"}}, 1690), error_answer(1690, "BIGINT"), {}) == "match");
  CHECK(judge(sql, cut({{"1"}}, 1690), cut({{"1"}}, 1105), {}) == "error_differs/defect/confirmed");
  CHECK(judge(sql, cut({{"1"}}, 1690), rows_answer({number("id")}, {{"1"}}), {}) == "error_only_source/defect/confirmed");
  // Another statement's rows, whole, before the statement that failed.
  std::string two = "SELECT id FROM people; SELECT nothing";
  CHECK(judge(two, cut({{"1"}}, 1690, mysql::status_flag::more_results), cut({{"2"}}, 1690, mysql::status_flag::more_results), {}).starts_with("row_values/") == true);
}

TEST_CASE("a LIMIT that a view hides leaves open what a LIMIT below leaves open") {
  sql::Catalogue catalogue;
  catalogue.views[{"shop", "top"}].definition = "select `shop`.`people`.`id` AS `id` from `shop`.`people` order by `shop`.`people`.`score` limit 2";
  std::string sql = "SELECT MAX(id) AS m FROM top";
  auto source = rows_answer({computed("m")}, {{"2"}}), target = rows_answer({computed("m")}, {{"3"}});
  for (bool same : {true, false}) {
    Bench bench(Bench::with_reference(), catalogue);
    auto server = [=](mysql::Answer own, mysql::Answer table) { return [=](const std::string& asked, CaptureTime) { return asked == sql ? own : table; }; };
    bench.reference = server(source, rows_answer({number("id")}, {{"1"}, {"2"}, {"3"}}));
    bench.target = server(target, rows_answer({number("id")}, {{"3"}, {same ? "2" : "4"}, {"1"}}));
    bench.read(1, sql, source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (same ? "row_values/order_undefined/confirmed" : "row_values/unexamined/assumed"));
  }
}

TEST_CASE("a LIMIT below over tables that differ: the reference has to come to the target's answer over the target's rows") {
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "people"}] = {{{"id", false}, {"a", true}}, {{"PRIMARY", {"id"}}}};
  std::string sql = "SELECT SUM(a) AS s FROM (SELECT a FROM people LIMIT 2) q";
  auto source = rows_answer({computed("s")}, {{"3"}}), target = rows_answer({computed("s")}, {{"7"}});
  std::vector<mysql::Column> keyed{number("a"), number("id")};
  for (const std::string over_there : {"7", "8"}) {
    Bench bench(Bench::with_reference(), catalogue);
    auto server = [=](mysql::Answer own, mysql::Answer window, std::string chosen, std::string last) {
      return [=](const std::string& asked, CaptureTime) {
        if (asked == sql) return own;
        if (holds(asked, "IN (13, 14)")) return rows_answer({computed("s")}, {{chosen}});
        if (holds(asked, "LIMIT 10000") && holds(asked, "__dt_p1")) return rows_answer(keyed, {{"1", "11"}, {"2", "12"}, {"3", "13"}, {"4", "14"}, {last, "15"}});
        if (holds(asked, "__dt_p1")) return window;
        return rows_answer({number("a")}, {{last}});
      };
    };
    bench.reference = server(source, rows_answer(keyed, {{"1", "11"}, {"2", "12"}}), over_there, "5");
    bench.target = server(target, rows_answer(keyed, {{"3", "13"}, {"4", "14"}}), "7", "6");
    bench.read(1, sql, source, target, at(1s));
    bench.run_out();
    bool same = over_there == "7";
    CHECK(bench.outcome() == (same ? "row_values/order_undefined/confirmed" : "row_values/defect/confirmed"));
    if (same) CHECK(holds(bench.evidence(), R"("reference_gives_the_targets_answer":true)"));
  }
}
