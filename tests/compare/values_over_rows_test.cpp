// Counts, sums and their like that come to agree because of a later write, while a row below is wrong for good.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

const std::string count = "SELECT COUNT(*) FROM people WHERE city = 'Rome'";
const std::string any = "SELECT EXISTS (SELECT 1 FROM people WHERE city = 'Rome')";

mysql::Answer number(int value) { return rows_answer({column("", "n", mysql::ColumnType::longlong)}, {{std::to_string(value)}}); }

// A server by how many Romans it holds when: those from number `first` on.
Bench::Answerer romans(std::function<int(CaptureTime)> held, int first = 1) {
  return [held, first](const std::string& sql, CaptureTime now) {
    int rows = held(now);
    if (sql == count) return number(rows);
    if (sql == any) return number(rows > 0);
    std::vector<std::vector<std::string>> below;
    for (int i = 0; i < rows; ++i) below.push_back({std::to_string(first + i)});
    return rows_answer({column("people", "id", mysql::ColumnType::longlong)}, below);
  };
}

std::function<int(CaptureTime)> one_more_from(CaptureTime when, int before) {
  return [=](CaptureTime now) { return now < when ? before : before + 1; };
}

compare::ComparerOptions follows() {
  compare::ComparerOptions options = Bench::with_reference();
  options.own_writes = compare::ComparerOptions::OwnWrites::none;
  options.target_follows = compare::ComparerOptions::TargetFollows::yes;
  return options;
}

void insert(Bench& bench, const std::string& id, CaptureTime when) { bench.seen(2, "INSERT INTO people (id, city) VALUES (" + id + ", 'Rome')", ok_answer(1), when); }

}  // namespace

TEST_CASE("a count that lacks a row for good is a defect, although a later write brought it to what production had answered") {
  Bench bench(follows());
  bench.reference = romans(one_more_from(at(1s + 2ms), 7));
  bench.target = romans(one_more_from(at(1s + 2ms), 6));
  insert(bench, "9", at(990ms));
  bench.run_until(at(1s));
  session::Exchange read = bench.exchange(1, count, number(7), at(1s));
  sql::Meaning meaning = sql::understand(count);
  bench.comparer.observe(read, meaning, compare::Replayed::sent);
  insert(bench, "10", at(1s + 2ms));
  bench.comparer.compare(std::move(read), meaning, {number(6), at(1s + 3ms), at(1s + 4ms), at(1s + 4ms)}, at(1s + 5ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/defect/confirmed");
}

TEST_CASE("a count that lacks a row for good is no read after write while writes go on") {
  Bench bench(follows());
  bench.reference = romans(one_more_from(at(1s + 400ms), 7));
  bench.target = romans(one_more_from(at(1s + 400ms), 6));
  insert(bench, "9", at(990ms));
  bench.read(1, count, number(7), number(6), at(1s));
  insert(bench, "10", at(1s + 400ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/unexamined/assumed");
}

TEST_CASE("a count that was behind is read after write, whatever was written later") {
  Bench bench(follows());
  bench.reference = romans(one_more_from(at(1s + 100ms), 7));
  bench.target = romans([](CaptureTime now) { return now < at(1s + 300ms) ? 6 : now < at(1s + 600ms) ? 7 : 8; });
  insert(bench, "9", at(990ms));
  bench.read(1, count, number(7), number(6), at(1s));
  insert(bench, "10", at(1s + 100ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
}

TEST_CASE("EXISTS that came to agree by another row says nothing of the one that is missing") {
  Bench bench(follows());
  bench.reference = romans(one_more_from(at(1s + 400ms), 1));
  bench.target = romans(one_more_from(at(1s + 400ms), 0));
  insert(bench, "9", at(990ms));
  bench.read(1, any, number(1), number(0), at(1s));
  insert(bench, "10", at(1s + 400ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/unexamined/assumed");
}

TEST_CASE("a count that the reference came to by a later write is no moved data, where the rows are others") {
  Bench bench(follows());
  bench.reference = romans([](CaptureTime now) { return now < at(1s + 100ms) ? 7 : 6; });
  bench.target = romans([](CaptureTime) { return 6; }, 2);
  bench.read(1, count, number(7), number(6), at(1s));
  bench.seen(2, "DELETE FROM people WHERE id = 1 AND city = 'Rome'", ok_answer(1), at(1s + 100ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/unexamined/assumed");
}

TEST_CASE("a count that the reference came to by a later write is moved data, where the rows are the same") {
  Bench bench(follows());
  bench.reference = romans([](CaptureTime now) { return now < at(1s + 100ms) ? 7 : 6; });
  bench.target = romans([](CaptureTime) { return 6; });
  bench.read(1, count, number(7), number(6), at(1s));
  bench.seen(2, "DELETE FROM people WHERE id = 7 AND city = 'Rome'", ok_answer(1), at(1s + 100ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/data_moved/confirmed");
}

TEST_CASE("a reference that lagged itself lends its older count to no target that lacks a row for good") {
  Bench bench(follows());
  bench.reference = romans(one_more_from(at(1s + 30ms), 1));
  bench.target = romans(one_more_from(at(1s + 30ms), 0), 2);
  insert(bench, "9", at(990ms));
  bench.read(1, count, number(2), number(0), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/defect/confirmed");
}
