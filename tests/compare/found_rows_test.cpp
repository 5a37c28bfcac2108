// SELECT FOUND_ROWS() after SELECT SQL_CALC_FOUND_ROWS …: judged as the count that it stands for.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

const std::string page = "SELECT SQL_CALC_FOUND_ROWS id FROM people WHERE city = 'Rome' ORDER BY id LIMIT 2";
const std::string count = "SELECT COUNT(*) AS `FOUND_ROWS()` FROM people WHERE (city = 'Rome')";

mysql::Answer number(const std::string& value) { return rows_answer({column("", "FOUND_ROWS()", mysql::ColumnType::longlong)}, {{value}}); }
mysql::Answer first_page() { return rows_answer({column("people", "id", mysql::ColumnType::long_)}, {{"1"}, {"2"}}); }
Bench::Answerer counts(const std::string& value) {
  return [value](const std::string& sql, CaptureTime) { return sql == count ? number(value) : first_page(); };
}

compare::ComparerOptions of_reads(compare::ComparerOptions::TargetFollows follows = compare::ComparerOptions::TargetFollows::automatic) {
  compare::ComparerOptions options = Bench::with_reference();
  options.own_writes = compare::ComparerOptions::OwnWrites::none;
  options.target_follows = follows;
  return options;
}

void ask(Bench& bench, const std::string& source, const std::string& target, CaptureTime when = at(1s)) {
  bench.read(1, page, first_page(), first_page(), when);
  bench.read(1, "SELECT FOUND_ROWS()", number(source), number(target), when + 10ms);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a row that is missing behind the LIMIT is a defect in FOUND_ROWS()") {
  Bench bench(of_reads());
  bench.reference = counts("7");
  bench.target = counts("6");
  ask(bench, "7", "6");
  bench.run_out();
  CHECK(bench.outcome(1) == "row_values/defect/confirmed");
  const compare::Judgement& judged = bench.judgements.back();
  CHECK(judged.sql == "SELECT FOUND_ROWS()");
  CHECK(judged.normalized == "select found_rows()");
  CHECK(judged.fingerprint == sql::understand("SELECT FOUND_ROWS()").fingerprint);
  CHECK(judged.time == at(1s + 10ms));
  CHECK(contains(judged.verdicts.front().evidence, "\"asked_instead\":\"" + count + "\""));
}

TEST_CASE("FOUND_ROWS() that lacks a row just written is read after write, and comes right") {
  Bench bench(of_reads(compare::ComparerOptions::TargetFollows::yes));
  bench.reference = counts("7");
  bench.target = [](const std::string& sql, CaptureTime now) { return sql == count ? number(now < at(1s + 300ms) ? "6" : "7") : first_page(); };
  bench.seen(2, "INSERT INTO people (id, city) VALUES (9, 'Rome')", ok_answer(1), at(990ms));
  ask(bench, "7", "6");
  bench.run_out();
  CHECK(bench.outcome(1) == "row_values/read_after_write/confirmed");
}

TEST_CASE("a write between the page and FOUND_ROWS() is not in the count") {
  Bench bench(of_reads(compare::ComparerOptions::TargetFollows::yes));
  bench.reference = counts("8");
  bench.target = counts("7");
  bench.read(1, page, first_page(), first_page(), at(1s));
  bench.seen(2, "INSERT INTO people (id, city) VALUES (9, 'Rome')", ok_answer(1), at(1s + 5ms));
  bench.read(1, "SELECT FOUND_ROWS()", number("7"), number("6"), at(1s + 10ms));
  bench.run_out();
  CHECK(bench.outcome(1) == "row_values/defect/confirmed");
}

TEST_CASE("a row whose write the run left out is missing in FOUND_ROWS() as well") {
  Bench bench(of_reads(compare::ComparerOptions::TargetFollows::no));
  bench.reference = counts("7");
  bench.target = counts("6");
  bench.seen(2, "INSERT INTO people (id, city) VALUES (9, 'Rome')", ok_answer(1), at(900ms));
  ask(bench, "7", "6");
  bench.run_out();
  CHECK(contains(bench.outcome(1), "/skipped_write/"));
}

TEST_CASE("FOUND_ROWS() stays unexamined where it can't be asked for as a count") {
  struct Case { const char* why; std::string page, asked; compare::ComparerOptions options; };
  for (const Case& one : {Case{"nothing was counted", "SELECT id FROM people ORDER BY id LIMIT 2", "SELECT FOUND_ROWS()", of_reads()},
                          Case{"it is part of an expression", page, "SELECT FOUND_ROWS() + 1", of_reads()},
                          Case{"its reading's time at the target isn't known beside own writes", page, "SELECT FOUND_ROWS()", Bench::with_reference()}}) {
    CAPTURE(one.why);
    Bench bench(one.options);
    bench.reference = counts("7");
    bench.target = counts("6");
    bench.read(1, one.page, first_page(), first_page(), at(1s));
    bench.read(1, one.asked, number("7"), number("6"), at(1s + 10ms));
    bench.run_out();
    CHECK(bench.outcome(1) == "row_values/unexamined/assumed");
    CHECK(bench.asked.empty());
  }
}

TEST_CASE("two pages' FOUND_ROWS() are not taken for one case") {
  Bench bench(of_reads());
  auto answers = [](const std::string& rome, const std::string& oslo) {
    return [=](const std::string& sql, CaptureTime) { return contains(sql, "COUNT(*)") ? number(contains(sql, "Rome") ? rome : oslo) : first_page(); };
  };
  bench.reference = answers("7", "6");
  bench.target = answers("6", "6");
  ask(bench, "7", "6");
  std::string other = "SELECT SQL_CALC_FOUND_ROWS id FROM people WHERE city = 'Oslo' ORDER BY id LIMIT 2";
  bench.run_until(at(9s));
  bench.read(1, other, first_page(), first_page(), at(9s));
  bench.read(1, "SELECT FOUND_ROWS()", number("7"), number("6"), at(9s + 10ms));
  bench.run_out();
  CHECK(bench.outcome(1) == "row_values/defect/confirmed");
  CHECK(bench.outcome(3) == "row_values/data_moved/confirmed");
}
