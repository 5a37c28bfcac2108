// Captured transactions on a real server: kept, rolled back, tried again, lost.
#include "replay/sandbox.h"
#include "support.h"
#include "test_support/catch.h"
#include "test_support/fake_server.h"
#include "test_support/private_server.h"

using namespace darktap;
using namespace darktap::replay;
using namespace std::chrono_literals;
using mysql::CommandCode;

namespace {

PrivateServer* server() {
  static std::unique_ptr<PrivateServer> running = PrivateServer::start({"--innodb-lock-wait-timeout=1"});
  return running.get();
}

client::BlockingConnection admin() {
  auto connection = client::BlockingConnection::open({{"root", "127.0.0.1", server()->port(), ""}, ""});
  INFO((connection ? "" : connection.error().reason));
  REQUIRE(connection);
  return std::move(*connection);
}

std::string ask(client::BlockingConnection& connection, const std::string& sql) {
  auto table = connection.table(sql);
  INFO(sql << ": " << (table ? "" : table.error()));
  REQUIRE(table);
  return table->size() == 0 ? "" : table->at(0, std::size_t{0}).value_or("NULL");
}

void make_table(client::BlockingConnection& root) {
  ask(root, "CREATE DATABASE IF NOT EXISTS w");
  ask(root, "DROP TABLE IF EXISTS w.t, w.m");
  ask(root, "CREATE TABLE w.t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB");
  ask(root, "INSERT INTO w.t (id, a) VALUES (1, 10), (2, 20)");
  ask(root, "CREATE TABLE w.m (a INT) ENGINE=MyISAM");
}

struct Writing : Stage {
  explicit Writing(Writes writes) : Writing(writes, server()->port()) {}
  Writing(Writes writes, std::uint16_t port, const std::string& user = "root") : Stage(port, user) {
    options.policy.writes = writes;
    options.session.settings = {"SET SESSION autocommit = 1"};
  }
  // As captured: the status tells whether the session was inside a transaction afterwards.
  void say(std::uint64_t session, const std::string& sql, bool open, std::uint64_t id = 0) {
    session::Exchange given = exchange(session, seq[session]++, sql, "w");
    mysql::Ok ok;
    if (sql.starts_with("SET autocommit")) autocommit = sql.ends_with("1") ? mysql::status_flag::autocommit : std::uint16_t{0};
    ok.status = static_cast<std::uint16_t>((open ? mysql::status_flag::in_transaction : 0) | autocommit);
    ok.last_insert_id = id;
    ok.affected_rows = 1;
    given.answer.results.emplace_back(ok);
    given.request_first = given.request_last = CaptureTime(1'700'000'000'250ms);
    submit(std::move(given));
  }
  std::string what(std::size_t n) const { return book.notes.at(n).what; }
  std::map<std::uint64_t, std::uint32_t> seq;
  std::uint16_t autocommit = mysql::status_flag::autocommit;
};

}  // namespace

TEST_CASE("Applied writes stay, with the source's time and ids, and the session's transactions are its own") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  Writing stage(Writes::applied);
  stage.begin();
  stage.say(1, "INSERT INTO t (a) VALUES (30)", false, 77);
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  stage.say(1, "ROLLBACK", false);
  stage.say(1, "START TRANSACTION", true);
  stage.say(1, "UPDATE t SET a = 22 WHERE id = 2", true);
  stage.say(1, "SAVEPOINT s", true);
  stage.say(1, "DELETE FROM t WHERE id = 1", true);
  stage.say(1, "ROLLBACK TO SAVEPOINT s", true);
  stage.say(1, "COMMIT", false);
  stage.say(1, "SET autocommit = 0", false);
  stage.say(1, "UPDATE t SET a = 99 WHERE id = 1", true);
  stage.replayer->end_session(SessionId{1});
  REQUIRE(stage.finish());
  while (stage.replayer->counters().lanes > 0) stage.loop.run_once(10ms);
  CHECK(ask(root, "SELECT GROUP_CONCAT(id, ':', a ORDER BY id) FROM w.t") == "1:10,2:22,77:30");
  CHECK(ask(root, "SELECT UNIX_TIMESTAMP(at) FROM w.t WHERE id = 77") == "1700000000.250000");
  CHECK(stage.book.count(Note::Kind::outcome) == 12);
}

TEST_CASE("With rollback nothing stays: neither single writes nor transactions nor what autocommit left open") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  std::string before = ask(root, "CHECKSUM TABLE w.t");
  Writing stage(Writes::rolled_back);
  auto cannot = ask_what_cannot_roll_back(root);
  REQUIRE(cannot);
  CHECK(cannot->contains({"w", "m"}));
  CHECK_FALSE(cannot->contains({"w", "t"}));
  stage.options.policy.cannot_roll_back = *cannot;
  stage.begin();
  stage.say(1, "INSERT INTO t (a) VALUES (30)", false, 77);
  stage.say(1, "SELECT COUNT(*) FROM t", false);
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  stage.say(1, "SELECT a FROM t WHERE id = 1", true);
  stage.say(1, "BEGIN", true);  // commits, at the source
  stage.say(1, "DELETE FROM t", true);
  stage.say(1, "COMMIT", false);
  stage.say(1, "SET autocommit = 0", false);
  stage.say(1, "DELETE FROM t", true);
  stage.say(1, "SET autocommit = 1", false);
  stage.say(1, "INSERT INTO m VALUES (1)", false);
  stage.say(1, "TRUNCATE t", false);
  stage.say(1, "BEGIN; DELETE FROM t; COMMIT", false);
  stage.replayer->end_session(SessionId{1});
  REQUIRE(stage.finish());
  while (stage.replayer->counters().lanes > 0) stage.loop.run_once(10ms);
  CHECK(ask(root, "CHECKSUM TABLE w.t") == before);
  CHECK(ask(root, "SELECT COUNT(*) FROM w.m") == "0");
  CHECK(stage.what(1) == "2");
  CHECK(stage.what(4) == "11");  // inside a transaction its own writes are seen
  CHECK(stage.what(11) == "not_transactional: w.m");
  CHECK(stage.what(12) == "ddl");
  CHECK(stage.what(13) == "commits_inside");
}

TEST_CASE("A transaction that meets a lock is tried again whole, and its answers are those of the try that held") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  client::BlockingConnection blocker = admin();
  ask(blocker, "BEGIN");
  ask(blocker, "UPDATE w.t SET a = 21 WHERE id = 2");
  Writing stage(Writes::applied);
  stage.begin();
  stage.book.each = [] {};
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = a + 1 WHERE id = 1", true);
  stage.say(1, "UPDATE t SET a = a + 1 WHERE id = 2", true);  // waits for the blocker, in vain at first
  stage.say(1, "COMMIT", false);
  while (stage.replayer->counters().retried == 0) stage.loop.run_once(10ms);
  ask(blocker, "ROLLBACK");
  REQUIRE(stage.finish());
  CHECK(stage.book.count(Note::Kind::outcome) == 4);
  CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "11,21");
}

TEST_CASE("A lock that never lets go fails the transaction as a lock conflict after three more tries, and the session goes on") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  client::BlockingConnection blocker = admin();
  ask(blocker, "BEGIN");
  ask(blocker, "UPDATE w.t SET a = 21 WHERE id = 2");
  Writing stage(Writes::applied);
  stage.begin();
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  stage.say(1, "UPDATE t SET a = 22 WHERE id = 2", true);
  stage.say(1, "DELETE FROM t WHERE id = 1", true);
  stage.say(1, "COMMIT", false);
  stage.say(1, "SELECT a FROM t WHERE id = 1", false);
  REQUIRE(stage.finish(60s));
  CHECK(stage.replayer->counters().retried == 3);
  CHECK(stage.what(2) == "lock_conflict: lock_wait_timeout");
  CHECK(stage.what(3) == "replay: transaction_lost");
  CHECK(stage.what(4) == "replay: transaction_lost");
  CHECK(stage.what(5) == "10");
}

TEST_CASE("A statement that somebody kills each time is tried like one that met a lock, and is told as killed") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  ask(root, "CREATE TRIGGER w.kills BEFORE UPDATE ON w.t FOR EACH ROW IF NEW.a = 22 THEN SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317; END IF");
  Writing stage(Writes::applied);
  stage.begin();
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  stage.say(1, "UPDATE t SET a = 22 WHERE id = 2", true);
  stage.say(1, "COMMIT", false);
  REQUIRE(stage.finish(60s));
  CHECK(stage.replayer->counters().retried == 3);
  CHECK(stage.what(2) == "interrupted: query_killed");
  CHECK(stage.what(3) == "replay: transaction_lost");
  CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "10,20");
}

TEST_CASE("A target that somebody makes read-only under way refuses what it says nothing about") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  ask(root, "CREATE OR REPLACE USER clerk@'127.0.0.1'");
  ask(root, "GRANT SELECT, INSERT, UPDATE, DELETE ON w.* TO clerk@'127.0.0.1'");
  ask(root, "SET GLOBAL read_only = 1");
  Writing stage(Writes::applied, server()->port(), "clerk");
  stage.begin();
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", false);
  stage.say(1, "SELECT a FROM t WHERE id = 1", false);
  bool finished = stage.finish(60s);
  ask(root, "SET GLOBAL read_only = 0");
  REQUIRE(finished);
  CHECK(stage.what(0) == "target_read_only");
  CHECK(stage.replayer->counters().refused_read_only == 1);
  CHECK(stage.replayer->counters().retried == 0);
  CHECK(stage.what(1) == "10");
}

TEST_CASE("What the source's deadlock rolled back is rolled back, and its victim is not sent") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  Writing stage(Writes::applied);
  stage.begin();
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  session::Exchange victim = exchange(1, stage.seq[1]++, "UPDATE t SET a = 12 WHERE id = 2", "w");
  victim.answer.results.emplace_back(mysql::ServerError{1213, "40001", "Deadlock found"});
  stage.submit(std::move(victim));
  stage.say(1, "UPDATE t SET a = 13 WHERE id = 2", false);
  REQUIRE(stage.finish());
  CHECK(stage.what(2) == "lock_conflict_at_source");
  CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "10,13");
}

TEST_CASE("A session whose autocommit was off before the tap came runs so at the target, too") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  Writing stage(Writes::applied);
  stage.begin();
  auto say = [&](const std::string& sql, std::uint16_t status) {
    session::Exchange given = exchange(1, stage.seq[1]++, sql, "w");
    mysql::Ok ok;
    ok.status = status;
    given.answer.results.emplace_back(ok);
    stage.submit(std::move(given));
  };
  say("UPDATE t SET a = 11 WHERE id = 1", mysql::status_flag::in_transaction);
  say("ROLLBACK", 0);
  say("UPDATE t SET a = 22 WHERE id = 2", mysql::status_flag::in_transaction);
  say("COMMIT", 0);
  say("UPDATE t SET a = 33 WHERE id = 1", mysql::status_flag::autocommit);
  stage.replayer->end_session(SessionId{1});
  REQUIRE(stage.finish());
  while (stage.replayer->counters().lanes > 0) stage.loop.run_once(10ms);
  CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "33,22");
}

TEST_CASE("A transaction whose end the tap lost does not stay open at the target") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  Writing stage(Writes::applied);
  stage.begin();
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  stage.say(1, "SELECT 1", false);
  REQUIRE(stage.finish());
  for (int n = 0; n < 20; ++n) stage.loop.run_once(10ms);
  CHECK(ask(root, "SELECT a FROM w.t WHERE id = 1") == "11");
}

TEST_CASE("A transaction whose connection is lost is not gone on with halfway") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  make_table(root);
  Writing stage(Writes::applied);
  stage.begin();
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 11 WHERE id = 1", true);
  REQUIRE(stage.finish());
  std::string id = ask(root, "SELECT id FROM information_schema.processlist WHERE db = 'w'");
  ask(root, "KILL " + id);
  for (int n = 0; n < 20; ++n) stage.loop.run_once(10ms);
  stage.say(1, "UPDATE t SET a = 22 WHERE id = 2", true);
  stage.say(1, "COMMIT", false);
  stage.say(1, "UPDATE t SET a = 23 WHERE id = 2", false);
  REQUIRE(stage.finish());
  CHECK(stage.what(2) == "replay: transaction_lost");
  CHECK(stage.what(3) == "replay: transaction_lost");
  CHECK(stage.what(4) == "ok");
  CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "10,23");
}

TEST_CASE("A statement that is prepared inside a transaction does not end it") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  for (Writes writes : {Writes::rolled_back, Writes::applied}) {
    client::BlockingConnection root = admin();
    make_table(root);
    Writing stage(writes);
    stage.begin();
    auto prepared = [&](CommandCode code, const std::string& sql, bool open) {
      session::Exchange given = exchange(1, stage.seq[1]++, sql, "w", code);
      mysql::Ok ok;
      if (code == CommandCode::stmt_execute) ok.status = static_cast<std::uint16_t>((open ? 1 : 0) | mysql::status_flag::autocommit);
      if (code == CommandCode::stmt_prepare) given.answer.statement_id = 5;
      given.answer.results.emplace_back(ok);
      stage.submit(std::move(given));
    };
    stage.say(1, "BEGIN", true);
    prepared(CommandCode::stmt_prepare, "UPDATE t SET a = 11 WHERE id = 1", true);
    prepared(CommandCode::stmt_execute, "UPDATE t SET a = 11 WHERE id = 1", true);
    prepared(CommandCode::stmt_prepare, "UPDATE t SET a = 22 WHERE id = 2", true);
    prepared(CommandCode::stmt_execute, "UPDATE t SET a = 22 WHERE id = 2", true);
    REQUIRE(stage.finish());
    CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "10,20");
    prepared(CommandCode::stmt_prepare, "ROLLBACK", true);
    prepared(CommandCode::stmt_execute, "ROLLBACK", false);
    stage.replayer->end_session(SessionId{1});
    REQUIRE(stage.finish());
    while (stage.replayer->counters().lanes > 0) stage.loop.run_once(10ms);
    CHECK(ask(root, "SELECT GROUP_CONCAT(a ORDER BY id) FROM w.t") == "10,20");
    CHECK(stage.book.count(Note::Kind::outcome) == 7);
  }
}

namespace {

// A server that refuses, or ends, transactions as told, and notes the statements that it is sent.
struct Obstinate {
  enum class Begin { refused, ignored, done } begin;
  std::vector<std::string> heard;  // read once the server is gone
  std::uint16_t status = 2;
  std::unique_ptr<FakeServer> server;

  explicit Obstinate(Begin begin_) : begin(begin_) {
    server = std::make_unique<FakeServer>([this](FakeServer& self, int fd) {
      status = 2;
      if (!self.log_in(fd)) return;
      for (;;) {
        std::string command = self.read_message(fd);
        if (command.empty() || command[0] == '\x01') return;
        heard.push_back(command[0] == '\x0e' ? "PING" : command.substr(1));
        answer(fd, heard.back());
      }
    });
  }
  void answer(int fd, const std::string& sql) {
    auto error = [&](const std::string& code) { FakeServer::send_message(fd, 1, "\xff" + code + "#HY000no"); };
    if (sql == "BEGIN" && begin == Begin::refused) return error("\x28\x05");
    if (sql == "BEGIN" && begin == Begin::done) status = 3;
    if (sql == "ROLLBACK") status = 2;
    if (sql.starts_with("UPDATE t SET full")) {  // ER_LOCK_TABLE_FULL: InnoDB has rolled the transaction back
      status = 2;
      return error("\xb6\x04");
    }
    if (sql.starts_with("UPDATE t SET kept")) status = 2;  // something has committed
    FakeServer::send_message(fd, 1, std::string("\0\0\0", 3) + static_cast<char>(status) + std::string("\0\0\0", 3));
  }
  bool was_sent(const std::string& start) {
    return std::any_of(heard.begin(), heard.end(), [&](const std::string& sql) { return sql.starts_with(start); });
  }
};

struct Stubborn : Writing {
  explicit Stubborn(Obstinate& target) : Writing(Writes::rolled_back, target.server->port()) {}
};

}  // namespace

TEST_CASE("With rollback no write is sent where BEGIN is refused, or where the server does not say that a transaction is open") {
  for (Obstinate::Begin begin : {Obstinate::Begin::refused, Obstinate::Begin::ignored}) {
    Obstinate target(begin);
    Stubborn stage(target);
    stage.begin();
    stage.say(1, "INSERT INTO t VALUES (1)", false);
    stage.say(2, "BEGIN", true);
    stage.say(2, "DELETE FROM t", true);
    stage.say(2, "DELETE FROM u", true);
    stage.say(2, "COMMIT", false);
    REQUIRE(stage.finish());
    stage.replayer.reset();
    target.server.reset();
    CHECK_FALSE(target.was_sent("INSERT"));
    CHECK_FALSE(target.was_sent("DELETE"));
    std::map<std::string, int> failures;
    for (const Note& note : stage.book.notes)
      if (note.kind == Note::Kind::failed) ++failures[note.what];
    CHECK(failures == std::map<std::string, int>{{"replay: transaction_refused", 2}, {"replay: transaction_lost", 2}});
  }
}

TEST_CASE("With rollback an error that ended the transaction ends its writes, too") {
  Obstinate target(Obstinate::Begin::done);
  Stubborn stage(target);
  stage.begin();
  stage.say(1, "BEGIN", true);
  stage.say(1, "UPDATE t SET a = 1", true);
  stage.say(1, "UPDATE t SET full = 1", true);
  stage.say(1, "DELETE FROM t", true);
  stage.say(1, "COMMIT", false);
  stage.say(1, "INSERT INTO t VALUES (1)", false);
  REQUIRE(stage.finish());
  stage.replayer.reset();
  target.server.reset();
  CHECK_FALSE(target.was_sent("DELETE"));
  CHECK(stage.what(3) == "replay: transaction_refused");
  CHECK(stage.what(4) == "replay: transaction_lost");
  CHECK(stage.what(5) == "ok");
}

TEST_CASE("With rollback a write that something has committed stops the run") {
  Obstinate target(Obstinate::Begin::done);
  Stubborn stage(target);
  stage.begin();
  stage.say(1, "UPDATE t SET kept = 1", false);
  REQUIRE(stage.finish());
  stage.say(1, "DELETE FROM t", false);
  REQUIRE(stage.book.gave_up.size() == 1);
  CHECK(stage.book.gave_up[0].find("may have stayed (update t set kept = ?)") != std::string::npos);
  stage.replayer.reset();
  target.server.reset();
  CHECK_FALSE(target.was_sent("DELETE"));
}
