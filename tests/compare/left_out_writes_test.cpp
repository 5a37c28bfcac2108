// Writes that the target never got: the run left them out, or the target lost them with a connection, or as a deadlock's victim.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

const std::vector<mysql::Column> people{column("people", "id", mysql::ColumnType::long_), column("people", "name", mysql::ColumnType::var_string)};

mysql::Answer person(const std::string& id, const std::string& name) { return rows_answer(people, {{id, name}}); }

Bench::Answerer always(mysql::Answer answer) {
  return [answer](const std::string&, CaptureTime) { return answer; };
}

std::string update_of(int id) { return "UPDATE people SET name = 'new' WHERE id = " + std::to_string(id); }

// A session's transaction that writes rows 1 and 2, and a write of row 3 behind it; all of it sent. Their seqs are 0 to 4.
void transact(Bench& bench) {
  constexpr std::uint16_t open = mysql::status_flag::autocommit | mysql::status_flag::in_transaction;
  bench.seen(1, "BEGIN", ok_answer(0, 0, open), at(100ms), compare::Replayed::sent);
  bench.seen(1, update_of(1), ok_answer(1, 0, open), at(110ms), compare::Replayed::applied);
  bench.seen(1, update_of(2), ok_answer(1, 0, open), at(120ms), compare::Replayed::applied);
  bench.seen(1, "COMMIT", ok_answer(0), at(130ms), compare::Replayed::sent);
  bench.seen(1, update_of(3), ok_answer(1), at(140ms), compare::Replayed::applied);
}

std::string outcome_of(Bench& bench, int id) {
  bench.target = always(person(std::to_string(id), "old"));
  bench.read(2, "SELECT id, name FROM people WHERE id = " + std::to_string(id), person(std::to_string(id), "new"), person(std::to_string(id), "old"), at(1s + id * 10s));
  bench.run_out();
  return bench.outcome(bench.judgements.size() - 1);
}

}  // namespace

TEST_CASE("what a lost transaction wrote is missing by our doing, whichever of its statements was lost") {
  for (std::uint32_t lost : {0U, 1U, 2U, 3U}) {
    CAPTURE(lost);
    Bench bench{compare::ComparerOptions()};
    transact(bench);
    bench.comparer.lost({darktap::SessionId{1}, lost});
    // BEGIN came before both writes: what came of them is told by themselves.
    CHECK(outcome_of(bench, 1) == (lost == 0 ? "row_values/defect/confirmed" : "row_values/skipped_write/assumed"));
    CHECK(outcome_of(bench, 2) == (lost < 2 ? "row_values/defect/confirmed" : "row_values/skipped_write/assumed"));
    CHECK(outcome_of(bench, 3) == "row_values/defect/confirmed");
  }
}

TEST_CASE("a write on its own is lost alone, and of its own session only") {
  for (std::uint64_t session : {1U, 2U}) {
    Bench bench{compare::ComparerOptions()};
    transact(bench);
    bench.comparer.lost({darktap::SessionId{session}, 4});
    CHECK(outcome_of(bench, 3) == (session == 1 ? "row_values/skipped_write/assumed" : "row_values/defect/confirmed"));
    if (session == 1) CHECK(bench.evidence().find("lost this write's transaction") != std::string::npos);
    CHECK(outcome_of(bench, 2) == "row_values/defect/confirmed");
  }
}

TEST_CASE("reads of left-out writes that stay away from ladder after ladder say that nothing brings them, and one that arrives says otherwise") {
  for (bool arrives : {false, true}) {
    CAPTURE(arrives);
    Bench bench{compare::ComparerOptions()};
    constexpr int rows = 40;
    for (int id = 1; id <= rows; ++id) bench.seen(1, update_of(id), ok_answer(1), at(100ms), compare::Replayed::not_sent);
    bench.target = [&](const std::string& sql, CaptureTime) {
      std::string id = sql.substr(sql.find("= ") + 2);
      return person(id, arrives && id == "3" && bench.asked.size() > 20 ? "new" : "old");
    };
    for (int id = 1; id <= rows; ++id)
      bench.read(2, "SELECT id, name FROM people WHERE id = " + std::to_string(id), person(std::to_string(id), "new"), person(std::to_string(id), "old"), at(1s));
    bench.run_out();
    CHECK(bench.comparer.target_follows() == (arrives ? "yes" : "no"));
    std::size_t skipped = 0;
    for (std::size_t i = 0; i < bench.judgements.size(); ++i) skipped += bench.outcome(i) == "row_values/skipped_write/assumed";
    CHECK(bench.judgements.size() == rows);
    if (arrives) CHECK(skipped < rows / 2);
    else CHECK(skipped == rows);
    // The ladders that were under way when it was found out are the last.
    if (!arrives) CHECK(bench.asked.size() < 600);
  }
}

TEST_CASE("a read that the replay sent before the write it had followed is the replay's doing, one behind it is a target that lags") {
  for (auto answered : {900ms, 1500ms}) {
    Bench bench;
    bench.reference = always(person("3", "new"));
    bench.target = [&](const std::string&, CaptureTime now) { return person("3", now < at(1600ms) ? "old" : "new"); };
    bench.seen(1, update_of(3), ok_answer(1), at(800ms), compare::Replayed::applied);
    bench.comparer.matched({darktap::SessionId{1}, 0}, at(answered));
    bench.read(2, "SELECT id, name FROM people WHERE id = 3", person("3", "new"), person("3", "old"), at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (answered < 1s ? "row_values/read_after_write/confirmed" : "row_values/replay_artifact/confirmed"));
    CHECK(bench.evidence().find("\"write\":{\"session\":1,\"seq\":0") != std::string::npos);
  }
}

TEST_CASE("what is computed from a left-out write is tainted, and what is computed from that; what another row's join brings is not") {
  struct Case {
    std::vector<std::string> writes;
    std::string outcome;
  };
  for (const Case& one : {Case{{"INSERT INTO a SELECT * FROM people", "INSERT INTO b SELECT * FROM a", "UPDATE logs, b SET logs.name = b.name WHERE logs.id = b.id"}, "skipped_write"},
                          Case{{"INSERT INTO logs SELECT id, name FROM people"}, "skipped_write"},
                          Case{{"INSERT INTO people SELECT id + 100, name FROM people", "INSERT INTO logs SELECT id, name FROM people WHERE id > 100"}, "skipped_write"},
                          Case{{"UPDATE logs, people SET logs.name = people.name WHERE logs.id = 4 AND people.id = 8"}, "defect"},
                          Case{{"INSERT INTO logs VALUES (4, 'new')"}, "defect"}}) {
    CAPTURE(one.writes.front());
    Bench bench{compare::ComparerOptions()};
    bench.seen(1, update_of(7), ok_answer(1), at(100ms), compare::Replayed::not_sent);
    auto when = at(200ms);
    for (const std::string& write : one.writes) bench.seen(1, write, ok_answer(1), when += 10ms, compare::Replayed::applied);
    bench.target = always(person("4", "old"));
    bench.read(2, "SELECT id, name FROM logs WHERE id = 4", person("4", "new"), person("4", "old"), at(1s));
    bench.run_out();
    CHECK(bench.outcome().find("/" + one.outcome + "/") != std::string::npos);
  }
}

TEST_CASE("a time that is known only to within its write's way differs by that, and by nothing else") {
  const std::vector<mysql::Column> orders{column("orders", "id", mysql::ColumnType::long_), column("orders", "placed", mysql::ColumnType::datetime), column("orders", "total", mysql::ColumnType::long_)};
  auto order = [&](const std::string& placed, const std::string& total) { return rows_answer(orders, {{"7", placed, total}}); };
  auto outcome = [&](compare::Replayed replayed, const std::string& placed, const std::string& total) {
    Bench bench{compare::ComparerOptions()};
    bench.seen(1, "INSERT INTO orders VALUES (7, NOW(6), 5)", ok_answer(1), at(110ms), replayed);
    bench.target = always(order(placed, total));
    bench.read(2, "SELECT id, placed, total FROM orders WHERE id = 7", order("2019-12-20 02:00:00.110200", "5"), order(placed, total), at(1s));
    bench.run_out();
    if (bench.outcome().find("nondeterministic") != std::string::npos) CHECK(bench.evidence().find(R"("write":{"session":1)") != std::string::npos);
    return bench.outcome();
  };
  using enum compare::Replayed;
  CHECK(outcome(applied_about_then, "2019-12-20 02:00:00.110050", "5") == "row_values/nondeterministic/assumed");
  CHECK(outcome(applied, "2019-12-20 02:00:00.110050", "5") == "row_values/defect/confirmed");
  CHECK(outcome(applied_about_then, "2019-12-20 02:00:00.610050", "5") == "row_values/defect/confirmed");
  CHECK(outcome(applied_about_then, "2019-12-20 02:00:00.110050", "6") == "row_values/defect/confirmed");
}
