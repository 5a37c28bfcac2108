// Which write a stale read is put down to, what witnesses it, and what no write excuses.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

const std::vector<mysql::Column> people{column("people", "id", mysql::ColumnType::long_), column("people", "name", mysql::ColumnType::var_string),
                                        column("people", "score", mysql::ColumnType::long_)};

mysql::Answer person(const std::string& name, const std::string& score) { return rows_answer(people, {{"7", name, score}}); }

Bench::Answerer always(mysql::Answer answer) {
  return [answer](const std::string&, CaptureTime) { return answer; };
}
Bench::Answerer changing(mysql::Answer before, CaptureTime when, mysql::Answer after) {
  return [=](const std::string&, CaptureTime now) { return now < when ? before : after; };
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string read_of_7 = "SELECT id, name, score FROM people WHERE id = 7";

// Session 9 reads row 7, which the target shows as it was until 1.3 s.
void read_late(Bench& bench, const mysql::Answer& source, const mysql::Answer& old, const std::string& sql = read_of_7) {
  bench.reference = always(source);
  bench.target = changing(old, at(1s + 300ms), source);
  bench.read(9, sql, source, old, at(1s));
  bench.run_out();
}

std::string request_ids(const std::string& of_write, const std::string& of_read) {
  Bench bench;
  bench.seen(1, "UPDATE people SET score = score + 1 WHERE id = 7 " + of_write, ok_answer(1), at(900ms));
  read_late(bench, person("ann", "2"), person("ann", "1"), read_of_7 + " " + of_read);
  std::string evidence = bench.evidence();
  std::size_t key = evidence.find("\"request_id\":\"");
  if (key == std::string::npos) return contains(evidence, "other_session") ? "" : "not another session";
  CHECK(contains(evidence, R"("attribution":"same_request")"));
  key += 14;
  return evidence.substr(key, evidence.find('"', key) - key);
}

}  // namespace

TEST_CASE("among writes that explain a read alike, its own session's goes before its request's, its host's and others'") {
  struct Case {
    std::string attribution;
    std::uint64_t session;
  };
  for (std::size_t left_out = 0; left_out < 4; ++left_out) {
    Bench bench;
    for (std::uint64_t session : {9U, 2U, 3U, 4U}) bench.comparer.note_session({session}, session == 4 ? "10.0.0.4" : "10.0.0.9");
    const std::vector<Case> cases{{"own_session", 9}, {"same_request", 2}, {"same_host", 3}, {"other_session", 4}};
    // The nearer the earlier: the order of time alone would choose the last one.
    for (std::size_t i = left_out; i < cases.size(); ++i)
      bench.seen(cases[i].session, "UPDATE people SET score = score + 1 WHERE id = 7" + std::string(cases[i].session == 2 ? " /* request_id:r-1 */" : ""), ok_answer(1), at(900ms + i * 10ms));
    read_late(bench, person("ann", "2"), person("ann", "1"), read_of_7 + " /* request_id:r-1 */");
    CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
    CHECK(contains(bench.evidence(), "\"attribution\":\"" + cases[left_out].attribution + "\""));
    CHECK(contains(bench.evidence(), "\"write\":{\"session\":" + std::to_string(cases[left_out].session) + ","));
  }
}

TEST_CASE("a request is told by what frameworks write into comments") {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  // sqlcommenter: one trace, another span in each statement.
  CHECK(request_ids("/*traceparent='00-" + trace + "-00f067aa0ba902b7-01',route='%2Fa'*/", "/*route='%2Fb',traceparent='00-" + trace + "-b7ad6b7169203331-01'*/") == trace);
  CHECK(request_ids("/*application:Shop,controller:carts,request_id:e1f2*/", "/*request_id:e1f2,application:Shop*/") == "e1f2");
  CHECK(request_ids("/* application:Shop,request_id=e1f2 */", "/* request_id: e1f2 */") == "e1f2");
  CHECK(request_ids("/* X-Request-ID=\"e1f2\"; user=5 */", "-- request-id: e1f2") == "e1f2");
  CHECK(request_ids("# correlation_id=e1f2", "/* correlationId='e1f2' */") == "e1f2");
  // The request's own id says more than a trace.
  CHECK(request_ids("/*traceparent='00-" + trace + "-00f067aa0ba902b7-01',request_id='e1f2'*/", "/*request_id='e1f2'*/") == "e1f2");
  // Another request; no request; what is no comment.
  CHECK(request_ids("/* request_id:e1f2 */", "/* request_id:e1f3 */").empty());
  CHECK(request_ids("/* request_id:- */", "/* request_id:- */").empty());
  CHECK(request_ids("/*traceparent='00-00000000000000000000000000000000-00f067aa0ba902b7-01'*/", "/*traceparent='00-00000000000000000000000000000000-00f067aa0ba902b7-01'*/").empty());
  CHECK(request_ids("AND name <> '/* request_id:e1f2 */'", "AND name <> '/* request_id:e1f2 */'").empty());
  std::string longest(200, 'x');
  CHECK(request_ids("/* request_id:" + longest + " */", "/* request_id:" + longest + " */") == longest);
  CHECK(request_ids("/* request_id:" + longest + "x */", "/* request_id:" + longest + "x */").empty());
}

TEST_CASE("the write whose value the source shows goes before nearer and later ones that show nowhere") {
  Bench bench;
  bench.seen(2, "INSERT INTO people (id, name, score) VALUES (7, 'ann', 1)", ok_answer(1), at(500ms));
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok_answer(1), at(800ms));
  bench.seen(9, "UPDATE people SET score = 1 WHERE id = 7", ok_answer(1), at(850ms));
  bench.seen(9, "UPDATE people SET score = 5 WHERE name = 'bob'", ok_answer(1), at(900ms));
  read_late(bench, person("eve", "1"), person("ann", "1"));
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
  CHECK(contains(bench.evidence(), R"("write":{"session":2,"seq":1,)"));
  CHECK(contains(bench.evidence(), R"("source_shows_what_it_wrote":true)"));
  // What the target showed instead is what the INSERT had left.
  CHECK(contains(bench.evidence(), R"("older_version":{"witness":"write","session":2,"seq":0,)"));
}

TEST_CASE("a write that the target's answer already shows explains nothing") {
  Bench bench;
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok_answer(1), at(800ms));
  read_late(bench, person("zoe", "1"), person("eve", "1"));
  CHECK(bench.outcome() == "row_values/stale_read/confirmed");
  CHECK(contains(bench.evidence(), R"("older_version":{"witness":"write","session":2,"seq":0,)"));
}

TEST_CASE("each statement of a text, and each table of an UPDATE, is a write with keys and columns of its own") {
  struct Case {
    std::string write, key;
    bool shown;
  };
  for (const Case& one : {Case{"UPDATE logs SET name = 'x; y' WHERE id = 1; UPDATE people SET name = 'eve' WHERE id = 7", "\"id=7\"", true},
                          Case{"UPDATE people p JOIN orders o ON o.person_id = p.id SET p.name = 'eve', o.qty = 3 WHERE p.id = 7", "\"id=7\"", true},
                          Case{"UPDATE people, orders SET name = 'eve', qty = 3 WHERE people.id = 7", "\"id=7\"", false}}) {
    CAPTURE(one.write);
    Bench bench;
    bench.seen(3, "UPDATE people SET score = score + 1 WHERE id = 7", ok_answer(1), at(700ms));
    mysql::Answer answer = ok_answer(1);
    if (one.write.find("; UPDATE") != std::string::npos) answer.results.emplace_back(mysql::Ok{1, 0, mysql::status_flag::autocommit, 0, {}, {}});
    bench.seen(2, one.write, answer, at(800ms));
    // The same for other rows and columns explains nothing, however late.
    bench.seen(9, "UPDATE people SET name = 'zoe' WHERE id = 8; UPDATE logs SET name = 'eve' WHERE id = 7", answer, at(900ms));
    read_late(bench, person("eve", "1"), person("ann", "1"));
    CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
    CHECK(contains(bench.evidence(), R"("write":{"session":2,"seq":0,)"));
    CHECK(contains(bench.evidence(), R"("table":"shop.people","key":)" + one.key));
    CHECK(contains(bench.evidence(), "source_shows_what_it_wrote") == one.shown);
  }
}

TEST_CASE("of a text whose second statement failed the first one was a write, and a write of another column mends no wrong cell") {
  Bench bench;
  mysql::Answer answer = ok_answer(1);
  answer.results.emplace_back(mysql::ServerError{1146, "42S02", "no such table"});
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7; UPDATE nothing SET x = 1", answer, at(800ms));
  read_late(bench, person("eve", "1"), person("ann", "1"));
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
  Bench wrong;
  mysql::Answer both = ok_answer(1);
  both.results.emplace_back(mysql::Ok{1, 0, mysql::status_flag::autocommit, 0, {}, {}});
  wrong.seen(2, "UPDATE people SET name = 'eve' WHERE id = 8; UPDATE logs SET name = 'x' WHERE id = 7", both, at(700ms));
  wrong.seen(2, "UPDATE people p JOIN orders o ON o.person_id = p.id SET p.name = 'eve', o.qty = 3 WHERE p.id = 8", both, at(750ms));
  wrong.seen(2, "UPDATE people SET score = 2 WHERE id = 7", ok_answer(1), at(800ms));
  read_late(wrong, person("ann", "2"), person("planted", "1"));
  CHECK(wrong.outcome() == "row_values/stale_read/confirmed");
}

TEST_CASE("a statement that asks for what was written is put down to that write, whichever row it was") {
  Bench bench;
  auto count = [](const std::string& n) { return rows_answer({column("", "n", mysql::ColumnType::longlong)}, {{n}}); };
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok_answer(1), at(800ms));
  bench.seen(3, "UPDATE people SET name = 'zoe' WHERE id = 8", ok_answer(1), at(900ms));
  read_late(bench, count("1"), count("0"), "SELECT COUNT(*) AS n FROM people WHERE name = 'eve'");
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
  CHECK(contains(bench.evidence(), R"("key":"name=eve")"));
}

TEST_CASE("an earlier read with the same rows witnesses an older version") {
  Bench bench;
  bench.seen(2, "UPDATE people SET score = score + 1 WHERE id = 7", ok_answer(1), at(100ms));
  bench.seen(3, read_of_7, person("ann", "1"), at(200ms));
  bench.seen(2, "UPDATE people SET score = score + 1 WHERE id = 7", ok_answer(1), at(900ms));
  read_late(bench, person("ann", "2"), person("ann", "1"));
  CHECK(bench.outcome() == "row_values/read_after_write/confirmed");
  CHECK(contains(bench.evidence(), R"("older_version":{"witness":"read","session":3,"seq":0,)"));
}

TEST_CASE("a row that never stands still is read-after-write once the target has passed what was read, and a defect where it has not") {
  enum class Target { follows, stays, shows_what_never_was };
  for (Target kind : {Target::follows, Target::stays, Target::shows_what_never_was}) {
    Bench bench;
    auto score = [](CaptureTime when) { return std::to_string((when - at(0ms)) / 10ms); };  // a write each 10 ms
    auto lag = 700ms;
    bench.reference = [&](const std::string&, CaptureTime now) { return person("ann", score(now)); };
    bench.target = [&](const std::string&, CaptureTime now) {
      if (kind == Target::stays) return person("ann", score(at(1s) - lag));
      return person(kind == Target::follows ? "ann" : "bob", score(now - lag));
    };
    bench.comparer.set_target_follows(compare::ComparerOptions::TargetFollows::yes);
    auto traffic = [&](CaptureTime from, CaptureTime to) {
      for (CaptureTime when = from; when < to; when += 10ms) {
        bench.seen(2, "UPDATE people SET score = score + 1 WHERE id = 7", ok_answer(1), when);
        bench.seen(3, read_of_7, person("ann", score(when)), when + 2ms);
      }
    };
    traffic(at(200ms), at(1s));
    bench.read(9, read_of_7, person("ann", score(at(1s))), person("ann", score(at(1s) - lag)), at(1s) + 1ms);
    traffic(at(1s) + 10ms, at(8s));
    bench.run_out();
    CHECK(bench.outcome() == (kind == Target::follows ? "row_values/read_after_write/confirmed" : "row_values/defect/confirmed"));
    if (kind == Target::follows) CHECK(contains(bench.evidence(), "never stood still"));
  }
}

TEST_CASE("a wrong cell that a later write brings into order is not put down to that write") {
  struct Case {
    std::string write;
    std::uint64_t changed;
    std::string outcome;
  };
  // The target's name is wrong, its score is old; both are right once the row's full image has come.
  for (const Case& one : {Case{"UPDATE people SET score = 2 WHERE id = 7", 1, "stale_read"},
                          Case{"INSERT INTO people (id, name, score) VALUES (7, 'ann', 2) ON DUPLICATE KEY UPDATE score = VALUES(score)", 2, "stale_read"},
                          Case{"INSERT INTO people (id, name, score) VALUES (7, 'ann', 2) ON DUPLICATE KEY UPDATE score = VALUES(score)", 1, "read_after_write"},
                          Case{"REPLACE INTO people (id, name, score) VALUES (7, 'ann', 2)", 2, "read_after_write"}}) {
    CAPTURE(one.write, one.changed);
    Bench bench;
    bench.seen(3, "DELETE FROM people WHERE score = 99", ok_answer(1), at(880ms));
    bench.seen(3, "UPDATE people SET name = 'cyd' WHERE id = 8", ok_answer(1), at(890ms));
    bench.seen(2, one.write, ok_answer(one.changed), at(900ms));
    read_late(bench, person("ann", "2"), person("planted", "1"));
    CHECK(bench.outcome() == "row_values/" + one.outcome + "/confirmed");
    if (one.outcome == "stale_read") CHECK(contains(bench.evidence(), R"("healed_column":"name")"));
  }
}

TEST_CASE("a write that only followed the read mends nothing that the read was excused for") {
  Bench bench;
  bench.comparer.set_target_follows(compare::ComparerOptions::TargetFollows::yes);
  auto later = person("eve", "2");
  bench.seen(2, "UPDATE people SET score = 2 WHERE id = 7", ok_answer(1), at(900ms));
  bench.reference = changing(person("ann", "2"), at(1s + 500ms), later);
  bench.target = changing(person("planted", "1"), at(1s + 700ms), later);
  bench.read(9, read_of_7, person("ann", "2"), person("planted", "1"), at(1s));
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok_answer(1), at(1s + 450ms));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/stale_read/confirmed");
}

TEST_CASE("a target that tells of its GTIDs proves what it lacked, or refutes it; a vtgate is not asked") {
  struct Case {
    std::string at_first, when_agreed, outcome;
    compare::ComparerOptions::Gtids gtids = compare::ComparerOptions::Gtids::asked;
  };
  for (const std::string& gtid : {std::string("0-1-5"), std::string("3e11fa47-71ca-11e1-9e33-c80aa9429562:23")}) {
    for (const Case& one : {Case{"0", "1", "read_after_write/proved"}, Case{"0", "0", "read_after_write/confirmed"}, Case{"1", "1", "stale_read/confirmed"},
                            Case{"", "", "read_after_write/confirmed"}, Case{"0", "1", "read_after_write/confirmed", compare::ComparerOptions::Gtids::not_asked}}) {
      CAPTURE(gtid, one.at_first, one.when_agreed);
      compare::ComparerOptions options = Bench::with_reference();
      options.gtids = one.gtids;
      Bench bench(options);
      auto source = person("eve", "1"), old = person("ann", "1");
      bench.reference = always(source);
      bench.target = [&](const std::string& sql, CaptureTime now) {
        bool first = contains(sql, "MASTER_GTID_WAIT('" + gtid + "', 0)") || contains(sql, "GTID_SUBSET('" + gtid + "'");
        bool later = contains(sql, "MASTER_GTID_WAIT('" + gtid + "', 1)") || contains(sql, "WAIT_FOR_EXECUTED_GTID_SET('" + gtid + "', 1)");
        if (first || later) {
          const std::string& told = first ? one.at_first : one.when_agreed;
          return told.empty() ? error_answer(1305, "no such function") : rows_answer({column("", "done", mysql::ColumnType::longlong)}, {{told}});
        }
        return now < at(1s + 300ms) ? old : source;
      };
      mysql::Answer ok = ok_answer(1);
      std::get<mysql::Ok>(ok.results[0]).gtid = gtid;
      bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok, at(900ms));
      bench.read(9, read_of_7, source, old, at(1s));
      bench.run_out();
      CHECK(bench.outcome() == "row_values/" + one.outcome);
      std::size_t asked = 0;
      for (const auto& question : bench.asked) asked += contains(question.second, "GTID");
      CHECK(asked == (one.gtids == compare::ComparerOptions::Gtids::not_asked ? 0U : one.at_first == "0" ? 2U : 1U));
    }
  }
}

TEST_CASE("a write that the target had already gives way to a later one that it may lack") {
  for (bool later : {false, true}) {
    Bench bench;
    auto source = person("eve", "2"), old = person("ann", "1");
    bench.reference = always(source);
    bench.target = [&](const std::string& sql, CaptureTime now) {
      if (contains(sql, "GTID")) return rows_answer({column("", "done", mysql::ColumnType::longlong)}, {{contains(sql, "0-1-5") ? "1" : "0"}});
      return now < at(1s + 300ms) ? old : source;
    };
    mysql::Answer ok = ok_answer(1);
    std::get<mysql::Ok>(ok.results[0]).gtid = "0-1-5";
    bench.seen(2, "UPDATE people SET score = 2 WHERE id = 7", ok, at(800ms));
    if (later) bench.seen(3, "UPDATE people SET name = CONCAT('e', 've')", ok_answer(9), at(900ms));
    bench.read(9, read_of_7, source, old, at(1s));
    bench.run_out();
    CHECK(bench.outcome() == (later ? "row_values/read_after_write/confirmed" : "row_values/stale_read/confirmed"));
    CHECK(contains(bench.evidence(), "refuted_write") == !later);
    if (later) CHECK(contains(bench.evidence(), R"("write":{"session":3,)"));
  }
}

TEST_CASE("an answer that a later write brought back on both sides was stale all the same, where a GTID tells") {
  Bench bench;
  auto count = [](const std::string& n) { return rows_answer({column("", "n", mysql::ColumnType::longlong)}, {{n}}); };
  bench.reference = changing(count("1"), at(1s + 20ms), count("0"));
  bench.target = [&](const std::string& sql, CaptureTime) {
    if (contains(sql, "GTID")) return rows_answer({column("", "done", mysql::ColumnType::longlong)}, {{contains(sql, ", 1)") ? "1" : "0"}});
    return count("0");
  };
  mysql::Answer ok = ok_answer(1);
  std::get<mysql::Ok>(ok.results[0]).gtid = "0-1-5";
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok, at(900ms));
  bench.read(9, "SELECT COUNT(*) AS n FROM people WHERE name = 'eve'", count("1"), count("0"), at(1s));
  bench.seen(2, "UPDATE people SET name = 'zoe' WHERE id = 7", ok_answer(1), at(1s) + 10ms);
  bench.run_out();
  CHECK(bench.outcome() == "row_values/read_after_write/proved");
}

TEST_CASE("a verdict of time carries what is added up by table") {
  Bench bench;
  bench.seen(2, "UPDATE people SET name = 'eve' WHERE id = 7", ok_answer(1), at(900ms));
  read_late(bench, person("eve", "1"), person("ann", "1"));
  auto staleness = bench.judgements.at(0).verdicts.at(0).staleness;
  REQUIRE(staleness);
  CHECK(staleness->table == "shop.people");
  CHECK(staleness->age_us == 99'000);
  CHECK(contains(bench.evidence(), "\"staleness_us\":[" + std::to_string(staleness->stale_us) + "," + std::to_string(*staleness->agreed_us) + "]"));

  Bench unseen;
  read_late(unseen, person("eve", "1"), person("ann", "1"));
  staleness = unseen.judgements.at(0).verdicts.at(0).staleness;
  REQUIRE(staleness);
  CHECK(!staleness->age_us);
  CHECK(unseen.outcome() == "row_values/stale_read/confirmed");
}

TEST_CASE("a wrong cell in a join's rows is not put down to a write of the other table, wherever the rows' key stands") {
  std::vector<mysql::Column> columns{column("people", "name", mysql::ColumnType::var_string), column("orders", "id", mysql::ColumnType::long_), column("orders", "state", mysql::ColumnType::var_string)};
  columns[1].flags = mysql::column_flag::primary_key;
  const std::string join = "SELECT p.name, o.id, o.state FROM people p JOIN orders o ON o.person_id = p.id WHERE p.id = 7 ORDER BY o.id";
  auto rows = [&](const std::string& name) { return rows_answer(columns, {{name, "222", "sent"}, {name, "339", "open"}}); };
  Bench bench;
  bench.seen(3, "INSERT INTO orders (id, person_id, state) VALUES (339, 7, 'open')", ok_answer(1), at(900ms));
  read_late(bench, rows("ann"), rows("planted"), join);
  CHECK(bench.outcome() == "row_values/stale_read/confirmed");
  CHECK(contains(bench.evidence(), R"("healed_column":"name")"));
}
