// sql_select_limit cuts a SELECT without LIMIT as one would: where it cuts in a tie is no difference.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

const std::vector<mysql::Column> people{column("people", "id", mysql::ColumnType::long_), column("people", "city", mysql::ColumnType::var_string)};
const std::string by_city = "SELECT id, city FROM people ORDER BY city -- all of them";

mysql::Answer cities(const std::vector<std::vector<std::string>>& rows) { return rows_answer(people, rows); }

// Both cut after three rows, inside the tie of Oslo; which of its rows the target holds.
std::string judge(const std::vector<std::string>& settings, const std::vector<std::vector<std::string>>& tie_on_target = {{"2", "Oslo"}, {"3", "Oslo"}, {"4", "Oslo"}}) {
  const auto source = cities({{"1", "Bern"}, {"2", "Oslo"}, {"3", "Oslo"}}), target = cities({{"1", "Bern"}, {"4", "Oslo"}, {"2", "Oslo"}});
  const auto tie = cities({{"2", "Oslo"}, {"3", "Oslo"}, {"4", "Oslo"}}), held = cities(tie_on_target);
  auto server = [](mysql::Answer own, mysql::Answer in_tie) {
    return [=](const std::string& asked, CaptureTime) {
      if (asked == by_city) return own;
      return asked.find("<=> 'Oslo'") != std::string::npos && asked.ends_with("LIMIT 18446744073709551615") ? in_tie : error_answer(1064, "not expected: " + asked);
    };
  };
  Bench bench;
  bench.reference = server(source, tie);
  bench.target = server(target, held);
  auto when = at(100ms);
  for (const std::string& setting : settings) bench.seen(1, setting, ok_answer(0), when += 10ms, compare::Replayed::sent);
  bench.seen(2, "SET sql_select_limit = 2", ok_answer(0), at(800ms), compare::Replayed::sent);  // another session's
  bench.read(1, by_city, source, target, at(1s));
  bench.seen(1, "SET sql_select_limit = 1", ok_answer(0), at(1010ms), compare::Replayed::sent);  // too late
  bench.run_out();
  return bench.outcome();
}

}  // namespace

TEST_CASE("an answer that sql_select_limit cut inside a tie is one that the data allow, as the session had it when it asked") {
  CHECK(judge({"SET SQL_SELECT_LIMIT = 3"}) == "row_values/order_undefined/confirmed");
  CHECK(judge({"SET SESSION sql_select_limit = 7", "SET @@sql_select_limit := 3"}) == "row_values/order_undefined/confirmed");
  CHECK(judge({}) == "row_values/defect/confirmed");
  CHECK(judge({"SET SQL_SELECT_LIMIT = 3", "SET SQL_SELECT_LIMIT = DEFAULT"}) == "row_values/defect/confirmed");
  CHECK(judge({"SET SQL_SELECT_LIMIT = 18446744073709551615"}) == "row_values/defect/confirmed");
}

TEST_CASE("a row that the target's tie lacks is a defect under sql_select_limit, too") {
  CHECK(judge({"SET SQL_SELECT_LIMIT = 3"}, {{"2", "Oslo"}, {"4", "Oslo"}}) == "row_values/defect/confirmed");
}
