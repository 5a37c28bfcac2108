#include "bench.h"
#include "test_support/catch.h"

using namespace fake;
using compare::Cause;
using compare::Difference;

namespace {

std::vector<mysql::Column> people() {
  return {column("people", "id", mysql::ColumnType::long_), column("people", "name", mysql::ColumnType::var_string),
          column("people", "city", mysql::ColumnType::var_string)};
}

Bench::Answerer always(mysql::Answer answer) {
  return [answer](const std::string&, CaptureTime) { return answer; };
}
// One answer before the time, another from then on.
Bench::Answerer changing(mysql::Answer before, CaptureTime when, mysql::Answer after) {
  return [=](const std::string&, CaptureTime now) { return now < when ? before : after; };
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::vector<std::vector<std::string>> three{{"1", "ann", "Oslo"}, {"2", "bob", "Rome"}, {"3", "cyd", "Oslo"}};
const std::vector<std::vector<std::string>> three_shuffled{{"3", "cyd", "Oslo"}, {"1", "ann", "Oslo"}, {"2", "bob", "Rome"}};

}  // namespace

TEST_CASE("equal answers match and put no question") {
  Bench bench;
  bench.read(1, "SELECT * FROM people", rows_answer(people(), three), rows_answer(people(), three), at(1s));
  CHECK(bench.outcome() == "match");
  CHECK(bench.asked.empty());
  CHECK(bench.judgements[0].sql.empty());
}

TEST_CASE("another order without ORDER BY is undefined order, proved by the answers") {
  Bench bench;
  bench.read(1, "SELECT * FROM people", rows_answer(people(), three), rows_answer(people(), three_shuffled), at(1s));
  CHECK(bench.outcome() == "row_order/order_undefined/proved");
  CHECK(bench.asked.empty());
}

TEST_CASE("rows permuted inside ties are undefined order, rows out of their tie violate it") {
  Bench bench;
  std::string sql = "SELECT id, name, city FROM people ORDER BY city";
  std::vector<std::vector<std::string>> tied{{"3", "cyd", "Oslo"}, {"1", "ann", "Oslo"}, {"2", "bob", "Rome"}};
  std::vector<std::vector<std::string>> wrong{{"1", "ann", "Oslo"}, {"2", "bob", "Rome"}, {"3", "cyd", "Oslo"}};
  std::vector<std::vector<std::string>> right{{"1", "ann", "Oslo"}, {"3", "cyd", "Oslo"}, {"2", "bob", "Rome"}};
  bench.target = always(rows_answer(people(), wrong));
  bench.reference = always(rows_answer(people(), right));
  bench.read(1, sql, rows_answer(people(), right), rows_answer(people(), tied), at(1s));
  CHECK(bench.outcome() == "row_order/order_undefined/proved");
  CHECK(contains(bench.evidence(), R"("tie_groups":[{"keys":["Oslo"])"));
  bench.read(1, sql, rows_answer(people(), right), rows_answer(people(), wrong), at(2s));
  bench.run_out();
  CHECK(bench.outcome(1) == "row_order/order_violated/confirmed");
  CHECK(contains(bench.evidence(1), R"("first_violation":{"row":1,"source_keys":["Oslo"],"target_keys":["Rome"]})"));
}

TEST_CASE("a value that stays wrong is a defect, and the first differing byte is shown") {
  Bench bench;
  auto wrong = three;
  wrong[1][1] = "boB";
  bench.target = always(rows_answer(people(), wrong));
  bench.reference = always(rows_answer(people(), three));
  bench.read(1, "SELECT * FROM people WHERE id IN (1, 2, 3)", rows_answer(people(), three), rows_answer(people(), wrong), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/defect/confirmed");
  CHECK(contains(bench.evidence(), R"("first_difference":{"source_row":1,"target_row":1,"column":"name","source":"bob","target":"boB","byte":2})"));
  CHECK(contains(bench.evidence(), R"("ladder":[{"at_us":0,"side":"reference")"));
  CHECK_FALSE(bench.judgements[0].sql.empty());
}

TEST_CASE("a wrong value stays a defect among rows in another order and cells full of noise") {
  Bench bench;
  auto columns = people();
  columns[2].name = "rand()";
  columns[2].org_name = "";
  columns[2].type = mysql::ColumnType::double_;
  std::string sql = "SELECT id, name, RAND() FROM people";
  auto source = rows_answer(columns, {{"1", "ann", "0.1"}, {"2", "bob", "0.2"}});
  auto noisy = rows_answer(columns, {{"2", "bob", "0.8"}, {"1", "ann", "0.9"}});
  auto wrong = rows_answer(columns, {{"2", "Bob", "0.8"}, {"1", "ann", "0.9"}});
  bench.target = always(wrong);
  bench.reference = always(source);
  bench.read(1, sql, source, noisy, at(1s));
  CHECK(bench.outcome() == "row_values/nondeterministic/proved");
  CHECK(contains(bench.evidence(), R"x("functions":["rand"],"columns":["rand()"])x"));
  bench.read(1, sql, source, wrong, at(2s));
  bench.run_out();
  CHECK(bench.outcome(1) == "row_values/defect/confirmed");
}

TEST_CASE("NULL against an empty text and a trailing space are real differences") {
  for (const std::string& value : {std::string(""), std::string("ann ")}) {
    Bench bench;
    auto source = rows_answer(people(), {{"1", value.empty() ? null_value : "ann", "Oslo"}});
    auto target = rows_answer(people(), {{"1", value, "Oslo"}});
    bench.target = always(target);
    bench.reference = always(source);
    bench.read(1, "SELECT * FROM people WHERE id = 1", source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == "row_values/defect/confirmed");
  }
}

TEST_CASE("a read that the target answers late, after a write seen before it, is read-after-write with its bounds") {
  Bench bench;
  auto before = rows_answer(people(), {{"7", "ann", "Oslo"}});
  auto after = rows_answer(people(), {{"7", "ann", "Rome"}});
  bench.reference = always(after);
  bench.target = changing(before, at(1s + 300ms), after);
  bench.seen(5, "UPDATE people SET city = 'Lima' WHERE id = 8", ok_answer(1), at(900ms));
  bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1), at(950ms));
  bench.read(1, "SELECT * FROM people WHERE id = 7", after, before, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
  CHECK(contains(bench.evidence(), R"("write":{"session":1,"seq":0,"sql":"UPDATE people SET city = 'Rome' WHERE id = 7","table":"shop.people","key":"id=7","age_us":49000})"));
  CHECK(contains(bench.evidence(), R"("attribution":"own_session")"));
  // Rung 200 ms was stale (asked 203 ms after the read began), rung 400 ms agreed.
  CHECK(contains(bench.evidence(), R"("staleness_us":[252000,453000])"));
  CHECK(bench.comparer.target_follows() == "yes");
}

TEST_CASE("a stale list in another order converges all the same") {
  Bench bench;
  auto four = three;
  four.push_back({"4", "dan", "Bern"});
  auto four_shuffled = four;
  std::rotate(four_shuffled.begin(), four_shuffled.begin() + 2, four_shuffled.end());
  bench.reference = always(rows_answer(people(), four));
  bench.target = changing(rows_answer(people(), three_shuffled), at(1s + 700ms), rows_answer(people(), four_shuffled));
  bench.seen(2, "INSERT INTO people (id, name, city) VALUES (4, 'dan', 'Bern')", ok_answer(1), at(990ms));
  bench.read(1, "SELECT id, name, city FROM people", rows_answer(people(), four), rows_answer(people(), three_shuffled), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "missing_rows/read_after_write/confirmed");
  CHECK(contains(bench.evidence(), R"("attribution":"other_session")"));
  CHECK(contains(bench.evidence(), R"("key":"id=4")"));
}

TEST_CASE("convergence without a seen write is a stale read, and a write to another row explains nothing") {
  Bench bench;
  auto before = rows_answer(people(), {{"7", "ann", "Oslo"}});
  auto after = rows_answer(people(), {{"7", "ann", "Rome"}});
  bench.reference = always(after);
  bench.target = changing(before, at(1s + 300ms), after);
  bench.seen(1, "UPDATE people SET city = 'Lima' WHERE id = 8", ok_answer(1), at(950ms));
  bench.seen(1, "UPDATE orders SET city = 'Lima' WHERE id = 7", ok_answer(1), at(960ms));
  bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(0), at(970ms));
  bench.read(1, "SELECT * FROM people WHERE id = 7", after, before, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/stale_read/confirmed");
}

TEST_CASE("another session's transaction explains a read only once it is committed") {
  for (bool committed : {false, true}) {
    Bench bench;
    auto before = rows_answer(people(), {{"7", "ann", "Oslo"}});
    auto after = rows_answer(people(), {{"7", "ann", "Rome"}});
    constexpr std::uint16_t open = mysql::status_flag::in_transaction;
    bench.reference = always(after);
    bench.target = changing(before, at(1s + 300ms), after);
    bench.seen(2, "BEGIN", ok_answer(0, 0, open), at(900ms));
    bench.seen(2, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1, 0, open), at(910ms));
    if (committed) bench.seen(2, "COMMIT", ok_answer(0), at(950ms));
    bench.read(1, "SELECT * FROM people WHERE id = 7", after, before, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (committed ? "row_values/read_after_write/confirmed" : "row_values/stale_read/confirmed"));
    if (committed) CHECK(contains(bench.evidence(), R"("age_us":49000)"));
  }
}

TEST_CASE("a session's own open transaction explains what neither target nor reference can see; where no write ever arrives the run left it out") {
  for (auto follows : {compare::ComparerOptions::TargetFollows::yes, compare::ComparerOptions::TargetFollows::automatic}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.target_follows = follows;
    Bench bench{options};
    auto before = rows_answer(people(), {{"7", "ann", "Oslo"}});
    auto after = rows_answer(people(), {{"7", "ann", "Rome"}});
    constexpr std::uint16_t open = mysql::status_flag::in_transaction;
    bench.reference = always(before);
    bench.target = always(before);
    bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1, 0, open), at(910ms));
    bench.read(1, "SELECT * FROM people WHERE id = 7", after, before, at(1s));
    bench.run_out();
    if (follows == compare::ComparerOptions::TargetFollows::yes) {
      CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
      CHECK(contains(bench.evidence(), R"("uncommitted":true)"));
    } else {
      CHECK(bench.outcome() == "row_values/skipped_write/assumed");
    }
  }
}

TEST_CASE("a reference that comes to agree with the target's first answer shows that the data moved") {
  Bench bench;
  auto before = rows_answer(people(), {{"7", "ann", "Oslo"}});
  auto after = rows_answer(people(), {{"7", "ann", "Rome"}});
  bench.reference = always(after);
  bench.target = always(after);
  bench.read(1, "SELECT * FROM people WHERE id = 7", before, after, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/data_moved/confirmed");
}

TEST_CASE("a reference that lags itself does not turn read-after-write into moved data") {
  Bench bench;
  auto before = rows_answer(people(), {{"7", "ann", "Oslo"}});
  auto after = rows_answer(people(), {{"7", "ann", "Rome"}});
  bench.reference = changing(before, at(1s + 30ms), after);
  bench.target = changing(before, at(2s), after);
  bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1), at(990ms));
  bench.read(1, "SELECT * FROM people WHERE id = 7", after, before, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
}

TEST_CASE("a row that stays wrong is a defect even where it was just written") {
  Bench bench;
  auto right = rows_answer(people(), {{"7", "ann", "Rome"}});
  auto wrong = rows_answer(people(), {{"7", "ann", "R?me"}});
  bench.reference = always(right);
  bench.target = always(wrong);
  bench.comparer.set_target_follows(compare::ComparerOptions::TargetFollows::yes);
  bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1), at(990ms));
  bench.read(1, "SELECT * FROM people WHERE id = 7", right, wrong, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/defect/confirmed");
}

TEST_CASE("where the target does not follow, only the rows of skipped writes are excused") {
  compare::ComparerOptions options = Bench::with_reference();
  options.target_follows = compare::ComparerOptions::TargetFollows::no;
  auto before = rows_answer(people(), {{"7", "ann", "Oslo"}, {"8", "bob", "Bern"}});
  auto after = rows_answer(people(), {{"7", "ann", "Rome"}, {"8", "bob", "Bern"}});
  auto wrong = rows_answer(people(), {{"7", "ann", "Oslo"}, {"8", "bOb", "Bern"}});
  for (bool also_wrong : {false, true}) {
    Bench bench(options);
    bench.reference = always(after);
    bench.target = always(also_wrong ? wrong : before);
    bench.seen(1, "UPDATE people SET city = 'Rome' WHERE id = 7", ok_answer(1), at(500ms));
    bench.read(1, "SELECT * FROM people", after, also_wrong ? wrong : before, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (also_wrong ? "row_values/defect/confirmed" : "row_values/skipped_write/confirmed"));
  }
}

TEST_CASE("errors are compared by class") {
  struct Case {
    mysql::Answer source, target;
    std::string outcome;
  };
  auto ok = rows_answer(people(), three);
  for (const Case& one : {
           Case{error_answer(1146, "Table 'shop.x' doesn't exist"), error_answer(1105, "VT05004: table x not found"), "match"},
           Case{error_answer(1064, "You have an error"), error_answer(1105, "syntax error at position 5"), "match"},
           Case{error_answer(1054, "Unknown column"), error_answer(1146, "no such table"), "error_differs/defect/confirmed"},
           Case{ok, error_answer(1105, "VT12001: unsupported: window functions"), "error_only_target/unsupported/proved"},
           Case{ok, error_answer(1064, "You have an error"), "error_only_target/unsupported/proved"},
           Case{ok, error_answer(1146, "Table doesn't exist"), "error_only_target/defect/confirmed"},
           Case{error_answer(1054, "Unknown column"), ok, "error_only_source/defect/confirmed"},
       }) {
    Bench bench;
    bench.target = always(one.target);
    bench.reference = always(one.source);
    bench.read(1, "SELECT * FROM people", one.source, one.target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == one.outcome);
  }
}

// What asks for the rows below bears a bound that no other question has: of a group or of a whole list.
bool asks_for_rows_below(const std::string& sql) { return sql.find("LIMIT 50001") != std::string::npos || sql.find("LIMIT 10000") != std::string::npos; }

// The same rows below on both sides.
Bench::Answerer unless_rows_below(mysql::Answer answer) {
  return [answer](const std::string& sql, CaptureTime) {
    if (!asks_for_rows_below(sql)) return answer;
    return rows_answer({column("people", "name", mysql::ColumnType::var_string)}, {{"ann"}, {"bob"}, {"Bob"}});
  };
}

TEST_CASE("GROUP_CONCAT in another order is undefined unless it has an order of its own") {
  std::vector<mysql::Column> list{column("", "list", mysql::ColumnType::var_string)};
  auto source = rows_answer(list, {{"ann,bob,cyd"}}), target = rows_answer(list, {{"cyd,ann,bob"}});
  struct Case {
    std::string sql, outcome;
  };
  for (const Case& one : {Case{"SELECT GROUP_CONCAT(name) FROM people", "row_values/order_undefined/proved"},
                          Case{"SELECT GROUP_CONCAT(name ORDER BY name) FROM people", "row_values/order_violated/confirmed"},
                          Case{"SELECT GROUP_CONCAT(name ORDER BY city) FROM people", "row_values/unexamined/assumed"}}) {
    Bench bench;
    bench.target = unless_rows_below(target);
    bench.reference = unless_rows_below(source);
    bench.read(1, one.sql, source, target, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == one.outcome);
  }
  Bench bench;
  auto wrong = rows_answer(list, {{"cyd,ann,bo"}});
  bench.target = always(wrong);
  bench.reference = always(source);
  bench.read(1, "SELECT GROUP_CONCAT(name) FROM people", source, wrong, at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/defect/confirmed");
}

TEST_CASE("what is asked stays within the budget, and the rest is unexamined") {
  compare::ComparerOptions options = Bench::with_reference();
  options.questions_per_fingerprint_minute = 10;
  Bench bench(options);
  bench.reference = always(rows_answer(people(), three));
  for (int i = 0; i < 20; ++i) {
    auto wrong = three;
    wrong[0][1] = "wrong" + std::to_string(i);
    bench.target = always(rows_answer(people(), wrong));
    bench.read(1, "SELECT * FROM people WHERE id = " + std::to_string(i), rows_answer(people(), three), rows_answer(people(), wrong), at(1s + i * 1ms));
  }
  bench.run_until(at(50s));
  CHECK(bench.asked.size() <= 10);
  // The minute of the only statement begins with its first question: nobody needs to wait for its end to know.
  REQUIRE(bench.comparer.next_allowed(at(50s)));
  CHECK(*bench.comparer.next_allowed(at(50s)) > at(60s));
  bench.comparer.finish(at(51s), "the run ended");
  CHECK_FALSE(bench.comparer.next_allowed(at(51s)));
  REQUIRE(bench.judgements.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(contains(bench.outcome(i), "unexamined"));
}

TEST_CASE("a reference that is away leaves the case unexamined, never excused") {
  Bench bench;
  bench.target = always(rows_answer(people(), three));
  auto wrong = three;
  wrong[0][1] = "x";
  bench.read(1, "SELECT * FROM people WHERE id < 9", rows_answer(people(), three), rows_answer(people(), wrong), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/unexamined/assumed");
  CHECK(contains(bench.evidence(), "the reference did not answer: away"));
}

TEST_CASE("the same wrong answer is examined once while nothing is written") {
  Bench bench;
  auto wrong = three;
  wrong[0][1] = "x";
  bench.target = always(rows_answer(people(), wrong));
  bench.reference = always(rows_answer(people(), three));
  for (int i = 0; i < 5; ++i) bench.read(1, "SELECT * FROM people WHERE id < 9", rows_answer(people(), three), rows_answer(people(), wrong), at(1s + i * 10s));
  bench.run_out();
  REQUIRE(bench.judgements.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(bench.outcome(i) == "row_values/defect/confirmed");
  CHECK(bench.evidence(1) == bench.evidence(0));
  CHECK(bench.asked.size() < 70);
}

TEST_CASE("LAST_INSERT_ID after an insert that the run left out is a skipped write") {
  Bench bench;
  std::vector<mysql::Column> id{column("", "last_insert_id()", mysql::ColumnType::longlong)};
  bench.seen(1, "INSERT INTO people (name) VALUES ('eve')", ok_answer(1, 42), at(900ms));
  bench.read(1, "SELECT LAST_INSERT_ID()", rows_answer(id, {{"42"}}), rows_answer(id, {{"0"}}), at(1s));
  CHECK(bench.outcome() == "row_values/skipped_write/proved");
  CHECK(bench.asked.empty());
}

TEST_CASE("a normalisation makes a finding until its rule is accepted") {
  std::vector<mysql::Column> price{column("people", "price", mysql::ColumnType::newdecimal)};
  for (bool accepted : {false, true}) {
    compare::ComparerOptions options = Bench::with_reference();
    if (accepted) options.accepted_rules = {"decimal_scale"};
    Bench bench(options);
    bench.read(1, "SELECT price FROM people", rows_answer(price, {{"1.50"}}), rows_answer(price, {{"1.5"}}), at(1s));
    CHECK(bench.outcome() == (accepted ? "match" : "row_values/normalization/proved"));
    CHECK(bench.judgements[0].rules.size() == (accepted ? 1 : 0));
  }
}

TEST_CASE("column definitions and warnings are findings beside the content") {
  Bench bench;
  auto renamed = people();
  renamed[1].name = "NAME";
  renamed[0].type = mysql::ColumnType::longlong;  // a wider integer is no difference
  renamed[0].flags = mysql::column_flag::primary_key | mysql::column_flag::not_null;
  auto target = rows_answer(renamed, three);
  std::get<mysql::ResultSet>(target.results[0]).warnings = 1;
  bench.read(1, "SELECT * FROM people WHERE id > 0", rows_answer(people(), three), target, at(1s));
  CHECK(bench.outcome() == "column_metadata/defect/proved warnings/defect/proved");
}

TEST_CASE("columns whose types are the products' own differ under a rule, those of tables don't") {
  auto judged = [](const mysql::Column& a, const mysql::Column& b, std::vector<std::string> accepted = {}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.accepted_rules = std::move(accepted);
    Bench bench(options);
    bench.read(1, "SELECT score FROM people WHERE id = 1", rows_answer({a}, {{"7"}}), rows_answer({b}, {{"7"}}), at(1s));
    return bench.outcome();
  };
  mysql::Column computed = column("", "n", mysql::ColumnType::longlong), stored = column("people", "score", mysql::ColumnType::longlong);
  computed.org_name = computed.org_table = "";
  stored.org_name = "score";
  auto without_sign = [](mysql::Column each) {
    each.flags |= mysql::column_flag::unsigned_;
    return each;
  };
  CHECK(judged(computed, without_sign(computed)) == "column_metadata/normalization/proved");
  CHECK(judged(computed, without_sign(computed), {"computed_number"}) == "match");
  CHECK(judged(stored, without_sign(stored)) == "column_metadata/defect/proved");
  mysql::Column least = column("", "MIN(state)", mysql::ColumnType::var_string), member = column("", "MIN(state)", mysql::ColumnType::string);
  least.org_name = member.org_name = "";
  member.flags |= mysql::column_flag::enum_;
  CHECK(judged(least, member) == "column_metadata/normalization/proved");
  least.org_name = member.org_name = "state";
  CHECK(judged(least, member) == "column_metadata/defect/proved");
  mysql::Column text = column("people", "doc", mysql::ColumnType::blob), json = column("people", "doc", mysql::ColumnType::json);
  text.charset = json.charset = 45;
  CHECK(judged(text, json) == "column_metadata/normalization/proved");
  CHECK(judged(text, json, {"json_as_text"}) == "match");
  CHECK(judged(text, stored).starts_with("column_metadata/defect") == true);
}

TEST_CASE("many stale reads of one statement are all confirmed within its budget") {
  Bench bench;
  bench.comparer.set_target_follows(compare::ComparerOptions::TargetFollows::yes);
  std::map<std::string, CaptureTime> visible;
  auto row = [&](const std::string& sql) { return sql.substr(sql.find("= ") + 2); };
  bench.target = [&](const std::string& sql, CaptureTime now) {
    return rows_answer(people(), now < visible.at(row(sql)) ? std::vector<std::vector<std::string>>{} : std::vector<std::vector<std::string>>{{row(sql), "ann", "Oslo"}});
  };
  bench.reference = [&](const std::string& sql, CaptureTime) { return rows_answer(people(), {{row(sql), "ann", "Oslo"}}); };
  for (int i = 0; i < 60; ++i) {
    CaptureTime when = at(1s + i * 500ms);
    std::string id = std::to_string(100 + i);
    visible[id] = when + 1s;
    bench.seen(1, "INSERT INTO people (id, name, city) VALUES (" + id + ", 'ann', 'Oslo')", ok_answer(1), when);
    bench.read(1, "SELECT id, name, city FROM people WHERE id = " + id, rows_answer(people(), {{id, "ann", "Oslo"}}), rows_answer(people(), {}), when + 20ms);
  }
  bench.run_out();
  REQUIRE(bench.judgements.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) CHECK(bench.outcome(i) == "missing_rows/read_after_write/confirmed");
}

TEST_CASE("a type name that only one side's client was told is no difference of type") {
  Bench bench;
  auto columns = people(), told = people();
  told[2].extended_type = "json";
  bench.read(1, "SELECT * FROM people", rows_answer(columns, three), rows_answer(told, three), at(1s));
  CHECK(bench.outcome() == "match");
  // MariaDB calls it JSON in the extended metadata, MySQL by the type itself.
  auto by_type = people();
  by_type[2].type = mysql::ColumnType::json;
  bench.read(1, "SELECT * FROM people", rows_answer(told, three), rows_answer(by_type, three), at(2s));
  CHECK(bench.outcome(1) == "match");
}

TEST_CASE("which spelling a sorted list, a list of distinct values or a UNION shows is open, another word is a defect") {
  Bench bench;
  auto list = std::vector<mysql::Column>{column("", "l", mysql::ColumnType::var_string)};
  auto judge = [&](const std::string& sql, std::vector<std::vector<std::string>> source, std::vector<std::vector<std::string>> target) {
    bench.target = unless_rows_below(rows_answer(list, target));
    bench.reference = unless_rows_below(rows_answer(list, source));
    bench.judgements.clear();
    static auto when = at(0s);
    bench.read(1, sql, rows_answer(list, source), rows_answer(list, target), when += 100s);
    bench.run_out();
    return bench.outcome();
  };
  std::string sorted = "SELECT GROUP_CONCAT(name ORDER BY name) AS l FROM people";
  CHECK(judge(sorted, {{"ann,bob,Bob"}}, {{"ann,Bob,bob"}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(sorted, {{"ann,bob,cyd"}}, {{"ann,cyd,bob"}}) == "row_values/order_violated/confirmed");
  CHECK(judge(sorted, {{"ann,bob,Bob"}}, {{"ann,Bob,rob"}}) == "row_values/defect/confirmed");
  std::string distinct = "SELECT GROUP_CONCAT(DISTINCT name) AS l FROM people";
  CHECK(judge(distinct, {{"ann,bob"}}, {{"Bob,ann"}}) == "row_values/order_undefined/confirmed");
  CHECK(judge(distinct, {{"ann,bob"}}, {{"ann,cyd"}}) == "row_values/defect/confirmed");
  CHECK(judge("SELECT GROUP_CONCAT(name) AS l FROM people", {{"ann,bob"}}, {{"ann,Bob"}}) == "row_values/defect/confirmed");
  CHECK(judge("SELECT name AS l FROM people UNION SELECT w FROM words", {{"ann"}, {"bob"}}, {{"Bob"}, {"ann"}}) == "row_values/order_undefined/confirmed");
  CHECK(judge("SELECT name AS l FROM people UNION ALL SELECT w FROM words", {{"ann"}, {"bob"}}, {{"Bob"}, {"ann"}}) == "row_values/defect/confirmed");
}

TEST_CASE("groups are paired by their words before their spellings are asked for") {
  Bench bench;
  auto words = std::vector<mysql::Column>{column("people", "city", mysql::ColumnType::var_string)};
  auto answers = [&](std::vector<std::vector<std::string>> list) -> Bench::Answerer {
    return [=](const std::string& sql, CaptureTime) {
      if (sql.find("'Rome'") != std::string::npos || sql.find("'ROME'") != std::string::npos) return rows_answer(words, {{"Rome"}, {"ROME"}});
      if (sql.find("'Oslo'") != std::string::npos || sql.find("'OSLO'") != std::string::npos) return rows_answer(words, {{"Oslo"}, {"OSLO"}});
      if (asks_for_rows_below(sql)) return rows_answer(words, {{"Rome"}, {"ROME"}, {"Lima"}, {"Oslo"}, {"OSLO"}});
      return rows_answer(words, list);
    };
  };
  std::vector<std::vector<std::string>> source{{"Rome"}, {"Lima"}, {"Oslo"}}, target{{"OSLO"}, {"ROME"}, {"Lima"}};
  bench.target = answers(target);
  bench.reference = answers(source);
  bench.read(1, "SELECT DISTINCT city FROM people", rows_answer(words, source), rows_answer(words, target), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/order_undefined/confirmed");
}
