// What hangs on the order of rows below the result is excused only where both servers hold the same rows there.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Rows = std::vector<std::vector<std::string>>;

mysql::Column text(const std::string& name) { return column("people", name, mysql::ColumnType::var_string); }
mysql::Column number(const std::string& name) { return column("people", name, mysql::ColumnType::long_); }
mysql::Column floating(const std::string& name) {
  mysql::Column result = column("", name, mysql::ColumnType::double_);
  result.org_name.clear();
  return result;
}

// A server that answers a statement with some rows, and what asks for the rows below it with others.
Bench::Answerer server(const std::string& statement, mysql::Answer answer, mysql::Answer below) {
  return [=](const std::string& sql, CaptureTime) { return sql == statement ? answer : below; };
}

struct Sides {
  mysql::Answer source, target, below_reference, below_target;
};
std::string judge(const std::string& sql, Sides sides, Bench&& bench = Bench()) {
  bench.reference = server(sql, sides.source, sides.below_reference);
  bench.target = server(sql, sides.target, sides.below_target);
  bench.read(1, sql, sides.source, sides.target, at(1s));
  bench.run_out();
  return bench.outcome();
}

mysql::Answer below(const Rows& rows) { return rows_answer({text("x")}, rows); }

}  // namespace

TEST_CASE("a sum of floating point numbers may differ in its last places where the numbers are the same") {
  std::string sql = "SELECT SUM(height) AS s FROM people";
  auto source = rows_answer({floating("s")}, {{"887721.3782727999"}}), target = rows_answer({floating("s")}, {{"887721.3782728001"}});
  CHECK(judge(sql, {source, target, below({{"1"}, {"2"}}), below({{"2"}, {"1"}})}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {source, target, below({{"1"}, {"2"}}), below({{"1"}, {"3"}})}) == "row_values/defect/confirmed");
  auto far = rows_answer({floating("s")}, {{"887722.5"}});
  CHECK(judge(sql, {source, far, below({{"1"}, {"2"}}), below({{"2"}, {"1"}})}) == "row_values/defect/confirmed");
}

TEST_CASE("a window function over ties, and a LIMIT in a subquery, are excused by the same rows below only") {
  for (const std::string sql : {"SELECT id, ROW_NUMBER() OVER (ORDER BY city) AS w FROM people", "SELECT id, w FROM (SELECT id, 1 AS w FROM people LIMIT 2) x"}) {
    auto source = rows_answer({number("id"), number("w")}, {{"1", "1"}, {"2", "2"}}), target = rows_answer({number("id"), number("w")}, {{"1", "2"}, {"2", "1"}});
    CHECK(judge(sql, {source, target, below({{"a"}, {"b"}}), below({{"b"}, {"a"}})}) == "row_values/order_undefined/confirmed");
    CHECK(judge(sql, {source, target, below({{"a"}, {"b"}}), below({{"a"}, {"c"}})}) == "row_values/unexamined/assumed");
  }
  // Peers count as one: no tie shows in RANK().
  auto source = rows_answer({number("id"), number("w")}, {{"1", "1"}}), target = rows_answer({number("id"), number("w")}, {{"1", "2"}});
  CHECK(judge("SELECT id, RANK() OVER (ORDER BY city) AS w FROM people", {source, target, below({{"a"}}), below({{"a"}})}) == "row_values/defect/confirmed");
}

namespace {

sql::Catalogue people_by_id() {
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "people"}] = {{{"id", false}, {"w", true}}, {{"PRIMARY", {"id"}}}};
  return catalogue;
}

// The tables differ somewhere; asked with its ties broken, the target answers what is given.
std::string judge_broken(const std::string& sql, const mysql::Answer& source, const mysql::Answer& target, const mysql::Answer& up, const mysql::Answer& down,
                         const mysql::Answer& whole) {
  Bench bench(Bench::with_reference(), people_by_id());
  auto server = [=](const mysql::Answer& own, bool on_target) {
    return [=](const std::string& asked, CaptureTime) {
      if (asked == sql) return own;
      if (asked.find("`people`.`id` DESC") != std::string::npos) return on_target ? down : source;
      if (asked.find("`people`.`id`") != std::string::npos) return on_target ? up : source;
      if (asked.find("10000") != std::string::npos) return whole;
      return below({{"a"}, {on_target ? "c" : "b"}});
    };
  };
  bench.reference = server(source, false);
  bench.target = server(target, true);
  bench.read(1, sql, source, target, at(1s));
  bench.run_out();
  return bench.outcome();
}

}  // namespace

TEST_CASE("where the tables differ, a LIMIT below is judged by its ties broken both ways") {
  std::string sql = "SELECT id, w FROM (SELECT id, w FROM people ORDER BY w LIMIT 2) x";
  std::vector<mysql::Column> columns{number("id"), number("w")};
  auto source = rows_answer(columns, {{"1", "1"}, {"2", "1"}}), target = rows_answer(columns, {{"1", "1"}, {"3", "1"}});
  auto whole = rows_answer(columns, {{"1", "1"}, {"2", "1"}, {"3", "1"}}), without = rows_answer(columns, {{"1", "1"}, {"2", "1"}});
  // Whichever way the ties are broken, the target gives other rows.
  CHECK(judge_broken(sql, source, target, target, target, whole) == "row_values/defect/confirmed");
  // The servers agree both ways, and both hold the rows that differ.
  CHECK(judge_broken(sql, source, target, source, source, whole) == "row_values/order_undefined/confirmed");
  // They agree, but the data moved: nobody holds the target's row.
  CHECK(judge_broken(sql, source, target, source, source, without) == "row_values/unexamined/assumed");
  CHECK(judge_broken(sql, source, target, target, source, whole) == "row_values/unexamined/assumed");
}

TEST_CASE("groups cut behind an aggregate that is not in the output: a tie, in whatever spelling, where the rows below are the same") {
  std::string sql = "SELECT name, COUNT(*) AS n FROM people GROUP BY name ORDER BY MAX(id) LIMIT 1";
  std::vector<mysql::Column> columns{text("name"), number("n")}, with_key{text("name"), number("n"), number("__dt_k1")};
  auto source = rows_answer(columns, {{"ann", "2"}}), target = rows_answer(columns, {{"BOB", "3"}});
  for (bool other_group : {false, true}) {
    Bench bench;
    auto server = [=](mysql::Answer own, std::vector<std::string> own_group, std::vector<std::string> other) {
      return [=](const std::string& asked, CaptureTime) {
        if (asked == sql) return own;
        if (asked.find("__dt_k1") == std::string::npos) return below({{"1"}, {"2"}});
        return asked.find("10000") != std::string::npos ? rows_answer(with_key, {own_group, other}) : rows_answer(with_key, {own_group});
      };
    };
    bench.reference = server(source, {"ann", "2", "9"}, {"bob", "3", "9"});
    bench.target = server(target, {"BOB", "3", "9"}, {other_group ? "cyd" : "Ann", "2", "9"});
    bench.read(1, sql, source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (other_group ? "row_values/defect/confirmed" : "row_values/order_undefined/confirmed"));
  }
}

TEST_CASE("a list in a subquery of the select list is permuted like any other") {
  std::string sql = "SELECT id, (SELECT GROUP_CONCAT(o.w) FROM orders o WHERE o.p = people.id) AS l FROM people";
  std::vector<mysql::Column> columns{number("id"), text("l")};
  auto source = rows_answer(columns, {{"1", "a,b,c"}}), permuted = rows_answer(columns, {{"1", "c,a,b"}}), other = rows_answer(columns, {{"1", "c,a,x"}});
  CHECK(judge(sql, {source, permuted, below({}), below({})}) == "row_values/order_undefined/proved");
  CHECK(judge(sql, {source, other, below({}), below({})}) == "row_values/defect/confirmed");
}

TEST_CASE("a list that was cut off, as its warning says, is excused by the same rows below only") {
  std::string sql = "SELECT GROUP_CONCAT(name) AS l FROM people";
  auto source = rows_answer({text("l")}, {{"ann,bo"}}), target = rows_answer({text("l")}, {{"bob,an"}});
  auto warned = [](mysql::Answer answer) {
    std::get<mysql::ResultSet>(answer.results[0]).warnings = 1;
    return answer;
  };
  CHECK(judge(sql, {source, target, below({{"ann"}, {"bob"}}), below({{"bob"}, {"ann"}})}) == "row_values/defect/confirmed");
  CHECK(judge(sql, {warned(source), warned(target), below({{"ann"}, {"bob"}}), below({{"bob"}, {"ann"}})}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {warned(source), warned(target), below({{"ann"}, {"bob"}}), below({{"bob"}, {"and"}})}) == "row_values/defect/confirmed");
}

TEST_CASE("a list with a LIMIT of its own, and ties, is excused by the same rows below") {
  std::string sql = "SELECT GROUP_CONCAT(name ORDER BY score LIMIT 2) AS l FROM people";
  auto source = rows_answer({text("l")}, {{"ann,bob"}}), target = rows_answer({text("l")}, {{"bob,cyd"}});
  CHECK(judge(sql, {source, target, below({{"1"}, {"2"}}), below({{"2"}, {"1"}})}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {source, target, below({{"1"}, {"2"}}), below({{"3"}, {"1"}})}) == "row_values/unexamined/assumed");
}

TEST_CASE("a bare column's value must be in its group on both servers") {
  std::string sql = "SELECT score, name FROM people GROUP BY score";
  auto source = rows_answer({number("score"), text("name")}, {{"1", "ann"}}), target = rows_answer({number("score"), text("name")}, {{"1", "bob"}});
  CHECK(judge(sql, {source, target, below({{"ann"}, {"bob"}}), below({{"bob"}, {"ann"}})}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sql, {source, target, below({{"ann"}, {"cyd"}}), below({{"bob"}, {"ann"}})}) == "row_values/defect/confirmed");
}

TEST_CASE("SHOW and EXPLAIN tell of a server, but a column that is another one is a defect") {
  std::vector<mysql::Column> shown{text("Field"), text("Type"), text("Key")};
  auto source = rows_answer(shown, {{"id", "int", "PRI"}, {"city", "varchar(30)", "MUL"}});
  auto unkeyed = rows_answer(shown, {{"id", "int", "PRI"}, {"city", "varchar(30)", ""}}), narrower = rows_answer(shown, {{"id", "int", "PRI"}, {"city", "varchar(20)", ""}});
  CHECK(judge("SHOW COLUMNS FROM people", {source, unkeyed, source, unkeyed}) == "row_values/nondeterministic/proved");
  CHECK(judge("SHOW COLUMNS FROM people", {source, narrower, source, narrower}) == "row_values/defect/confirmed");
  CHECK(judge("EXPLAIN SELECT * FROM people", {source, unkeyed, source, unkeyed}) == "row_values/nondeterministic/proved");
}

TEST_CASE("DISTINCT ordered by another column promises no order") {
  std::string sql = "SELECT DISTINCT city FROM people ORDER BY score";
  auto source = rows_answer({text("city")}, {{"Oslo"}, {"Rome"}}), target = rows_answer({text("city")}, {{"Rome"}, {"Oslo"}});
  CHECK(judge(sql, {source, target, below({{"1"}}), below({{"1"}})}) == "row_order/order_undefined/confirmed");
}

TEST_CASE("a row that is mended in a column which its write did not touch is no read after a write") {
  std::vector<mysql::Column> columns{number("id"), text("name"), text("city")};
  auto source = rows_answer(columns, {{"7", "ann", "Rome"}}), wrong = rows_answer(columns, {{"7", "planted", "Oslo"}});
  for (bool both_columns : {false, true}) {
    Bench bench;
    bench.reference = [=](const std::string&, CaptureTime) { return source; };
    bench.target = [=](const std::string&, CaptureTime now) { return now < at(2s) ? wrong : source; };
    bench.seen(1, std::string("UPDATE people SET city = 'Rome'") + (both_columns ? ", name = 'ann'" : "") + " WHERE id = 7", ok_answer(1), at(900ms));
    bench.read(1, "SELECT id, name, city FROM people WHERE id = 7", source, wrong, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (both_columns ? "row_values/read_after_write/confirmed" : "row_values/stale_read/confirmed"));
  }
}

TEST_CASE("what is copied from a table whose writes were left out is wrong by our doing") {
  compare::ComparerOptions options = Bench::with_reference();
  options.target_follows = compare::ComparerOptions::TargetFollows::no;
  Bench bench(options);
  auto source = rows_answer({number("n")}, {{"2"}}), target = rows_answer({number("n")}, {{"1"}});
  bench.reference = [=](const std::string&, CaptureTime) { return source; };
  bench.target = [=](const std::string&, CaptureTime) { return target; };
  bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1), at(800ms), compare::Replayed::not_sent);
  bench.seen(1, "INSERT INTO archive SELECT * FROM people", ok_answer(2), at(900ms), compare::Replayed::applied);
  bench.read(1, "SELECT COUNT(*) AS n FROM archive WHERE city = 'Rome'", source, target, at(1s));
  bench.run_out();
  CHECK(bench.outcome().find("/skipped_write/") != std::string::npos);
}

TEST_CASE("a key's spelling in a UNION is looked for in all of its parts") {
  auto source = rows_answer({text("city")}, {{"Bern"}, {"ann"}, {"Ann"}}), target = rows_answer({text("city")}, {{"Bern"}, {"Ann"}, {"ann"}});
  Bench bench;
  bench.target = [=](const std::string&, CaptureTime) { return target; };
  bench.reference = [=](const std::string& sql, CaptureTime) {
    if (sql.find(" = 'Ann'") == std::string::npos && sql.find(" = 'ann'") == std::string::npos) return source;
    // Only the whole statement's output holds the name.
    return rows_answer({number("equal")}, {{sql.find("FROM (SELECT city FROM people UNION ALL SELECT name FROM people") != std::string::npos ? "1" : null_value}});
  };
  bench.read(1, "SELECT city FROM people UNION ALL SELECT name FROM people ORDER BY 1", source, target, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_order/order_undefined/confirmed");
}

TEST_CASE("many groups are asked for in few questions") {
  std::string sql = "SELECT score, name FROM people GROUP BY score";
  std::vector<std::vector<std::string>> of_source, of_target, numbered;
  for (int i = 0; i < 60; ++i) {
    of_source.push_back({std::to_string(i), "a" + std::to_string(i)});
    of_target.push_back({std::to_string(i), "b" + std::to_string(i)});
    numbered.push_back({std::to_string(i), "a" + std::to_string(i)});
    numbered.push_back({std::to_string(i), "b" + std::to_string(i)});
  }
  auto source = rows_answer({number("score"), text("name")}, of_source), target = rows_answer({number("score"), text("name")}, of_target);
  auto below = rows_answer({number("n"), text("name")}, numbered);
  numbered.pop_back();  // the last group lacks its second name
  auto lacking = rows_answer({number("n"), text("name")}, numbered);
  for (bool lacks : {false, true}) {
    Bench bench;
    auto groups = [](const std::string& asked) { return asked.find("UNION ALL") != std::string::npos; };
    bench.reference = [&](const std::string& asked, CaptureTime) { return groups(asked) ? (lacks ? lacking : below) : source; };
    bench.target = [&](const std::string& asked, CaptureTime) { return groups(asked) ? below : target; };
    bench.read(1, sql, source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (lacks ? "row_values/defect/confirmed" : "row_values/order_undefined/confirmed"));
    if (!lacks) CHECK(bench.asked.size() == 6);  // 60 groups, 25 a question, two servers
  }
}

TEST_CASE("an example tells what its session did before, with its writes marked") {
  Bench bench;
  auto right = rows_answer({text("city")}, {{"Rome"}}), wrong = rows_answer({text("city")}, {{"Oslo"}});
  bench.reference = [=](const std::string&, CaptureTime) { return right; };
  bench.target = [=](const std::string&, CaptureTime) { return wrong; };
  for (int i = 0; i < 9; ++i) bench.seen(1, "SELECT " + std::to_string(i), right, at(1s));
  bench.seen(2, "SELECT 'another session'", right, at(1s));
  bench.seen(1, "UPDATE pets SET name = 'x' WHERE id = 7", ok_answer(1), at(1s));
  bench.read(1, "SELECT city FROM people WHERE id = 7", right, wrong, at(2s));
  bench.seen(1, "SELECT 'after'", right, at(3s));
  bench.run_out();
  const std::string& before = bench.judgements.at(0).before;
  CHECK(before.starts_with(R"([{"seq":2,"sql":"SELECT 2","class":"read","write":false})"));  // the last eight
  CHECK(before.ends_with(R"({"seq":9,"sql":"UPDATE pets SET name = 'x' WHERE id = 7","class":"write","write":true}])"));
  CHECK(before.find("another") == std::string::npos);
}

TEST_CASE("a statement that calibration found noisy samples the reference at every rung") {
  for (bool calibrated : {false, true}) {
    Bench bench;
    auto answer = [](const std::string& value) { return rows_answer({number("id"), text("v")}, {{"7", value}}); };
    // The reference says something else but for its first and its last answer.
    int asked = 0;
    bench.reference = [&](const std::string&, CaptureTime now) { return ++asked == 1 || now > at(5900ms) ? answer("a") : answer("z" + std::to_string(asked)); };
    bench.target = [&](const std::string&, CaptureTime) { return answer("b"); };
    if (calibrated) bench.comparer.note_noisy(sql::understand("SELECT id, v FROM people WHERE id = 7").fingerprint);
    bench.read(1, "SELECT id, v FROM people WHERE id = 7", answer("a"), answer("b"), at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (calibrated ? "row_values/nondeterministic/confirmed" : "row_values/defect/confirmed"));
  }
}

TEST_CASE("a target that changes its mind about ties was not behind, also where it answers more rows than are kept") {
  for (const char* text : {"SELECT id, ROW_NUMBER() OVER (ORDER BY city) AS n FROM people", "SELECT id, city AS n FROM people LIMIT 2000"}) {
    Bench bench;
    std::vector<mysql::Column> columns{column("people", "id", mysql::ColumnType::long_), column("", "n", mysql::ColumnType::longlong)};
    auto first = rows_answer(columns, {{"1", "1"}, {"2", "2"}}), second = rows_answer(columns, {{"1", "2"}, {"2", "1"}});
    auto cut = [](mysql::Answer answer) {
      auto& set = std::get<mysql::ResultSet>(answer.results[0]);
      set.streamed = set.digests();
      set.rows = {};
      return answer;
    };
    bench.target = bench.reference = [&](const std::string&, CaptureTime) { return cut(first); };
    bench.read(1, text, cut(first), cut(second), at(1s));
    bench.run_out();
    CHECK(bench.outcome() == "row_values/unexamined/assumed");
    CHECK(bench.evidence().find("no write was seen") != std::string::npos);
  }
}

TEST_CASE("more rows than are kept, with a column that hangs on ties, are no defect; other columns are") {
  std::vector<mysql::Column> columns{column("people", "id", mysql::ColumnType::long_), column("", "n", mysql::ColumnType::longlong)};
  auto cut = [](mysql::Answer answer) {
    auto& set = std::get<mysql::ResultSet>(answer.results[0]);
    set.streamed = set.digests();
    set.rows = {};
    return answer;
  };
  auto source = cut(rows_answer(columns, {{"1", "1"}, {"2", "2"}})), target = cut(rows_answer(columns, {{"1", "2"}, {"2", "1"}}));
  auto judged = [&](const std::string& text, const mysql::Answer& answer) {
    Bench bench;
    bench.reference = [&](const std::string&, CaptureTime) { return source; };
    bench.target = [&](const std::string&, CaptureTime) { return answer; };
    bench.read(1, text, source, answer, at(1s));
    bench.run_out();
    return bench.outcome();
  };
  CHECK(judged("SELECT id, ROW_NUMBER() OVER (ORDER BY city) AS n FROM people", target) == "row_values/unexamined/assumed");
  CHECK(judged("SELECT id, n FROM people", target) == "row_values/defect/confirmed");
  CHECK(judged("SELECT id, RANK() OVER (ORDER BY city) AS n FROM people", target) == "row_values/defect/confirmed");
  CHECK(judged("SELECT id, ROW_NUMBER() OVER (ORDER BY city) AS n FROM people", cut(rows_answer(columns, {{"1", "2"}}))) == "missing_rows/defect/confirmed");
}
