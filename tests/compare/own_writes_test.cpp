// The writes that the run itself sends: the two sides meet them at different moments. What that excuses, and what it doesn't.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Own = compare::ComparerOptions::OwnWrites;
using compare::Replayed;

const std::vector<mysql::Column> people{column("people", "id", mysql::ColumnType::long_), column("people", "name", mysql::ColumnType::var_string),
                                        column("people", "city", mysql::ColumnType::var_string)};
constexpr std::uint16_t open_transaction = mysql::status_flag::autocommit | mysql::status_flag::in_transaction;

mysql::Answer person(const std::string& id, const std::string& name, const std::string& city) { return rows_answer(people, {{id, name, city}}); }

mysql::Answer count(const std::string& n) { return rows_answer({column("", "COUNT(*)", mysql::ColumnType::longlong)}, {{n}}); }

sql::Catalogue catalogue() {
  sql::Catalogue known;
  sql::Table table;
  table.columns = {{"id", false}, {"name", false}, {"city", false}, {"hits", false}, {"changed", false, true}};
  table.unique_keys = {{"PRIMARY", {"id"}}};
  known.tables[{"shop", "people"}] = table;
  known.default_schema = "shop";
  return known;
}

struct Case {
  Own order = Own::as_committed;
  bool reference = false;
  std::string read = "SELECT COUNT(*) FROM people WHERE id BETWEEN 1 AND 9";
  mysql::Answer source = count("9"), target = count("8"), later = count("9");  // later: from 1600 ms on
  struct Write {
    std::string sql;
    std::chrono::milliseconds at_source, at_target;  // its request; its answer
  };
  std::vector<Write> writes;
};

std::string outcome(const Case& one, std::string* evidence = nullptr) {
  compare::ComparerOptions options = Bench::with_reference();
  if (!one.reference) options.reference = compare::ComparerOptions::Reference::none;
  options.own_writes = one.order;
  Bench bench(options, catalogue());
  bench.reference = [&](const std::string&, CaptureTime) { return one.later; };
  bench.target = [&](const std::string&, CaptureTime now) { return now < at(1600ms) ? one.target : one.later; };
  std::uint64_t session = 10;
  auto send = [&](const Case::Write& write) {
    bench.seen(++session, write.sql, ok_answer(1), at(write.at_source), Replayed::applied);
    bench.comparer.matched({darktap::SessionId{session}, 0}, at(write.at_target));
  };
  for (const Case::Write& write : one.writes)
    if (write.at_source < 1s) send(write);
  bench.read(2, one.read, one.source, one.target, at(1s));
  for (const Case::Write& write : one.writes)
    if (write.at_source >= 1s) send(write);
  bench.run_out();
  if (evidence != nullptr) *evidence = bench.evidence();
  return bench.outcome();
}

const std::string wrong = "row_values/defect/confirmed", unclear = "row_values/unexamined/assumed", order = "row_values/replay_artifact/confirmed",
                  behind = "row_values/read_after_write/confirmed";

}  // namespace

TEST_CASE("a wrong row that a later write of the run's own brings into order is no stale read, whatever was written before") {
  const std::string before = "INSERT INTO people VALUES (3, 'ann', 'Oslo', 0, NOW())", after = "INSERT INTO people VALUES (5, 'bob', 'Oslo', 0, NOW())";
  for (bool reference : {false, true}) {
    CAPTURE(reference);
    Case one;
    one.reference = reference;
    one.writes = {{before, 800ms, 850ms}};
    CHECK(outcome(one) == behind);  // nothing came to the target since: it lags
    one.writes.push_back({after, 1100ms, 1500ms});
    CHECK(outcome(one) == wrong);
    one.writes.back().at_target = 2500ms;  // it came later than the answer that agreed
    CHECK(outcome(one) == behind);
    one.order = Own::in_any_order;
    one.writes.back().at_target = 1500ms;
    CHECK(outcome(one) == wrong);
  }
}

TEST_CASE("a write that the read overtook explains it where nothing else came before both agreed; an overlap alone excuses nothing") {
  Case one;
  one.order = Own::in_any_order;
  one.writes = {{"INSERT INTO people VALUES (3, 'ann', 'Oslo', 0, NOW())", 800ms, 1500ms}};
  CHECK(outcome(one) == order);
  one.writes.push_back({"INSERT INTO people VALUES (5, 'bob', 'Oslo', 0, NOW())", 1100ms, 1550ms});
  CHECK(outcome(one) == unclear);
  // Under way at the source together with the read.
  one.writes = {{"INSERT INTO people VALUES (3, 'ann', 'Oslo', 0, NOW())", 1000ms, 1500ms}};
  one.order = Own::as_committed;
  std::string evidence;
  CHECK(outcome(one, &evidence) == order);
  CHECK(evidence.find("racing_write") != std::string::npos);
  one.later = one.target;  // it never agreed
  CHECK(outcome(one) == unclear);
}

TEST_CASE("a write elsewhere explains nothing: out of the range, of other columns, of another row") {
  Case one;
  one.order = Own::in_any_order;
  one.later = one.target;
  for (const char* write : {"INSERT INTO people VALUES (30, 'ann', 'Oslo', 0, NOW())", "UPDATE people SET hits = hits + 1 WHERE id = 3", "DELETE FROM people WHERE id = 10"}) {
    CAPTURE(write);
    one.writes = {{write, 800ms, 1500ms}};
    CHECK(outcome(one) == wrong);
  }
  one.writes = {{"DELETE FROM people WHERE id = 9", 800ms, 1500ms}};
  CHECK(outcome(one) == unclear);
  // A column that follows others: what else is written in its row changes it.
  one.read = "SELECT MAX(changed) FROM people WHERE id BETWEEN 1 AND 9";
  one.writes = {{"UPDATE people SET hits = hits + 1 WHERE id = 3", 800ms, 1500ms}};
  CHECK(outcome(one) == unclear);
}

TEST_CASE("what a trigger or a foreign key writes beside is a write of the run's own, and what a view shows lies in its tables") {
  const std::string after = "DELETE FROM parents WHERE id = 3";
  for (bool by_trigger : {true, false}) {
    CAPTURE(by_trigger);
    sql::Catalogue known = catalogue();
    if (by_trigger) known.triggers[{"shop", "parents"}] = {{"shop", "people"}};
    else known.foreign_keys.push_back({{"shop", "people"}, {"shop", "parents"}, {"parent"}, {"id"}, true, false});
    known.views[{"shop", "everybody"}].tables = {{"shop", "people"}};
    for (const char* read : {"SELECT COUNT(*) FROM people", "SELECT COUNT(*) FROM everybody"}) {
      Bench bench(compare::ComparerOptions(), known);
      bench.target = [](const std::string&, CaptureTime now) { return count(now < at(1600ms) ? "8" : "9"); };
      bench.read(2, read, count("9"), count("8"), at(1s));
      bench.seen(1, after, ok_answer(1), at(1100ms), Replayed::applied);
      bench.comparer.matched({darktap::SessionId{1}, 0}, at(1500ms));
      bench.run_out();
      CHECK(bench.outcome() == wrong);
    }
  }
}

TEST_CASE("a wrong cell beside one that a write of the run's own explains is a defect") {
  Case one;
  one.order = Own::in_any_order;
  one.read = "SELECT id, name, city FROM people WHERE id BETWEEN 1 AND 9";
  one.writes = {{"UPDATE people SET name = 'new' WHERE id = 3", 800ms, 1500ms}};
  one.source = person("3", "new", "Oslo");
  one.target = one.later = person("3", "old", "OSLO");
  CHECK(outcome(one) == wrong);
  one.target = one.later = person("3", "old", "Oslo");
  CHECK(outcome(one) == unclear);
  // What it wrote does not stand at the source: the read was not ahead of it.
  one.source = person("3", "good", "Oslo");
  CHECK(outcome(one) == wrong);
  // No key is shown: the values tell.
  const std::vector<mysql::Column> names{people[1]};
  one.read = "SELECT name FROM people WHERE id BETWEEN 1 AND 9";
  one.source = rows_answer(names, {{"new"}, {"good"}});
  one.target = one.later = rows_answer(names, {{"old"}, {"good"}});
  CHECK(outcome(one) == unclear);
  one.target = one.later = rows_answer(names, {{"old"}, {"planted"}});
  CHECK(outcome(one) == wrong);
  one.source = rows_answer(names, {{"same"}, {"good"}});
  one.target = one.later = rows_answer(names, {{"same"}, {"planted"}});
  CHECK(outcome(one) == wrong);
}

TEST_CASE("what the target shows of a write that had come to it early is the replay's order") {
  Case one;
  one.order = Own::in_any_order;
  one.read = "SELECT id, name, city FROM people WHERE id = 3";
  one.writes = {{"UPDATE people SET name = 'new' WHERE id = 3", 1100ms, 900ms}};
  one.source = person("3", "old", "Oslo");
  one.target = one.later = person("3", "new", "Oslo");
  CHECK(outcome(one) == order);
  one.target = one.later = person("3", "planted", "Oslo");
  CHECK(outcome(one) == wrong);
}

TEST_CASE("that production itself answered so before, or after, proves that no row is wrong") {
  const std::string read = "SELECT id, name, city FROM people WHERE id = 3", write = "UPDATE people SET name = CONCAT(name, '!') WHERE id = 3";
  for (bool witness : {true, false}) {
    compare::ComparerOptions options;
    Bench bench(options, catalogue());
    bench.target = [](const std::string&, CaptureTime) { return person("3", "a!!", "Oslo"); };
    bench.seen(9, "UPDATE people SET name = 'a' WHERE id = 3", ok_answer(1), at(100ms), Replayed::applied);
    bench.comparer.matched({darktap::SessionId{9}, 0}, at(110ms));
    if (witness) bench.seen(3, read, person("3", "a", "Oslo"), at(200ms), Replayed::sent);
    bench.seen(1, write, ok_answer(1), at(800ms), Replayed::applied);
    bench.comparer.matched({darktap::SessionId{1}, 0}, at(1500ms));
    bench.read(2, read, person("3", "a!", "Oslo"), person("3", "a", "Oslo"), at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (witness ? order : unclear));
  }
}

TEST_CASE("a session's own write is at the target before its read, and what came behind a transaction's snapshot is not met by it") {
  for (bool own_session : {true, false}) {
    CAPTURE(own_session);
    Bench bench(compare::ComparerOptions(), catalogue());
    const std::string read = "SELECT id, name, city FROM people WHERE id = 3";
    bench.target = [](const std::string&, CaptureTime now) { return now < at(1600ms) ? person("3", "planted", "Oslo") : person("3", "new", "Oslo"); };
    std::uint32_t seq = 0;
    auto sent = [&](std::uint64_t session, std::uint32_t n, std::chrono::milliseconds when) { bench.comparer.matched({darktap::SessionId{session}, n}, at(when)); };
    bench.seen(2, "BEGIN", ok_answer(0, 0, open_transaction), at(900ms), Replayed::sent);
    sent(2, seq++, 905ms);
    if (own_session) {
      bench.seen(2, "UPDATE people SET name = 'new' WHERE id = 3", ok_answer(1, 0, open_transaction), at(910ms), Replayed::applied);
      sent(2, seq++, 915ms);
    } else {
      mysql::Answer first = count("9");
      std::get<mysql::ResultSet>(first.results[0]).status = open_transaction;
      bench.seen(2, "SELECT COUNT(*) FROM people", first, at(920ms), Replayed::sent);
      sent(2, seq++, 930ms);
      bench.seen(1, "UPDATE people SET name = 'new' WHERE id = 3", ok_answer(1), at(950ms), Replayed::applied);
      sent(1, 0, 960ms);
    }
    mysql::Answer source = person("3", own_session ? "new" : "good", "Oslo");
    std::get<mysql::ResultSet>(source.results[0]).status = open_transaction;
    bench.read(2, read, source, person("3", "planted", "Oslo"), at(1s));
    bench.run_out();
    INFO(bench.evidence());
    // Its own write was there before: the target lags. The other one came behind the snapshot at both, and mended the row.
    CHECK(bench.outcome() == (own_session ? behind : wrong));
  }
}

TEST_CASE("that the reference answers as the target did first says nothing where the run itself wrote") {
  Case one;
  one.reference = true;
  one.later = one.target;
  one.writes = {{"DELETE FROM people WHERE id = 5", 1100ms, 1500ms}};
  CHECK(outcome(one) == wrong);
  one.writes = {{"INSERT INTO people VALUES (3, 'ann', 'Oslo', 0, NOW())", 800ms, 850ms}};
  CHECK(outcome(one) == unclear);
  one.writes.clear();
  CHECK(outcome(one) == "row_values/data_moved/confirmed");
}

TEST_CASE("a write that the run left out explains its rows in the columns that it wrote, and no other") {
  auto skipped = [](const std::string& write, const std::string& read, mysql::Answer source, mysql::Answer target) {
    Bench bench(compare::ComparerOptions(), catalogue());
    bench.target = [target](const std::string&, CaptureTime) { return target; };
    bench.seen(1, write, ok_answer(1), at(100ms), Replayed::rolled_back);
    bench.read(2, read, std::move(source), target, at(1s));
    bench.run_out();
    return bench.outcome();
  };
  const std::string update = "UPDATE people SET name = 'new' WHERE id = 3", left_out = "row_values/skipped_write/assumed";
  const std::string by_id = "SELECT id, name, city FROM people WHERE id = 3", in_range = "SELECT name FROM people WHERE id BETWEEN 1 AND 9";
  CHECK(skipped(update, by_id, person("3", "new", "Oslo"), person("3", "old", "Oslo")) == left_out);
  CHECK(skipped(update, by_id, person("3", "new", "Oslo"), person("3", "old", "OSLO")) == wrong);
  CHECK(skipped(update, by_id, person("3", "good", "Oslo"), person("3", "planted", "Oslo")) == wrong);
  CHECK(skipped("UPDATE people SET hits = hits + 1 WHERE id = 3", by_id, person("3", "good", "Oslo"), person("3", "planted", "Oslo")) == wrong);
  const std::vector<mysql::Column> names{people[1]};
  CHECK(skipped(update, in_range, rows_answer(names, {{"new"}}), rows_answer(names, {{"old"}})) == left_out);
  CHECK(skipped(update, in_range, rows_answer(names, {{"new"}, {"good"}}), rows_answer(names, {{"old"}, {"planted"}})) == wrong);
  CHECK(skipped("UPDATE people SET name = 'new' WHERE id = 30", in_range, rows_answer(names, {{"new"}}), rows_answer(names, {{"old"}})) == wrong);
  CHECK(skipped("DELETE FROM people WHERE id = 3", "SELECT COUNT(*) FROM people WHERE id < 9", count("8"), count("9")) == left_out);
}

TEST_CASE("a transaction that is rolled back at its end has met its own writes until then") {
  Bench bench(compare::ComparerOptions(), catalogue());
  bench.target = [](const std::string&, CaptureTime) { return person("3", "planted", "Oslo"); };
  bench.seen(2, "BEGIN", ok_answer(0, 0, open_transaction), at(900ms), Replayed::sent);
  bench.seen(2, "UPDATE people SET name = CONCAT(name, '!') WHERE id = 3", ok_answer(1, 0, open_transaction), at(910ms), Replayed::rolled_back);
  bench.read(2, "SELECT id, name, city FROM people WHERE id = 3", person("3", "good", "Oslo"), person("3", "planted", "Oslo"), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == wrong);
}

TEST_CASE("a write that meets other rows because one of the run's own came to the target later is unexamined, not a defect") {
  auto outcome_where_inserted = [](std::chrono::milliseconds at_target) {
    compare::ComparerOptions options = Bench::with_reference();
    options.own_writes = Own::in_any_order;
    Bench bench(options, catalogue());
    bench.seen(11, "INSERT INTO people (id, name, city) VALUES (7, 'bob', 'Rome')", ok_answer(1), at(900ms), Replayed::applied);
    if (at_target < 1s) bench.comparer.matched({darktap::SessionId{11}, 0}, at(at_target));
    bench.run_until(at(1s));
    session::Exchange one = bench.exchange(2, "DELETE FROM people WHERE id = 7", ok_answer(1), at(1s));
    sql::Meaning meaning = sql::understand(one.command.text);
    bench.comparer.observe(one, meaning, Replayed::applied);
    bench.comparer.compare(std::move(one), meaning, {ok_answer(0), at(1s + 2ms), at(1s + 3ms), at(1s + 3ms)}, at(1s + 3ms));
    if (at_target > 1s) bench.comparer.matched({darktap::SessionId{11}, 0}, at(at_target));
    bench.run_out();
    return bench.outcome();
  };
  CHECK(outcome_where_inserted(1200ms) == "affected_rows/unexamined/assumed");
  CHECK(outcome_where_inserted(910ms) == "affected_rows/defect/proved");
}

TEST_CASE("two writes of the run's own that reached a row the other way round after the read are no defect") {
  Case one;
  one.order = Own::in_any_order;
  one.read = "SELECT id, name, city FROM people WHERE id = 7";
  one.source = person("7", "bob", "Rome");
  one.target = person("7", "bob", "Bern");
  one.later = person("7", "bob", "Oslo");
  one.writes = {{"UPDATE people SET city = 'Oslo' WHERE id = 7", 900ms, 1500ms}, {"UPDATE people SET city = 'Rome' WHERE id = 7", 950ms, 1200ms}};
  CHECK(outcome(one) == "row_values/unexamined/assumed");
  one.writes[0].at_target = 1100ms;  // in production's order: with both it had to be Rome
  one.later = person("7", "bob", "rome");
  CHECK(outcome(one) == "row_values/defect/confirmed");
}
