// Reads that use a session's own variables, which a question's connection doesn't have by itself.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

const std::vector<mysql::Column> names{column("people", "name", mysql::ColumnType::var_string)};
const std::string by_variable = "SELECT name FROM people WHERE id = @id";

mysql::Answer named(const std::string& name) { return rows_answer(names, {{name}}); }

Bench::Answerer always(mysql::Answer answer) {
  return [answer](const std::string&, CaptureTime) { return answer; };
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a question is asked under the value that the variable had then, not the one it has by now") {
  Bench bench;
  bench.target = always(named("boB"));
  bench.reference = always(named("bob"));
  bench.seen(1, "SET @ID := 2, @`Other` = 'x y'", ok_answer(0), at(900ms), compare::Replayed::sent);
  bench.read(1, by_variable, named("bob"), named("boB"), at(1s));
  bench.seen(1, "SET @id = 3", ok_answer(0), at(1s + 10ms), compare::Replayed::sent);
  bench.run_out();
  CHECK(bench.outcome() == "row_values/defect/confirmed");
  REQUIRE_FALSE(bench.asked_under.empty());
  for (const compare::SessionValues& values : bench.asked_under) CHECK(values == compare::SessionValues{{"@id", "2"}});
}

TEST_CASE("a variable whose statement the run left out explains the difference, one that was computed leaves it unexamined") {
  struct Setter {
    std::string sql;
    compare::Replayed replayed;
    std::string outcome;
  };
  for (const Setter& setter : {Setter{"SELECT MAX(id) INTO @id FROM people", compare::Replayed::not_sent, "row_values/skipped_write/proved"},
                               Setter{"CALL next_of(4, @id)", compare::Replayed::not_sent, "row_values/skipped_write/proved"},
                               Setter{"SET @id = 4", compare::Replayed::not_sent, "row_values/skipped_write/proved"},
                               Setter{"SET @id = (SELECT MAX(id) FROM people)", compare::Replayed::sent, "row_values/unexamined/assumed"},
                               Setter{"SET @id = CURRENT_TIMESTAMP", compare::Replayed::sent, "row_values/unexamined/assumed"},
                               Setter{"SET @id = 4, @id = @id + 1", compare::Replayed::sent, "row_values/unexamined/assumed"},
                               Setter{"SET @other = @id", compare::Replayed::sent, "row_values/unexamined/assumed"}}) {
    CAPTURE(setter.sql);
    Bench bench;
    bench.seen(1, setter.sql, ok_answer(0), at(900ms), setter.replayed);
    bench.read(1, by_variable, named("bob"), named("cyd"), at(1s));
    bench.run_out();
    CHECK(bench.outcome() == setter.outcome);
    CHECK(bench.asked.empty());
    if (setter.replayed == compare::Replayed::not_sent) CHECK(contains(bench.evidence(), "\"variable\":\"@id\",\"depends_on\":\"" + setter.sql + "\""));
  }
}

TEST_CASE("variables belong to their session, and end with it") {
  Bench bench;
  bench.target = bench.reference = always(named("bob"));
  bench.seen(1, "SET @id = 2", ok_answer(0), at(900ms), compare::Replayed::sent);
  bench.read(2, by_variable, named("bob"), named("cyd"), at(1s));
  CHECK(bench.outcome(0) == "row_values/unexamined/assumed");
  session::Exchange reset = bench.exchange(1, "", ok_answer(0), at(2s));
  reset.command.code = mysql::CommandCode::reset_connection;
  bench.comparer.observe(reset, sql::Meaning(), compare::Replayed::sent);
  bench.read(1, by_variable, named("bob"), named("cyd"), at(3s));
  CHECK(bench.outcome(1) == "row_values/unexamined/assumed");
}
