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

// A session's transaction that writes rows 1 and 2, and a write of row 3 behind it; all of it sent, and answered but for the lost one.
// Their seqs are 0 to 4.
void transact(Bench& bench, session::ExchangeId lost) {
  constexpr std::uint16_t open = mysql::status_flag::autocommit | mysql::status_flag::in_transaction;
  bench.seen(1, "BEGIN", ok_answer(0, 0, open), at(100ms), compare::Replayed::sent);
  bench.seen(1, update_of(1), ok_answer(1, 0, open), at(110ms), compare::Replayed::applied);
  bench.seen(1, update_of(2), ok_answer(1, 0, open), at(120ms), compare::Replayed::applied);
  bench.seen(1, "COMMIT", ok_answer(0), at(130ms), compare::Replayed::sent);
  bench.seen(1, update_of(3), ok_answer(1), at(140ms), compare::Replayed::applied);
  for (std::uint32_t seq = 0; seq < 5; ++seq) {
    session::ExchangeId id{darktap::SessionId{1}, seq};
    if (id == lost) bench.comparer.lost(id);
    else bench.comparer.matched(id, at(150ms));
  }
  if (lost.session != darktap::SessionId{1}) bench.comparer.lost(lost);
}

std::string outcome_of(Bench& bench, int id, std::optional<CaptureTime> when = std::nullopt) {
  bench.target = always(person(std::to_string(id), "old"));
  bench.read(2, "SELECT id, name FROM people WHERE id = " + std::to_string(id), person(std::to_string(id), "new"), person(std::to_string(id), "old"), when.value_or(at(1s + id * 10s)));
  bench.run_out();
  return bench.outcome(bench.judgements.size() - 1);
}

}  // namespace

TEST_CASE("what a lost transaction wrote is missing by our doing, whichever of its statements was lost") {
  for (std::uint32_t lost : {0U, 1U, 2U, 3U}) {
    CAPTURE(lost);
    Bench bench{compare::ComparerOptions()};
    transact(bench, {darktap::SessionId{1}, lost});
    // BEGIN came before both writes: what came of them is told by themselves.
    CHECK(outcome_of(bench, 1) == (lost == 0 ? "row_values/defect/confirmed" : "row_values/skipped_write/assumed"));
    CHECK(outcome_of(bench, 2) == (lost < 2 ? "row_values/defect/confirmed" : "row_values/skipped_write/assumed"));
    CHECK(outcome_of(bench, 3) == "row_values/defect/confirmed");
  }
}

TEST_CASE("a write on its own is lost alone, and of its own session only") {
  for (std::uint64_t session : {1U, 2U}) {
    Bench bench{compare::ComparerOptions()};
    transact(bench, {darktap::SessionId{session}, 4});
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
    for (std::uint32_t seq = 1; const std::string& write : one.writes) {
      bench.seen(1, write, ok_answer(1), when += 10ms, compare::Replayed::applied);
      bench.comparer.matched({darktap::SessionId{1}, seq++}, when + 5ms);
    }
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
    bench.comparer.matched({darktap::SessionId{1}, 0}, at(115ms));
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

TEST_CASE("a write that the run sent, under way at the source together with the read, is no stale read where the replay sent it later") {
  for (auto replayed : {compare::Replayed::applied, compare::Replayed::not_sent}) {
    Bench bench;
    bench.reference = always(person("3", "new"));
    bench.target = [&](const std::string&, CaptureTime now) { return person("3", now < at(1600ms) ? "old" : "new"); };
    session::Exchange update = bench.exchange(1, update_of(3), ok_answer(1), at(990ms));
    update.response_first = update.response_last = at(1s + 500us);
    bench.comparer.observe(update, sql::understand(update.command.text), replayed);
    bench.read(2, "SELECT id, name FROM people WHERE id = 3", person("3", "new"), person("3", "old"), at(1s));
    if (replayed == compare::Replayed::applied) bench.comparer.matched({darktap::SessionId{1}, 0}, at(1500ms));
    bench.run_out();
    CHECK(bench.outcome() == (replayed == compare::Replayed::applied ? "row_values/replay_artifact/confirmed" : "row_values/stale_read/confirmed"));
    CHECK(bench.evidence().find("racing_write") != std::string::npos);
  }
}

TEST_CASE("a wrong row that a later write of the run's own heals was wrong; where the target had had that write already, and shows nothing of it, nothing is sure") {
  using Own = compare::ComparerOptions::OwnWrites;
  const std::string wrong = "row_values/defect/confirmed", unclear = "row_values/unexamined/assumed";
  struct Case {
    Own own_writes;
    std::chrono::milliseconds had_it;
    int other_row;  // which a write met before the read was sent
    std::string expected;
  };
  for (const Case& one : {Case{Own::in_any_order, 1500ms, 0, wrong}, {Own::in_any_order, 1030ms, 0, unclear}, {Own::in_any_order, 990ms, 0, unclear}, {Own::as_committed, 1500ms, 0, wrong},
                          {Own::as_committed, 1030ms, 0, wrong}, {Own::as_committed, 990ms, 0, unclear}, {Own::as_committed, 1500ms, 4, wrong}, {Own::in_any_order, 1500ms, 4, wrong}}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.own_writes = one.own_writes;
    Bench bench{options};
    bench.reference = always(person("3", "last"));
    bench.target = [&](const std::string&, CaptureTime now) { return person("3", now < at(1600ms) ? "planted" : "last"); };
    bench.read(2, "SELECT id, name FROM people WHERE id = 3", person("3", "good"), person("3", "planted"), at(1s));
    bench.seen(1, update_of(3), ok_answer(1), at(1s + 20ms), compare::Replayed::applied);
    bench.comparer.matched({darktap::SessionId{1}, 0}, at(one.had_it));
    if (one.other_row != 0) {
      bench.seen(1, update_of(one.other_row), ok_answer(1), at(1s + 30ms), compare::Replayed::applied);
      bench.comparer.matched({darktap::SessionId{1}, 1}, at(990ms));
    }
    bench.run_out();
    INFO(bench.evidence());
    CHECK(bench.outcome() == one.expected);
  }
}

TEST_CASE("a read that doesn't show its rows' keys: a write to its table that went ahead says nothing where the target doesn't show it") {
  using Own = compare::ComparerOptions::OwnWrites;
  for (Own own_writes : {Own::in_any_order, Own::as_committed}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.own_writes = own_writes;
    Bench bench{options};
    const std::vector<mysql::Column> name{column("people", "name", mysql::ColumnType::var_string)};
    bench.reference = always(rows_answer(name, {{"last"}}));
    bench.target = [&](const std::string&, CaptureTime now) { return rows_answer(name, {{now < at(1600ms) ? "planted" : "last"}}); };
    bench.read(2, "SELECT name FROM people WHERE id BETWEEN 2 AND 9", rows_answer(name, {{"good"}}), rows_answer(name, {{"planted"}}), at(1s));
    bench.seen(1, update_of(5), ok_answer(1), at(1s + 20ms), compare::Replayed::applied);
    bench.comparer.matched({darktap::SessionId{1}, 0}, at(990ms));
    bench.seen(1, update_of(3), ok_answer(1), at(1s + 30ms), compare::Replayed::applied);
    bench.comparer.matched({darktap::SessionId{1}, 1}, at(1500ms));
    bench.run_out();
    INFO(bench.evidence());
    CHECK(bench.outcome() == "row_values/defect/confirmed");
  }
}

TEST_CASE("a left-out write that a restored backup lacks, too, is missing; the data have not moved") {
  for (auto follows : {compare::ComparerOptions::TargetFollows::automatic, compare::ComparerOptions::TargetFollows::no, compare::ComparerOptions::TargetFollows::yes}) {
    compare::ComparerOptions options = Bench::with_reference();
    options.target_follows = follows;
    Bench bench{options};
    const std::vector<mysql::Column> counted{column("", "COUNT(*)", mysql::ColumnType::longlong)};
    std::string left_out = follows == compare::ComparerOptions::TargetFollows::automatic ? "skipped_write/assumed" : "skipped_write/confirmed";
    if (follows == compare::ComparerOptions::TargetFollows::yes) left_out = "data_moved/confirmed";
    bench.seen(1, "DELETE FROM people WHERE id = 5", ok_answer(1), at(100ms));
    bench.target = bench.reference = always(rows_answer(counted, {{"24"}}));
    bench.read(2, "SELECT COUNT(*) FROM people", rows_answer(counted, {{"23"}}), rows_answer(counted, {{"24"}}), at(1s));
    bench.run_out();
    CHECK(bench.outcome() == "row_values/" + left_out);
    // A later write may have taken it back: then nothing says that the first one is missing.
    if (follows != compare::ComparerOptions::TargetFollows::automatic) continue;
    bench.read(2, "SELECT COUNT(*) AS n FROM people", rows_answer(counted, {{"23"}}), rows_answer(counted, {{"24"}}), at(20s));
    bench.seen(1, "INSERT INTO people VALUES (5, 'again')", ok_answer(1), at(20s + 10ms));
    bench.run_out();
    CHECK(bench.outcome(1) == "row_values/data_moved/confirmed");
  }
}

TEST_CASE("a reference that three left-out writes never reached stands still; later writes take nothing back there") {
  Bench bench;
  std::vector<mysql::Column> counted{column("", "COUNT(*)", mysql::ColumnType::longlong)};
  bench.target = bench.reference = [&](const std::string& sql, CaptureTime) {
    return sql.find("COUNT") != std::string::npos ? rows_answer(counted, {{"24"}}) : person(sql.substr(sql.find("= ") + 2), "old");
  };
  for (int id = 1; id <= 3; ++id) {
    bench.seen(1, update_of(id), ok_answer(1), at(id * 10s));
    bench.read(2, "SELECT id, name FROM people WHERE id = " + std::to_string(id), person(std::to_string(id), "new"), person(std::to_string(id), "old"), at(id * 10s + 1s));
    bench.run_out();
    CHECK(bench.outcome(static_cast<std::size_t>(id) - 1) == "row_values/skipped_write/assumed");
  }
  bench.seen(1, "DELETE FROM people WHERE id = 5", ok_answer(1), at(50s));
  bench.read(2, "SELECT COUNT(*) FROM people", rows_answer(counted, {{"23"}}), rows_answer(counted, {{"24"}}), at(51s));
  bench.seen(1, "INSERT INTO people VALUES (5, 'again')", ok_answer(1), at(51s + 10ms));
  bench.run_out();
  CHECK(bench.outcome(3) == "row_values/skipped_write/assumed");
}

TEST_CASE("a copy that stands still lacks what was left out as the target does: where they differ a row is wrong") {
  struct Sum { std::string source, copy, target; bool showed; std::string outcome; };
  const std::string skipped = "row_values/skipped_write/confirmed", assumed = "row_values/skipped_write/assumed", defect = "row_values/defect/confirmed";
  for (const Sum& one : {Sum{"100", "90", "90", false, skipped}, Sum{"100", "90", "91", false, defect}, Sum{"100", "100", "91", false, defect}, Sum{"100", "95", "91", true, assumed}, Sum{"100", "100", "91", true, skipped}}) {
    CAPTURE(one.copy, one.target, one.showed);
    Bench bench;
    std::vector<mysql::Column> summed{column("", "SUM(n)", mysql::ColumnType::longlong)};
    auto server = [&](std::string sum, bool shows) {
      return [=](const std::string& sql, CaptureTime) {
        std::string id = sql.substr(sql.find("= ") + 2);
        return sql.find("SUM") != std::string::npos ? rows_answer(summed, {{sum}}) : person(id, shows && id == "4" ? "new" : "old");
      };
    };
    bench.target = server(one.target, false);
    bench.reference = server(one.copy, one.showed);
    for (int id = 1; id <= 12; ++id) {
      bench.seen(1, update_of(id), ok_answer(1), at(id * 10s));
      bench.read(2, "SELECT id, name FROM people WHERE id = " + std::to_string(id), person(std::to_string(id), "new"), person(std::to_string(id), "old"), at(id * 10s + 1s));
      bench.run_out();
    }
    bench.read(2, "SELECT SUM(n) FROM people", rows_answer(summed, {{one.source}}), rows_answer(summed, {{one.target}}), at(140s));
    bench.run_out();
    CHECK(bench.outcome(12) == one.outcome);
  }
}

TEST_CASE("a DELETE may meet what was inserted while it waited") {
  for (auto committed : {290ms, 310ms}) {
    Bench bench;
    bench.seen(1, "INSERT INTO people VALUES (7, 'ann')", ok_answer(1), at(committed), compare::Replayed::rolled_back);
    session::Exchange removal = bench.exchange(2, "DELETE FROM people WHERE name = 'ann'", ok_answer(1), at(280ms));
    removal.response_first = removal.response_last = at(300ms);
    sql::Meaning meaning = sql::understand(removal.command.text);
    bench.comparer.observe(removal, meaning, compare::Replayed::rolled_back);
    bench.comparer.compare(std::move(removal), meaning, {ok_answer(0), at(301ms), at(302ms), at(302ms)}, at(303ms));
    CHECK(bench.outcome() == (committed == 290ms ? "affected_rows/skipped_write/assumed" : "affected_rows/defect/proved"));
  }
}

TEST_CASE("an error about a foreign key is explained by a left-out write of the table on its other end") {
  const std::string broken = "Cannot add or update a child row: a foreign key constraint fails (`shop`.`items`, CONSTRAINT `items_1` FOREIGN KEY (`order_id`) REFERENCES `orders` (`id`))";
  Bench bench;
  bench.read(1, "INSERT INTO items VALUES (1, 7)", ok_answer(1), error_answer(1452, broken), at(100ms));
  CHECK(bench.outcome() == "error_only_target/defect/proved");
  bench.seen(1, "INSERT INTO orders VALUES (7)", ok_answer(1), at(200ms), compare::Replayed::rolled_back);
  bench.read(1, "INSERT INTO items VALUES (1, 7)", ok_answer(1), error_answer(1452, broken), at(300ms));
  CHECK(bench.outcome(1) == "error_only_target/skipped_write/assumed");
  CHECK(bench.evidence(1).find("INSERT INTO orders") != std::string::npos);
  bench.read(1, "INSERT INTO items VALUES (2, 7)", ok_answer(1), error_answer(1062, "Duplicate entry '2' for key 'PRIMARY'"), at(400ms));
  CHECK(bench.outcome(2) == "error_only_target/defect/proved");
}

TEST_CASE("what a REPLACE meets is told by the table's unique key, not by the values it brings") {
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "counters"}] = {{{"k"}, {"n"}}, {{"PRIMARY", {"k"}}}};
  Bench bench{Bench::with_reference(), catalogue};
  bench.seen(1, "REPLACE INTO counters VALUES ('a', 1)", ok_answer(1), at(100ms), compare::Replayed::rolled_back);
  bench.read(1, "REPLACE INTO counters VALUES ('a', 2)", ok_answer(2), ok_answer(1), at(200ms));
  CHECK(bench.outcome() == "affected_rows/skipped_write/assumed");
  bench.read(1, "REPLACE INTO counters VALUES ('b', 2)", ok_answer(2), ok_answer(1), at(300ms));
  CHECK(bench.outcome(1) == "affected_rows/defect/proved");
}

TEST_CASE("a write to a table whose CREATE was left out fails by our doing; one to a table that nobody made here is a defect") {
  const std::string create = "CREATE TABLE fresh (id INT PRIMARY KEY)", missing = "Table 'shop.fresh' doesn't exist";
  Bench bench;
  bench.read(1, "INSERT INTO fresh VALUES (1)", ok_answer(1), error_answer(1146, missing), at(100ms));
  CHECK(bench.outcome() == "error_only_target/defect/proved");
  bench.seen(1, create, ok_answer(0), at(200ms));
  bench.seen(1, "INSERT INTO fresh VALUES (2)", ok_answer(1), at(250ms), compare::Replayed::rolled_back);
  bench.read(1, "UPDATE fresh SET id = 3 WHERE id = 1", ok_answer(1), error_answer(1146, missing), at(300ms));
  CHECK(bench.outcome(1) == "error_only_target/skipped_write/proved");
  CHECK(bench.evidence(1).find("CREATE TABLE fresh") != std::string::npos);
  bench.read(1, "INSERT INTO people SELECT id, 'x' FROM fresh", ok_answer(1), error_answer(1146, missing), at(400ms));
  CHECK(bench.outcome(2) == "error_only_target/skipped_write/proved");
  bench.read(1, "INSERT INTO orders VALUES (1)", ok_answer(1), error_answer(1146, "Table 'shop.orders' doesn't exist"), at(500ms));
  CHECK(bench.outcome(3) == "error_only_target/defect/proved");
}

TEST_CASE("what a left-out write's trigger would have written is missing by our doing, and what that one's trigger would have") {
  sql::Catalogue catalogue;
  catalogue.triggers[{"shop", "orders"}] = {{"shop", "people"}, {"shop", "orders"}};
  catalogue.triggers[{"shop", "items"}] = {{"shop", "orders"}};
  for (const char* table : {"orders", "items", "other"}) {
    CAPTURE(table);
    Bench bench{compare::ComparerOptions(), catalogue};
    bench.seen(1, std::string("INSERT INTO ") + table + " VALUES (7)", ok_answer(1), at(100ms));
    CHECK(outcome_of(bench, 1) == (std::string(table) == "other" ? "row_values/defect/confirmed" : "row_values/skipped_write/assumed"));
  }
}

TEST_CASE("what a left-out CALL, PREPARE or text that is not understood may have written is missing by our doing; what it can't have written is not") {
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "people"}];
  catalogue.routine_tables[{"shop", "add_person"}] = {{"shop", "people"}};
  struct { const char* sql; bool may_have_written; } statements[] = {
      {"CALL Add_Person('x')", true},       {"CALL shop.add_person('x')", true},     {"CALL other.add_person('x')", false},
      {"CALL list_people()", false},        {"EXECUTE IMMEDIATE 'CALL add_person(1)'", true},
      {"PREPARE p FROM 'INSERT INTO people VALUES (1, ?)'", true},                   {"PREPARE p FROM \"UPDATE people SET name = '' WHERE id = ?\"", true},
      {"PREPARE p FROM 'SELECT * FROM people'", false},                              {"PREPARE p FROM @text", false},
      {"FROBNICATE people SET name = 'x'", true},                                    {"FROBNICATE shop.people", true},
      {"FROBNICATE peoples", false},        {"FROBNICATE other.people", false},
  };
  for (const auto& statement : statements) {
    CAPTURE(statement.sql);
    Bench bench{compare::ComparerOptions(), catalogue};
    bench.seen(1, statement.sql, ok_answer(1), at(100ms));
    CHECK(outcome_of(bench, 1) == (statement.may_have_written ? "row_values/skipped_write/assumed" : "row_values/defect/confirmed"));
  }
}

TEST_CASE("in a session whose schema was chosen before the capture a text that is not understood taints a table of that name in whichever schema") {
  sql::Catalogue catalogue;
  catalogue.tables[{"shop", "people"}];
  for (const char* table : {"people", "peoples"}) {
    Bench bench{compare::ComparerOptions(), catalogue};
    bench.schema = "";
    bench.seen(1, std::string("UPDATE ") + table + " SET \"name\" = 'x'", ok_answer(1), at(100ms));
    CHECK(outcome_of(bench, 1) == (std::string(table) == "people" ? "row_values/skipped_write/assumed" : "row_values/defect/confirmed"));
  }
}

TEST_CASE("a table that the target lacks in a session whose schema was chosen before the capture is our doing") {
  for (const char* schema : {"shop", ""}) {
    CAPTURE(schema);
    Bench bench{compare::ComparerOptions()};
    bench.schema = schema;
    const std::string expected = *schema == 0 ? "error_only_target/replay_artifact/proved" : "error_only_target/defect/";
    bench.target = always(error_answer(1146, "Table 'x.people' doesn't exist"));
    bench.read(1, "SELECT id, name FROM people", person("1", "a"), error_answer(1146, "Table 'x.people' doesn't exist"), at(100ms));
    bench.read(1, update_of(1), ok_answer(1), error_answer(1146, "Table 'x.people' doesn't exist"), at(200ms));
    bench.read(1, "SELECT id, name FROM shop.people", person("1", "a"), error_answer(1146, "Table 'shop.people' doesn't exist"), at(300ms));
    bench.run_out();
    REQUIRE(bench.judgements.size() == 3);
    for (const compare::Judgement& judgement : bench.judgements) {
      bool names_its_schema = judgement.exchange.seq == 2;
      std::size_t n = static_cast<std::size_t>(&judgement - bench.judgements.data());
      CHECK(bench.outcome(n).find(names_its_schema ? "error_only_target/defect/" : expected) == 0);
    }
  }
}

TEST_CASE("values that each server drew for itself explain no other column of their row") {
  const std::vector<mysql::Column> shown{column("people", "name", mysql::ColumnType::var_string), column("people", "city", mysql::ColumnType::var_string)};
  for (const char* city : {"Oslo", "Rome"})
    for (const char* where : {"id = 3", "id IN (3, 4)"}) {
      CAPTURE(city, where);
      Bench bench{compare::ComparerOptions()};
      bench.seen(1, "INSERT INTO people (id, name, city) VALUES (3, UUID(), 'Oslo')", ok_answer(1), at(100ms), compare::Replayed::applied_anew);
      mysql::Answer there = rows_answer(shown, {{"u2", city}});
      bench.target = always(there);
      bench.read(1, std::string("SELECT name, city FROM people WHERE ") + where, rows_answer(shown, {{"u1", "Oslo"}}), there, at(1s));
      bench.run_out();
      CHECK(bench.outcome() == (city == std::string("Oslo") ? "row_values/nondeterministic/assumed" : "row_values/defect/confirmed"));
    }
}

TEST_CASE("a left-out write explains what it wrote however that was spelled, and no other row") {
  const std::vector<mysql::Column> columns{column("people", "v", mysql::ColumnType::blob), column("people", "at", mysql::ColumnType::datetime), column("people", "n", mysql::ColumnType::long_),
                                           column("people", "price", mysql::ColumnType::newdecimal)};
  struct Case {
    std::string values, asked;
    std::vector<std::string> shown;
    std::string cause;
  };
  for (const Case& one : {Case{"7, x'00ff', '2026-01-01', 1, 2.5", "7", {std::string("\0\xff", 2), "2026-01-01 00:00:00", "1", "2.50"}, "skipped_write"},
                          Case{"7, 0x3041, '20260101', TRUE, .5", "7", {"0A", "2026-01-01 00:00:00", "1", "0.50"}, "skipped_write"},
                          Case{"7, _binary 'a' 'b', 20260101, 1e1, 9.999", "7", {"ab", "2026-01-01 00:00:00", "10", "10.00"}, "skipped_write"},
                          Case{"0x07, b'1100001', '2026-1-1', 0x10, 1", "7", {"a", "2026-01-01 00:00:00", "16", "1.00"}, "skipped_write"},
                          Case{"8, x'00ff', '2026-01-01', 1, 2.5", "7", {std::string("\0\xff", 2), "2026-01-01 00:00:00", "1", "2.50"}, "defect"},
                          Case{"x'08', x'00ff', '2026-01-01', 1, 2.5", "7", {std::string("\0\xff", 2), "2026-01-01 00:00:00", "1", "2.50"}, "defect"}})
    for (std::size_t shown = 0; shown < columns.size(); ++shown) {
      CAPTURE(one.values, columns[shown].name);
      Bench bench{compare::ComparerOptions()};
      bench.seen(1, "INSERT INTO people (id, v, at, n, price) VALUES (" + one.values + ")", ok_answer(1), at(100ms), compare::Replayed::not_sent);
      const std::vector<mysql::Column> of_one{columns[shown]};
      const mysql::Answer none = rows_answer(of_one, {});
      bench.target = always(none);
      bench.read(2, "SELECT " + columns[shown].name + " FROM people WHERE id = " + one.asked, rows_answer(of_one, {{one.shown[shown]}}), none, at(1s));
      bench.run_out();
      CHECK(bench.outcome().find("missing_rows/" + one.cause) == 0);
    }
}

TEST_CASE("a left-out write to a view is one to the table behind it, by its keys where the view keeps their names") {
  struct Behind { std::string definition; std::set<sql::QualifiedName> named; std::string row_1, row_2; };
  const std::string skipped = "row_values/skipped_write/assumed", defect = "row_values/defect/confirmed";
  for (const Behind& one : {Behind{"select `shop`.`people`.`id` AS `id`,`shop`.`people`.`name` AS `name` from `shop`.`people` where `shop`.`people`.`id` < 100", {{"shop", "people"}}, skipped, defect},
                            Behind{"select `shop`.`people`.`id` AS `number`,`shop`.`people`.`name` AS `name` from `shop`.`people`", {{"shop", "people"}}, skipped, skipped},
                            Behind{"select `shop`.`inner_view`.`id` AS `id`,`shop`.`inner_view`.`name` AS `name` from `shop`.`inner_view`", {{"shop", "inner_view"}}, skipped, defect},
                            Behind{"select `shop`.`a`.`id` AS `id`,`shop`.`a`.`name` AS `name` from `shop`.`a` where `shop`.`a`.`id` in (select `shop`.`people`.`id` from `shop`.`people`)", {{"shop", "a"}, {"shop", "people"}}, defect, defect},
                            Behind{"", {{"shop", "people"}}, skipped, skipped}}) {
    CAPTURE(one.definition);
    sql::Catalogue catalogue;
    catalogue.tables[{"shop", "people"}] = {{{"id"}, {"name"}}, {{"PRIMARY", {"id"}}}};
    catalogue.views[{"shop", "inner_view"}] = {{}, {}, {{"shop", "people"}}, "select `shop`.`people`.`id` AS `id`,`shop`.`people`.`name` AS `name` from `shop`.`people`"};
    catalogue.views[{"shop", "v"}] = {{}, {}, one.named, one.definition};
    Bench bench{compare::ComparerOptions(), catalogue};
    bench.seen(1, "UPDATE v SET name = 'new' WHERE id = 1", ok_answer(1), at(100ms));
    CHECK(outcome_of(bench, 1) == one.row_1);
    CHECK(outcome_of(bench, 2) == one.row_2);
  }
}

TEST_CASE("what a write to a view over two tables reached isn't known") {
  sql::Catalogue catalogue;
  catalogue.views[{"shop", "v"}] = {{}, {}, {{"shop", "people"}, {"shop", "orders"}}, "select `p`.`id` AS `id`,`p`.`name` AS `name` from (`shop`.`orders` `o` join `shop`.`people` `p` on(`o`.`id` = `p`.`id`))"};
  Bench bench{compare::ComparerOptions(), catalogue};
  bench.seen(1, "UPDATE v SET name = 'new' WHERE id = 1", ok_answer(1), at(100ms));
  CHECK(outcome_of(bench, 2) == "row_values/skipped_write/assumed");
}

TEST_CASE("a read may meet what was committed while the COMMIT's OK was still on its way") {
  for (auto begun : {999ms, 1002ms}) {  // the read is answered at 1.001 s
    CAPTURE(begun);
    Bench bench{compare::ComparerOptions()};
    constexpr std::uint16_t open = mysql::status_flag::in_transaction;
    bench.seen(1, "BEGIN", ok_answer(0, 0, open), at(900ms));
    bench.seen(1, update_of(7), ok_answer(1, 0, open), at(910ms), compare::Replayed::rolled_back);
    session::Exchange commit = bench.exchange(1, "COMMIT", ok_answer(0), at(begun));
    commit.response_first = commit.response_last = at(1010ms);
    bench.comparer.observe(commit, sql::understand("COMMIT"), compare::Replayed::sent);
    CHECK(outcome_of(bench, 7, at(1s)) == (begun < 1s ? "row_values/skipped_write/assumed" : "row_values/defect/confirmed"));
  }
}

TEST_CASE("a target that answered inside a transaction to be rolled back has not changed its mind when it is asked from outside") {
  Bench bench;
  constexpr std::uint16_t open = mysql::status_flag::in_transaction;
  const std::vector<std::vector<std::string>> old{{"1", "old"}, {"2", "old"}};
  bench.target = bench.reference = always(rows_answer(people, old));
  bench.seen(3, update_of(2), ok_answer(1), at(800ms), compare::Replayed::rolled_back);
  bench.seen(1, "BEGIN", ok_answer(0, 0, open), at(900ms), compare::Replayed::sent);
  bench.seen(1, update_of(1), ok_answer(1, 0, open), at(910ms), compare::Replayed::rolled_back);
  bench.read(1, "SELECT id, name FROM people", rows_answer(people, {{"1", "new"}, {"2", "new"}}), rows_answer(people, {{"1", "new"}, {"2", "old"}}), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/skipped_write/assumed");
}
