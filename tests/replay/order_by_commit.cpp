// Which command waits for which, on captured timelines told in microseconds.
#include "replay/order_by_commit.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;

namespace {

constexpr std::uint16_t in_transaction = mysql::status_flag::in_transaction;

CaptureTime at(int microsecond) { return CaptureTime(std::chrono::seconds(1'700'000'000) + std::chrono::microseconds(microsecond)); }

// A timeline of sessions that talk to one table t (id INT PRIMARY KEY).
struct Timeline {
  sql::Catalogue catalogue;
  OrderByCommit order;
  std::map<std::uint64_t, std::uint32_t> next_seq;

  explicit Timeline(OrderOptions::Isolation isolation = OrderOptions::Isolation::repeatable_read)
      : catalogue{"", {{{"", "t"}, {{{"id", false}}, {{"PRIMARY", {"id"}}}}}}, {}, {}}, order({isolation}, &catalogue) {}

  session::Exchange exchange_of(std::uint64_t session, const std::string& sql, int request, int answer) {
    session::Exchange exchange;
    exchange.id = {SessionId{session}, next_seq[session]++};
    exchange.command.code = mysql::CommandCode::query;
    exchange.command.text = sql;
    exchange.command.text_state = mysql::Command::Text::known;
    exchange.request_first = exchange.request_last = at(request);
    exchange.response_first = exchange.response_last = at(answer);
    return exchange;
  }
  session::ExchangeId announce(const session::Exchange& exchange, const std::string& sql) {
    sql::Meaning meaning = sql::understand(sql);
    WritePolicy policy{{}, Writes::applied, WritePolicy::Reads::sent, {}};
    order.announce(exchange, meaning, decide(exchange, meaning, policy));
    return exchange.id;
  }
  session::ExchangeId say(std::uint64_t session, const std::string& sql, int request, int answer, std::uint16_t status = 0, std::uint64_t changed = 1) {
    session::Exchange exchange = exchange_of(session, sql, request, answer);
    mysql::Ok ok;
    ok.status = status;
    ok.affected_rows = changed;
    exchange.answer.results.emplace_back(ok);
    return announce(exchange, sql);
  }
  // A read of t that answered (id, a) rows.
  session::ExchangeId read(std::uint64_t session, const std::string& sql, int request, int answer, const std::vector<std::pair<std::string, std::string>>& rows, std::uint16_t status = 0) {
    session::Exchange exchange = exchange_of(session, sql, request, answer);
    mysql::ResultSet result;
    auto column = [](const std::string& name) { return mysql::Column{"", "t", "t", name, name, 45, 40, mysql::ColumnType::var_string, 0, 0, ""}; };
    result.columns = std::vector<mysql::Column>{column("id"), column("a")};
    for (const auto& [id, a] : rows) {
      std::string payload = std::string(1, static_cast<char>(id.size())) + id + std::string(1, static_cast<char>(a.size())) + a;
      result.add(std::as_bytes(std::span(payload)));
    }
    result.status = status;
    exchange.answer.results.emplace_back(std::move(result));
    return announce(exchange, sql);
  }
  void run(session::ExchangeId id) {
    REQUIRE(order.may_start(id));
    order.ended(id);
  }
};

}  // namespace

TEST_CASE("A row that names a parent's row waits for whoever had locked that one, and the other way round; two such rows don't wait for each other") {
  Timeline t;
  t.catalogue.tables[{"", "c"}] = {{{"id", false}, {"t_id", false}}, {{"PRIMARY", {"id"}}}};
  t.catalogue.foreign_keys.push_back({{"", "c"}, {"", "t"}, {"t_id"}, {"id"}, false, false});
  auto child = t.say(1, "INSERT INTO c VALUES (1, 5)", 0, 10);
  auto other_child = t.say(2, "INSERT INTO c VALUES (2, 5)", 12, 14);
  t.say(3, "BEGIN", 15, 16, in_transaction);
  auto lock = t.say(3, "SELECT a FROM t WHERE id = 5 FOR UPDATE", 20, 25, in_transaction);
  auto commit = t.say(3, "COMMIT", 30, 40);
  auto late_child = t.say(4, "INSERT INTO c (id, t_id) VALUES (3, 5)", 50, 60);
  auto far_child = t.say(5, "INSERT INTO c (id, t_id) VALUES (4, 6)", 50, 60);
  auto moves = t.say(6, "UPDATE c SET t_id = 5 WHERE id = 4", 70, 80);
  t.order.announced_all();
  CHECK(t.order.may_start(other_child));
  CHECK_FALSE(t.order.may_start(lock));
  CHECK_FALSE(t.order.may_start(late_child));
  CHECK(t.order.may_start(far_child));
  CHECK_FALSE(t.order.may_start(moves));
  t.run(child);
  t.order.ended(other_child);
  t.run(lock);
  CHECK_FALSE(t.order.may_start(late_child));
  t.run(commit);
  CHECK(t.order.may_start(late_child));
  t.order.ended(far_child);
  CHECK(t.order.may_start(moves));
}

TEST_CASE("What cascades, and what a trigger or a view's text names, is ordered like what the statement names") {
  Timeline t;
  for (const char* name : {"c", "log", "v"}) t.catalogue.tables[{"", name}] = {{{"id", false}, {"t_id", false}}, {{"PRIMARY", {"id"}}}};
  t.catalogue.foreign_keys.push_back({{"", "c"}, {"", "t"}, {"t_id"}, {"id"}, true, false});
  t.catalogue.triggers[{"", "c"}] = {{"", "log"}};
  t.catalogue.views[{"", "v"}] = {{}, {}, {{"", "log"}}};
  auto removes = t.say(1, "DELETE FROM t WHERE id = 5", 0, 10);
  auto children = t.say(2, "SELECT id FROM c WHERE t_id = 5", 20, 30);
  auto others = t.say(3, "SELECT id FROM c WHERE t_id = 6", 20, 30);
  auto log = t.say(4, "SELECT id FROM v", 20, 30);
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(children));
  CHECK(t.order.may_start(others));
  CHECK_FALSE(t.order.may_start(log));
  t.run(removes);
  CHECK(t.order.may_start(children));
  CHECK(t.order.may_start(log));
}

TEST_CASE("A read waits for a write whose OK it had seen, and for none that was still under way") {
  Timeline t;
  auto seen = t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 0, 10);
  auto write = t.say(2, "UPDATE t SET a = 2 WHERE id = 5", 15, 40);
  auto read = t.say(3, "SELECT a FROM t WHERE id = 5", 20, 30);
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(read));
  t.run(seen);
  CHECK(t.order.take_startable() == std::vector{SessionId{3}});
  CHECK(t.order.may_start(read));
  CHECK_FALSE(t.order.may_start(write));  // the read did not see it, so it comes behind the read
  t.order.ended(read);
  CHECK(t.order.may_start(write));
  CHECK(t.order.counters().waited == 2);
}

TEST_CASE("Rows and tables that a commit did not touch wait for nothing") {
  Timeline t;
  t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 0, 10);
  auto other_row = t.say(2, "SELECT a FROM t WHERE id = 6", 20, 30);
  auto other_table = t.say(3, "SELECT a FROM u", 20, 30);
  auto whole_table = t.say(4, "SELECT COUNT(*) FROM t", 20, 30);
  t.order.announced_all();
  CHECK(t.order.may_start(other_row));
  CHECK(t.order.may_start(other_table));
  CHECK_FALSE(t.order.may_start(whole_table));
}

TEST_CASE("What a transaction wrote is seen from its COMMIT on, and not after a read that came before") {
  Timeline t;
  t.run(t.say(1, "BEGIN", 0, 1, in_transaction));
  auto write = t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 2, 4, in_transaction);
  auto before = t.say(2, "SELECT a FROM t WHERE id = 5", 5, 8);
  auto commit = t.say(1, "COMMIT", 9, 12);
  auto after = t.say(3, "SELECT a FROM t WHERE id = 5", 13, 14);
  t.order.announced_all();
  t.run(write);
  CHECK_FALSE(t.order.may_start(commit));
  CHECK_FALSE(t.order.may_start(after));
  t.run(before);
  t.run(commit);
  CHECK(t.order.may_start(after));
}

TEST_CASE("A write that waited for a lock comes behind the commit that let it go, though it was sent before") {
  Timeline t;
  t.run(t.say(1, "BEGIN", 0, 1, in_transaction));
  auto write = t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 2, 4, in_transaction);
  auto waiter = t.say(2, "UPDATE t SET a = 2 WHERE id = 5", 6, 30);
  t.run(write);
  CHECK_FALSE(t.order.may_start(waiter));  // it is not known yet what happened before its answer
  auto commit = t.say(1, "COMMIT", 20, 40);  // its OK came late: the lock was let go before
  auto read = t.say(3, "SELECT a FROM t WHERE id = 5", 35, 36);
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(waiter));
  CHECK_FALSE(t.order.may_start(read));
  t.run(commit);
  t.run(waiter);
  CHECK(t.order.may_start(read));
}

TEST_CASE("The first read of a repeatable transaction fixes what it sees of every table; its later reads wait for nothing") {
  Timeline t;
  t.run(t.say(1, "BEGIN", 0, 1, in_transaction));
  auto first = t.say(1, "SELECT a FROM u", 2, 4, in_transaction);
  auto write = t.say(2, "UPDATE t SET a = 2 WHERE id = 5", 10, 12);
  auto later = t.say(1, "SELECT a FROM t WHERE id = 5", 20, 22, in_transaction);
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(write));
  t.run(first);
  CHECK(t.order.may_start(later));
  CHECK(t.order.may_start(write));
}

TEST_CASE("Where each read sees the newest commit, a transaction's reads wait like any other") {
  Timeline t(OrderOptions::Isolation::read_committed);
  t.run(t.say(1, "BEGIN", 0, 1, in_transaction));
  auto early = t.say(1, "SELECT a FROM t", 2, 4, in_transaction);
  auto write = t.say(2, "UPDATE t SET a = 2 WHERE id = 5", 10, 12);
  auto later = t.say(1, "SELECT a FROM t WHERE id = 5", 20, 22, in_transaction);
  t.order.announced_all();
  t.run(early);
  CHECK_FALSE(t.order.may_start(later));
  t.run(write);
  CHECK(t.order.may_start(later));
}

TEST_CASE("A read that disagrees moves behind the commits that it overlapped, one after the other, and no further") {
  Timeline t;
  auto read = t.say(1, "SELECT a FROM t WHERE id = 5", 10, 30);
  auto first = t.say(2, "UPDATE t SET a = 1 WHERE id = 5", 12, 20);
  auto second = t.say(3, "UPDATE t SET a = 2 WHERE id = 5", 22, 35);
  auto too_late = t.say(4, "UPDATE t SET a = 3 WHERE id = 5", 36, 40);
  t.order.announced_all();
  CHECK(t.order.may_start(read));
  CHECK_FALSE(t.order.may_start(first));
  REQUIRE(t.order.move_behind_next_commit(read));
  CHECK_FALSE(t.order.may_start(read));
  CHECK(t.order.may_start(first));
  CHECK_FALSE(t.order.may_start(second));
  t.order.ended(first);
  CHECK(t.order.may_start(read));
  REQUIRE(t.order.move_behind_next_commit(read));
  t.run(second);
  CHECK(t.order.may_start(read));
  CHECK_FALSE(t.order.move_behind_next_commit(read));
  CHECK_FALSE(t.order.may_start(too_late));
  t.order.ended(read);
  CHECK(t.order.may_start(too_late));
  CHECK(t.order.counters().reordered == 2);
}

TEST_CASE("A commit that was under way for long is seen without what came and went meanwhile") {
  Timeline t;
  auto read = t.say(1, "SELECT COUNT(*) FROM t", 10, 14);
  t.run(t.say(2, "BEGIN", 1, 2, in_transaction));
  auto write = t.say(2, "UPDATE t SET a = 1 WHERE id = 5", 3, 4, in_transaction);
  auto slow = t.say(2, "COMMIT", 5, 90);
  auto quick = t.say(3, "UPDATE t SET a = 1 WHERE id = 6", 20, 30);
  t.order.announced_all();
  t.run(write);
  REQUIRE(t.order.may_start(read));
  REQUIRE(t.order.move_behind_next_commit(read));  // that is the slow one, though the quick one's OK was first
  CHECK_FALSE(t.order.may_start(quick));
  t.run(slow);
  t.run(read);
  CHECK(t.order.may_start(quick));
}

TEST_CASE("Of commands that wait for each other's end in vain, the earliest is let go, and counted") {
  Timeline t;
  t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 0, 10);
  auto early = t.say(2, "SELECT a FROM t WHERE id = 5", 20, 30);
  auto late = t.say(3, "SELECT a FROM t WHERE id = 5", 25, 30);
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(late));
  CHECK_FALSE(t.order.may_start(early));
  CHECK_FALSE(t.order.break_stall({SessionId{9}}));
  REQUIRE(t.order.break_stall({SessionId{2}, SessionId{3}}));
  CHECK(t.order.take_startable() == std::vector{SessionId{2}});
  CHECK(t.order.may_start(early));
  CHECK_FALSE(t.order.may_start(late));
  CHECK(t.order.counters().broken == 1);
}

TEST_CASE("Whatever overlaps whatever, no timeline stalls: there is always a command that may start") {
  // Three sessions with every mix of reads, writes and transactions, from a small generator of our own.
  std::uint32_t seed = 1;
  auto dice = [&](std::uint32_t sides) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % sides;
  };
  for (int round = 0; round < 200; ++round) {
    Timeline t;
    struct Say { std::uint64_t session; std::string sql; int request, answer; std::uint16_t status; };
    std::vector<Say> said;
    for (std::uint64_t session = 1; session <= 4; ++session) {
      int clock = static_cast<int>(dice(20));
      bool open = false;
      for (int n = 0; n < 8; ++n) {
        std::string id = std::to_string(dice(3));
        std::vector<std::string> choices{"SELECT a FROM t WHERE id = " + id, "UPDATE t SET a = 1 WHERE id = " + id, "SELECT COUNT(*) FROM t",
                                         "DELETE FROM t", open ? "COMMIT" : "BEGIN", "INSERT INTO u VALUES (1)", "SELECT * FROM t FOR UPDATE"};
        std::string sql = choices[dice(7)];
        if (sql == "BEGIN") open = true;
        if (sql == "COMMIT") open = false;
        int request = clock, answer = clock + 1 + static_cast<int>(dice(30));
        clock = answer + 1 + static_cast<int>(dice(5));
        said.push_back({session, sql, request, answer, open ? in_transaction : std::uint16_t{0}});
      }
    }
    std::stable_sort(said.begin(), said.end(), [](const Say& a, const Say& b) { return a.request < b.request; });
    std::map<std::uint64_t, std::vector<session::ExchangeId>> queues;
    for (const Say& say : said) queues[say.session].push_back(t.say(say.session, say.sql, say.request, say.answer, say.status));
    t.order.announced_all();
    for (std::size_t left = said.size(); left > 0;) {
      std::size_t before = left;
      for (auto& [session, queue] : queues) {
        if (queue.empty() || !t.order.may_start(queue.front())) continue;
        t.order.ended(queue.front());
        queue.erase(queue.begin());
        --left;
      }
      INFO("round " << round);
      REQUIRE(left < before);
    }
    CHECK(t.order.open_events() == 0);
  }
}

TEST_CASE("A commit that comes forward for one read is still tried without by the others that were under way with it") {
  Timeline t;
  auto write = t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 10, 40);
  auto saw_it = t.say(2, "SELECT a FROM t WHERE id = 5", 12, 20);
  auto other = t.say(3, "SELECT a FROM t WHERE id = 5", 15, 30);
  t.order.announced_all();
  REQUIRE(t.order.may_start(saw_it));
  REQUIRE(t.order.move_behind_next_commit(saw_it));
  CHECK_FALSE(t.order.may_start(write));
  t.run(other);
  CHECK(t.order.may_start(write));
}

TEST_CASE("A read that a commit has passed on its way forward may be asked again behind it") {
  Timeline t;
  auto write = t.say(1, "UPDATE t SET a = 1 WHERE id = 5", 10, 40);
  auto saw_it = t.say(2, "SELECT a FROM t WHERE id = 5", 12, 20);
  auto passed = t.say(3, "SELECT a FROM t WHERE id = 5", 25, 30);
  auto other_row = t.say(4, "SELECT a FROM t WHERE id = 6", 25, 30);
  t.order.announced_all();
  REQUIRE(t.order.may_start(saw_it));
  REQUIRE(t.order.may_start(passed));
  REQUIRE(t.order.may_start(other_row));
  REQUIRE(t.order.move_behind_next_commit(saw_it));
  SECTION("before the commit has run") {
    REQUIRE(t.order.move_behind_next_commit(passed));
    CHECK_FALSE(t.order.may_start(passed));
    t.run(write);
  }
  SECTION("when it has") {
    t.run(write);
    REQUIRE(t.order.move_behind_next_commit(passed));
  }
  CHECK(t.order.may_start(passed));
  CHECK_FALSE(t.order.move_behind_next_commit(passed));
  CHECK_FALSE(t.order.move_behind_next_commit(other_row));
}

TEST_CASE("A read stands behind the commit that its rows show, though the OK of another one that it did not see came first") {
  Timeline t;
  auto unseen = t.say(1, "UPDATE t SET a = 'unseen' WHERE id = 5", 0, 41);
  auto seen = t.say(2, "UPDATE t SET a = 'seen' WHERE id = 6", 5, 47);
  auto read = t.read(3, "SELECT id, a FROM t", 20, 50, {{"5", "old"}, {"6", "seen"}});
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(read));
  CHECK_FALSE(t.order.may_start(unseen));
  t.run(seen);
  CHECK_FALSE(t.order.may_start(unseen));
  t.run(read);
  t.run(unseen);
}

TEST_CASE("What a transaction's later reads show decides what its snapshot waits for") {
  Timeline t;
  auto unseen = t.say(1, "UPDATE t SET a = 'unseen' WHERE id = 5", 0, 41);
  auto seen = t.say(2, "DELETE FROM t WHERE id = 6", 5, 47);
  t.say(3, "BEGIN", 1, 2, in_transaction);
  auto first = t.read(3, "SELECT id, a FROM t WHERE id = 7", 20, 50, {{"7", "x"}}, in_transaction);
  t.read(3, "SELECT id, a FROM t WHERE id = 5", 60, 61, {{"5", "old"}}, in_transaction);
  t.read(3, "SELECT id, a FROM t WHERE id = 6", 62, 63, {}, in_transaction);
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(first));
  REQUIRE(t.order.may_start(seen));
  t.order.ended(seen);
  CHECK_FALSE(t.order.may_start(unseen));
  REQUIRE(t.order.may_start(first));
  t.order.ended(first);
  t.run(unseen);
}

TEST_CASE("Another value says nothing of a commit where a later one wrote to the same row") {
  Timeline t;
  auto first = t.say(1, "UPDATE t SET a = 'first' WHERE id = 5", 0, 22);
  auto second = t.say(2, "UPDATE t SET a = 'second' WHERE id = 5", 5, 40);
  auto third = t.say(4, "UPDATE t SET a = 'third' WHERE id = 6", 1, 48);
  auto read = t.read(3, "SELECT id, a FROM t", 10, 50, {{"5", "second"}, {"6", "third"}});
  t.order.announced_all();
  CHECK_FALSE(t.order.may_start(read));
  t.run(first);
  CHECK_FALSE(t.order.may_start(read));
  t.run(second);
  t.run(third);
  t.run(read);
}

TEST_CASE("A commit that a read is known not to have seen is never tried") {
  Timeline t;
  auto unseen = t.say(1, "UPDATE t SET a = 'unseen' WHERE id = 5", 0, 41);
  auto read = t.read(3, "SELECT id, a FROM t WHERE id = 5", 20, 50, {{"5", "old"}});
  t.order.announced_all();
  REQUIRE(t.order.may_start(read));
  CHECK_FALSE(t.order.move_behind_next_commit(read));
  t.run(read);
  t.run(unseen);
}

TEST_CASE("A range that covers a row shows that it was not seen as well, and one beside it matters to nobody") {
  Timeline t;
  auto unseen = t.say(1, "UPDATE t SET a = 'a text that is long' WHERE id = 5", 0, 41);
  auto outside = t.say(2, "UPDATE t SET a = CONCAT(a, 'x') WHERE id = 9", 5, 47);
  auto read = t.read(3, "SELECT id, a FROM t WHERE id BETWEEN 4 AND 6", 20, 50, {{"4", "x"}, {"5", "old"}, {"6", "y"}});
  t.order.announced_all();
  REQUIRE(t.order.may_start(read));
  CHECK_FALSE(t.order.move_behind_next_commit(read));
  t.run(read);
  t.run(unseen);
  t.run(outside);
}

TEST_CASE("Each row of an INSERT of several tells whether it was seen: by its text, or by a list that had room for it and lacks it") {
  for (bool was_seen : {false, true}) {
    CAPTURE(was_seen);
    Timeline t;
    // The INSERT of another transaction has its OK first, so that it would be tried first.
    auto other = t.say(1, "UPDATE t SET a = CONCAT(a, 'x') WHERE id = 50", 0, 41);
    auto insert = t.say(2, "INSERT INTO t (id, a) VALUES (7, 'none'), (8, 'the second new row')", 5, 47, 0, 2);
    std::vector<std::pair<std::string, std::string>> rows{{"6", "x"}};
    if (was_seen) rows.insert(rows.begin(), {"8", "the second new row"});
    auto read = t.read(3, "SELECT id, a FROM t WHERE id IN (6, 8) ORDER BY id DESC LIMIT 3", 20, 50, rows);
    t.order.announced_all();
    CHECK(t.order.may_start(read) != was_seen);
    CHECK(t.order.may_start(insert) == was_seen);
    if (was_seen) t.order.ended(insert);
    REQUIRE(t.order.may_start(read));
    CHECK_FALSE(t.order.move_behind_next_commit(read));
    t.order.ended(read);
    if (!was_seen) t.run(insert);
    t.run(other);
  }
}
