// Servers that break ties otherwise each time they are asked: rows wander, and what is wrong in one of them stays wrong.
#include <memory>

#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Rows = std::vector<std::vector<std::string>>;

const std::vector<mysql::Column> columns{column("t", "id", mysql::ColumnType::long_), column("t", "n", mysql::ColumnType::long_), column("t", "last", mysql::ColumnType::datetime)};
const std::string sql = "SELECT id, n, last FROM t ORDER BY n DESC";

// Each answer turns the tie's rows once more.
Bench::Answerer turning(Rows rows) {
  auto state = std::make_shared<Rows>(std::move(rows));
  return [state](const std::string&, CaptureTime) {
    std::rotate(state->begin(), state->begin() + 1, state->end());
    return rows_answer(columns, *state);
  };
}

std::string judge(const Rows& source, const Rows& target, Bench::Answerer reference) {
  Bench bench;
  bench.reference = std::move(reference);
  bench.target = turning(target);
  bench.read(1, sql, rows_answer(columns, source), rows_answer(columns, target), at(1s));
  bench.run_out();
  return bench.outcome();
}

const Rows right{{"1", "4", "2024-01-01 00:00:01"}, {"2", "4", "2024-01-01 00:00:02"}, {"3", "4", "2024-01-01 00:00:03"}};

}  // namespace

TEST_CASE("rows that wander inside a tie are no noise of their cells: a wrong cell stays a defect") {
  Rows wrong = right;
  wrong[1][2] = "2024-01-01 00:00:09";
  CHECK(judge(right, wrong, turning(right)) == "row_values/defect/confirmed");
  wrong = right;
  wrong[1][0] = "7";
  CHECK(judge(right, wrong, turning(right)) == "row_values/defect/confirmed");
}

TEST_CASE("a cell that the reference answers otherwise each time is noise in its own row, wherever that stands") {
  auto count = std::make_shared<int>(0);
  auto noisy = [count](const std::string&, CaptureTime) {
    Rows rows = right;
    rows[1][2] = "2024-01-01 01:00:" + std::to_string(10 + (*count)++);
    std::rotate(rows.begin(), rows.begin() + *count % 3, rows.end());
    return rows_answer(columns, rows);
  };
  Rows other = right, wrong = right;
  other[1][2] = "2024-01-01 02:00:00";
  CHECK(judge(right, other, noisy) == "row_values/nondeterministic/confirmed");
  wrong = other;
  wrong[0][2] = "2024-01-01 02:00:00";
  CHECK(judge(right, wrong, noisy) == "row_values/defect/confirmed");
}
