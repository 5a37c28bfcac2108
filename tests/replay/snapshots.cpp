// A transaction that has only read is given a newer snapshot where its answer shows that it had one, on a real server.
#include "replay/order_by_commit.h"
#include "support.h"
#include "test_support/catch.h"
#include "test_support/private_server.h"

using namespace darktap;
using namespace darktap::replay;
using namespace std::chrono_literals;

namespace {

CaptureTime at(int millisecond) { return CaptureTime(std::chrono::seconds(1'700'000'000) + std::chrono::milliseconds(millisecond)); }

// Sessions without autocommit, as many drivers open them, replayed in the order of commits.
struct Snapshots : Stage {
  OrderByCommit by_commit;
  std::map<std::uint64_t, std::uint32_t> seq;
  std::map<session::ExchangeId, std::string> captured;
  std::vector<session::Exchange> announced;
  bool autocommits = false;

  explicit Snapshots(std::uint16_t port) : Stage(port) {
    options.policy.writes = Writes::applied;
    options.session.settings = {"SET SESSION autocommit = 1"};
    options.order = &by_commit;
    options.agrees = [this](const session::Exchange& exchange, const mysql::Answer& answer) {
      auto known = captured.find(exchange.id);
      return known == captured.end() || known->second == first_cell(answer);
    };
  }
  void say(std::uint64_t session, const std::string& sql, int request, int answer, bool open, const std::string& expected = "") {
    session::Exchange given = exchange(session, seq[session]++, sql, "snapshots");
    given.request_first = given.request_last = at(request);
    given.response_first = given.response_last = at(answer);
    mysql::Ok ok;
    ok.status = static_cast<std::uint16_t>((open ? mysql::status_flag::in_transaction : 0) | (autocommits ? mysql::status_flag::autocommit : 0));
    ok.affected_rows = 1;
    given.answer.results.emplace_back(ok);
    if (!expected.empty()) captured[given.id] = expected;
    sql::Meaning meaning = sql::understand(sql);
    by_commit.announce(given, meaning, decide(given, meaning, options.policy));
    announced.push_back(std::move(given));
  }
  void submit_all() {
    by_commit.announced_all();
    begin();
    for (session::Exchange& exchange : announced) submit(std::move(exchange));
    for (const auto& [session, count] : seq) replayer->end_session(SessionId{session});
  }
};

}  // namespace

TEST_CASE("Without autocommit a read that began its transaction is asked again in a new snapshot, behind one commit after the other") {
  std::unique_ptr<PrivateServer> server = PrivateServer::start();
  if (server == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  auto root = client::BlockingConnection::open({{"root", "127.0.0.1", server->port(), ""}, ""});
  REQUIRE(root);
  for (const char* sql : {"CREATE DATABASE snapshots", "CREATE TABLE snapshots.t (id INT PRIMARY KEY) ENGINE=InnoDB", "CREATE TABLE snapshots.u (id INT PRIMARY KEY) ENGINE=InnoDB"}) REQUIRE(root->table(sql));

  Snapshots stage(server->port());
  // Both reads are of one snapshot, which saw both writers; only the second one shows it.
  stage.say(1, "SET autocommit=0", 1, 2, false);
  stage.say(1, "SELECT COUNT(*) FROM u", 10, 40, true, "0");
  stage.say(2, "INSERT INTO t (id) VALUES (1)", 11, 12, true);
  stage.say(3, "INSERT INTO t (id) VALUES (2)", 11, 12, true);
  stage.say(2, "COMMIT", 13, 35, false);
  stage.say(3, "COMMIT", 14, 36, false);
  stage.say(1, "SELECT COUNT(*) FROM t", 50, 51, true, "2");
  stage.say(1, "COMMIT", 60, 61, false);
  stage.submit_all();
  REQUIRE(stage.finish());
  std::string counted;
  for (const Note& note : stage.book.notes)
    if (note.id == session::ExchangeId{SessionId{1}, 2}) counted = note.what;
  CHECK(counted == "2");
  CHECK(stage.by_commit.counters().broken == 0);
}

TEST_CASE("Sessions that share one connection take turns in the order of commits, and none keeps it from whom it waits for") {
  std::unique_ptr<PrivateServer> server = PrivateServer::start();
  if (server == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  auto root = client::BlockingConnection::open({{"root", "127.0.0.1", server->port(), ""}, ""});
  REQUIRE(root);
  for (const char* sql : {"CREATE DATABASE snapshots", "CREATE TABLE snapshots.t (id INT PRIMARY KEY, a VARCHAR(200)) ENGINE=InnoDB", "INSERT INTO snapshots.t VALUES (1, '')"}) REQUIRE(root->table(sql));

  Snapshots stage(server->port());
  stage.options.connections = 1;
  std::string expected;
  int now = 10;
  for (int round = 0; round < 8; ++round)
    for (std::uint64_t session = 1; session <= 5; ++session, now += 2) {
      std::string word(1, static_cast<char>('a' + (session + static_cast<std::uint64_t>(round)) % 26));
      stage.autocommits = true;
      stage.say(session, "UPDATE t SET a = CONCAT(a, '" + word + "') WHERE id = 1", now, now + 1, false);
      expected += word;
    }
  stage.submit_all();
  REQUIRE(stage.finish());
  CHECK(stage.by_commit.counters().broken == 0);
  auto found = root->table("SELECT a FROM snapshots.t");
  REQUIRE(found);
  CHECK(found->at(0, std::size_t{0}).value_or("") == expected);
}
