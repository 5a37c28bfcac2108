// Replay against a real server: state, order, prepared statements, locks, and a server that dies or freezes meanwhile.
#include "client/address.h"
#include "replay/catalogue_reader.h"
#include "replay/guard_rails.h"
#include "support.h"
#include "test_support/catch.h"
#include "test_support/private_server.h"

using namespace darktap;
using namespace darktap::replay;
using namespace std::chrono_literals;
using mysql::CommandCode;

namespace {

PrivateServer* server() {
  static std::unique_ptr<PrivateServer> running = PrivateServer::start({"--log-bin=bin", "--server-id=11"});
  return running.get();
}

client::BlockingConnection admin() {
  auto connection = client::BlockingConnection::open({{"root", "127.0.0.1", server()->port(), ""}, ""});
  INFO((connection ? "" : connection.error().reason));
  REQUIRE(connection);
  return std::move(*connection);
}

void run(client::BlockingConnection& connection, const std::string& sql) {
  auto table = connection.table(sql);
  INFO(sql << ": " << (table ? "" : table.error()));
  REQUIRE(table);
}

mysql::Parameter number(std::int64_t value) {
  mysql::Parameter parameter{mysql::ColumnType::longlong, mysql::Parameter::Sign::signed_, mysql::Parameter::Presence::value, "", {}};
  for (int i = 0; i < 8; ++i) parameter.bytes.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
  return parameter;
}

std::vector<std::string> answers_of(const Notebook& book) {
  std::vector<std::string> answers;
  for (const Note& note : book.notes) answers.push_back(note.what);
  return answers;
}

}  // namespace

TEST_CASE("A session's exchanges are answered in order, each in its schema and with its state") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  run(root, "CREATE DATABASE IF NOT EXISTS shop");
  run(root, "CREATE DATABASE IF NOT EXISTS other");
  Stage stage(server()->port());
  stage.begin();
  std::uint32_t seq = 0;
  stage.submit(exchange(1, seq++, "SELECT DATABASE()", "shop"));
  stage.submit(exchange(1, seq++, "SET @who = 'me', time_zone = '+03:00'", "shop"));
  stage.submit(exchange(1, seq++, "USE other", "shop"));
  stage.submit(exchange(1, seq++, "SELECT CONCAT(DATABASE(), @who, @@time_zone)", "other"));
  stage.submit(exchange(1, seq++, "shop", "other", CommandCode::init_db));
  stage.submit(exchange(1, seq++, "SELECT DATABASE()", "shop"));
  stage.submit(exchange(1, seq++, "", "shop", CommandCode::reset_connection));
  stage.submit(exchange(1, seq++, "SELECT IFNULL(@who, 'nobody')", "shop"));
  stage.submit(exchange(1, seq++, "SELECT 1", "missing"));
  REQUIRE(stage.finish());
  CHECK(answers_of(stage.book) == std::vector<std::string>{"shop", "ok", "ok", "otherme+03:00", "ok", "shop", "session_reset", "nobody", "error 1049"});
  CHECK(stage.book.notes.back().target.step == client::SessionReply::Step::schema);
  CHECK(stage.replayer->lateness().count() == 8);
  for (const Note& note : stage.book.notes)
    if (note.kind == Note::Kind::outcome) {
      CHECK(note.target.intended <= note.target.sent);
      CHECK(note.target.sent <= note.target.first_byte);
      CHECK(note.target.first_byte <= note.target.last_byte);
    }
}

TEST_CASE("USE and SET NAMES cost no further command: the state they set is taken over") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  run(root, "CREATE DATABASE IF NOT EXISTS shop");
  Stage stage(server()->port());
  stage.begin();
  session::Exchange names = exchange(1, 0, "SET NAMES latin1");
  session::Exchange use = exchange(1, 1, "USE shop");
  session::Exchange count = exchange(1, 2, "SHOW SESSION STATUS WHERE Variable_name IN ('Com_change_db', 'Com_set_option')", "shop");
  use.collation = count.collation = 8;
  stage.submit(std::move(names));
  stage.submit(std::move(use));
  stage.submit(exchange(1, 3, "SELECT @@collation_connection", "shop"));
  stage.submit(std::move(count));
  REQUIRE(stage.finish());
  const mysql::ResultSet* rows = stage.book.notes[3].target.answer.first_rows();
  REQUIRE(rows != nullptr);
  CHECK(mysql::decode_row(rows->rows.row(0), rows->columns, rows->format)->at(1).text == "1");  // the USE alone
}

TEST_CASE("Prepared statements run in the binary protocol under ids of the target's own") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  Stage stage(server()->port());
  stage.begin();
  auto prepared = [](std::uint32_t seq, CommandCode code, const std::string& sql) {
    session::Exchange result = exchange(1, seq, sql, "", code);
    result.command.statement_id = 4711;
    return result;
  };
  stage.submit(prepared(0, CommandCode::stmt_prepare, "SELECT ? + 1"));
  session::Exchange execute = prepared(1, CommandCode::stmt_execute, "SELECT ? + 1");
  execute.command.parameters = {number(41)};
  stage.submit(session::Exchange(execute));
  stage.submit(prepared(2, CommandCode::stmt_close, "SELECT ? + 1"));
  execute.id.seq = 3;
  stage.submit(session::Exchange(execute));  // its PREPARE is gone: prepared on the way
  stage.submit(prepared(4, CommandCode::stmt_reset, "SELECT ? + 1"));
  stage.submit(prepared(5, CommandCode::stmt_prepare, "SELECT nothing FROM nowhere.at_all"));
  stage.submit(prepared(6, CommandCode::stmt_execute, "SELECT nothing FROM nowhere.at_all"));
  execute.id.seq = 7;
  execute.command.parameters.clear();
  stage.submit(std::move(execute));
  REQUIRE(stage.finish());
  std::vector<std::string> answers = answers_of(stage.book);
  REQUIRE(answers.size() == 8);
  CHECK(std::vector<std::string>(answers.begin() + 1, answers.begin() + 7) ==
        std::vector<std::string>{"42", "none", "42", "ok", "error 1146", "error 1146"});
  CHECK(stage.book.notes[1].target.answer.first_rows()->format == mysql::RowFormat::binary);
  CHECK(stage.book.notes[6].target.step == client::SessionReply::Step::prepare);
  CHECK(answers[7].starts_with("not_sendable"));
}

TEST_CASE("The target's session is read-only and autocommitted: a second lock behind the policy") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  run(root, "CREATE DATABASE IF NOT EXISTS shop");
  run(root, "CREATE OR REPLACE TABLE shop.t (a INT)");
  Stage stage(server()->port());
  stage.begin();
  // A write that the policy has mistaken for a read.
  stage.replayer->submit(exchange(1, 0, "INSERT INTO shop.t VALUES (1)"), std::make_shared<sql::Meaning>(sql::understand("SELECT 1")), CaptureClock::now());
  stage.submit(exchange(1, 1, "SELECT COUNT(*) FROM shop.t"));
  stage.submit(exchange(1, 2, "BEGIN"));
  stage.submit(exchange(1, 3, "SELECT @@in_transaction"));
  REQUIRE(stage.finish());
  std::map<std::uint32_t, std::string> by_seq;
  for (const Note& note : stage.book.notes) by_seq[note.id.seq] = note.what;
  CHECK(by_seq[0] == "error 1792");
  CHECK(by_seq[1] == "0");
  CHECK(by_seq[2] == "transaction_control");
  CHECK(by_seq[3] == "0");
}

TEST_CASE("Many sessions share few connections where the target's are limited, and keep their state") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  for (std::size_t limit : {std::size_t{1}, std::size_t{3}}) {
    Stage stage(server()->port());
    stage.options.connections = limit;
    stage.begin();
    std::size_t most = 0;
    stage.book.each = [&] { most = std::max(most, stage.replayer->counters().open_connections); };
    constexpr std::uint64_t sessions = 12;
    for (std::uint32_t seq = 0; seq < 6; ++seq)
      for (std::uint64_t session = 1; session <= sessions; ++session)
        stage.submit(exchange(session, seq, seq == 0 ? "SET @me = " + std::to_string(session) : "SELECT @me"));
    REQUIRE(stage.finish());
    CHECK(most <= limit);
    CHECK(stage.book.count(Note::Kind::outcome) == sessions * 6);
    for (const Note& note : stage.book.notes) {
      if (note.id.seq > 0) CHECK(note.what == std::to_string(note.id.session.value));
    }
    for (std::uint64_t session = 1; session <= sessions; ++session) stage.replayer->end_session(SessionId{session});
    CHECK(stage.replayer->counters().lanes == 0);
    CHECK(stage.replayer->counters().open_connections == 0);
  }
}

TEST_CASE("A killed connection costs one statement; the session goes on with its state") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  Stage stage(server()->port());
  stage.options.policy.allowed = {"sleep"};
  stage.begin();
  stage.submit(exchange(1, 0, "SET @me = 'still here'"));
  stage.submit(exchange(1, 1, "SELECT CONNECTION_ID()"));
  REQUIRE(stage.finish());
  stage.submit(exchange(1, 2, "SELECT SLEEP(20)"));
  stage.submit(exchange(1, 3, "SELECT @me"));
  stage.loop.run_once(50ms);
  run(root, "KILL " + stage.book.notes[1].what);
  REQUIRE(stage.finish());
  CHECK(stage.book.notes[2].what == "connection_lost");
  CHECK(stage.book.notes[3].what == "still here");
}

TEST_CASE("A frozen server that comes back was slow, no more; a killed one is given up") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  std::unique_ptr<PrivateServer> mortal = PrivateServer::start();
  Stage stage(mortal->port());
  stage.options.session.connect.connect_timeout = 300ms;
  stage.options.give_up_after = 300ms;
  stage.begin();
  stage.submit(exchange(1, 0, "SELECT 1"));
  REQUIRE(stage.finish());
  mortal->freeze();
  stage.submit(exchange(1, 1, "SELECT 2"));
  stage.submit(exchange(2, 0, "SELECT 3"));  // a new connection, to a server that does not greet
  CHECK_FALSE(stage.finish(1s));
  mortal->thaw();
  REQUIRE(stage.finish());
  CHECK_FALSE(stage.replayer->gave_up());
  CHECK(stage.book.count(Note::Kind::outcome) == 3);

  mortal->stop(SIGKILL);
  for (std::uint32_t seq = 0; seq < 10; ++seq) stage.submit(exchange(3, seq, "SELECT 4"));
  REQUIRE(stage.finish());
  CHECK(stage.replayer->gave_up());
  CHECK(stage.book.count(Note::Kind::failed) == 10);
}

TEST_CASE("A server tells who it is, and is told to be itself under every name") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection one = admin();
  ServerIdentity by_address = ask_identity(one, "127.0.0.1");
  auto connection = client::BlockingConnection::open({{"root", "localhost", server()->port(), ""}, ""});
  if (connection) {  // root may be known under 127.0.0.1 only
    ServerIdentity by_name = ask_identity(*connection, "localhost");
    CHECK(same_server(by_address, by_name));
  }
  CHECK(by_address.server_id == "11");
  CHECK(by_address.port == server()->port());
  CHECK_FALSE(by_address.datadir.empty());
  CHECK(by_address.replicas.empty());
  CHECK(by_address.applier == ServerIdentity::Applier::none);
  CHECK(by_address.unknown.empty());
}

TEST_CASE("A replica knows its primary, and the primary its replica: a target that feeds production is refused") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  std::unique_ptr<PrivateServer> production = PrivateServer::start({"--server-id=12"});
  auto connection = client::BlockingConnection::open({{"root", "127.0.0.1", production->port(), ""}, ""});
  REQUIRE(connection);
  run(*connection, "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=" + std::to_string(server()->port()) + ", MASTER_USER='root'");
  run(*connection, "START SLAVE");
  client::BlockingConnection root = admin();
  ServerIdentity target;
  for (int tries = 0; tries < 200 && target.replicas.empty(); ++tries) {
    target = ask_identity(root, "target");
    std::this_thread::sleep_for(20ms);
  }
  REQUIRE(target.replicas.size() == 1);
  CHECK(target.replicas[0].server_id == "12");
  ServerIdentity source = ask_identity(*connection, "source");
  CHECK(source.applier == ServerIdentity::Applier::running);

  IdentityFacts facts;
  facts.target = target;
  facts.target_addresses = {{*client::parse_address("127.0.0.1"), server()->port()}};
  CHECK_FALSE(refuse_identities(facts));
  facts.seen_servers = {{*client::parse_address("127.0.0.1"), production->port()}};
  REQUIRE(refuse_identities(facts));
  facts.seen_servers.clear();
  facts.source = source;
  REQUIRE(refuse_identities(facts));
  facts.target.replicas.clear();
  CHECK(refuse_identities(facts).value().find("replicates from it") != std::string::npos);
}

TEST_CASE("The catalogue holds whole unique keys, nullable columns, routines, and views with what they reach") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  client::BlockingConnection root = admin();
  run(root, "CREATE OR REPLACE DATABASE cat");
  run(root, "CREATE TABLE cat.t (id INT PRIMARY KEY, a INT NOT NULL, b INT, c VARCHAR(50), UNIQUE ab (a, b), UNIQUE prefix (c(5)), KEY plain (b))");
  run(root, "CREATE TABLE cat.computed (a INT, v INT AS (a + 1) VIRTUAL, s INT AS (a + 1) PERSISTENT, made DATETIME DEFAULT CURRENT_TIMESTAMP, changed TIMESTAMP NOT NULL DEFAULT NOW() ON UPDATE NOW())");
  run(root, "CREATE FUNCTION cat.f() RETURNS INT DETERMINISTIC RETURN 1");
  run(root, "CREATE VIEW cat.harmless AS SELECT id FROM cat.t");
  run(root, "CREATE VIEW cat.calls AS SELECT cat.f() AS x FROM cat.t");
  run(root, "CREATE VIEW cat.outer_view AS SELECT x FROM cat.calls");
  run(root, "CREATE VIEW cat.locks AS SELECT GET_LOCK('a', 0) AS x");
  run(root, "CREATE VIEW cat.outer_locks AS SELECT x FROM cat.locks");
  run(root, "CREATE SEQUENCE cat.s");
  run(root, "CREATE VIEW cat.draws AS SELECT NEXT VALUE FOR cat.s AS x, SLEEP(0) AS y");
  run(root, "CREATE VIEW cat.row_locks AS SELECT id FROM cat.t FOR UPDATE");
  run(root, "CREATE VIEW cat.report AS SELECT a, CAST(b AS CHAR) AS b, GROUP_CONCAT(c ORDER BY c SEPARATOR '; ') AS list, a BETWEEN 1 AND 5 AS few FROM cat.t"
            " LEFT JOIN (SELECT id AS i FROM cat.t) AS d ON d.i = t.id WHERE c LIKE 'x%' AND NOT EXISTS (SELECT 1 FROM cat.t AS e WHERE e.b <=> t.b) GROUP BY a, b");
  run(root, "CREATE TABLE cat.parent (k INT, l INT, PRIMARY KEY (k, l)) ENGINE=InnoDB");
  run(root, "CREATE TABLE cat.child (a INT, b INT, FOREIGN KEY (b, a) REFERENCES cat.parent (k, l) ON DELETE CASCADE) ENGINE=InnoDB");
  run(root, "CREATE TRIGGER cat.notes AFTER INSERT ON cat.parent FOR EACH ROW INSERT INTO Child VALUES (1, 2)");
  run(root, "CREATE PROCEDURE cat.Writes() INSERT INTO Child VALUES (1, 2)");
  run(root, "CREATE PROCEDURE cat.calls_it() CALL writes()");
  run(root, "CREATE PROCEDURE cat.reads() SELECT * FROM child");
  auto catalogue = read_catalogue(root, "cat");
  INFO((catalogue ? "" : catalogue.error()));
  REQUIRE(catalogue);
  const sql::Table* table = catalogue->table("", "t");
  REQUIRE(table != nullptr);
  CHECK(table->columns.size() == 4);
  CHECK_FALSE(table->column("b")->follows_others);
  const sql::Table* computed = catalogue->table("cat", "computed");
  REQUIRE(computed != nullptr);
  for (const char* follows : {"v", "s", "changed"}) CHECK(computed->column(follows)->follows_others);
  for (const char* alone : {"a", "made"}) CHECK_FALSE(computed->column(alone)->follows_others);
  CHECK_FALSE(table->column("A")->nullable);
  CHECK(table->column("b")->nullable);
  REQUIRE(table->unique_keys.size() == 2);
  CHECK(table->unique_keys[0].columns == std::vector<std::string>{"a", "b"});  // by the index's name
  CHECK(table->unique_keys[1].columns == std::vector<std::string>{"id"});
  CHECK(catalogue->view("cat", "harmless")->routines.empty());
  CHECK(catalogue->view("cat", "calls")->routines == std::vector<std::string>{"f"});
  CHECK(catalogue->view("cat", "outer_view")->routines == std::vector<std::string>{"f"});
  CHECK(catalogue->routines.count({"cat", "f"}) == 1);
  CHECK(catalogue->tables.count({"mysql", "user"}) == 0);
  REQUIRE(catalogue->foreign_keys.size() == 1);
  CHECK(catalogue->foreign_keys[0].parent == sql::QualifiedName{"cat", "parent"});
  CHECK(catalogue->foreign_keys[0].columns == std::vector<std::string>{"b", "a"});
  CHECK(catalogue->foreign_keys[0].parent_columns == std::vector<std::string>{"k", "l"});
  CHECK(catalogue->foreign_keys[0].deletes);
  CHECK_FALSE(catalogue->foreign_keys[0].updates);
  CHECK(catalogue->triggers == std::map<sql::QualifiedName, std::set<sql::QualifiedName>>{{{"cat", "parent"}, {{"cat", "child"}}}});
  CHECK(catalogue->routine_tables == std::map<sql::QualifiedName, std::set<sql::QualifiedName>>{{{"cat", "calls_it"}, {{"cat", "child"}}}, {{"cat", "writes"}, {{"cat", "child"}}}});
  CHECK(catalogue->view("cat", "outer_view")->tables.count({"cat", "calls"}) == 1);
  CHECK(sql::understand("SELECT * FROM outer_view", {}, &*catalogue).statement_class == sql::StatementClass::unsafe);
  using enum sql::EffectKind;
  CHECK(catalogue->view("cat", "outer_locks")->effects == std::vector<sql::HiddenEffect>{{user_lock, "get_lock"}});
  CHECK(catalogue->view("cat", "draws")->effects == std::vector<sql::HiddenEffect>{{sequence, "nextval"}, {sleep, "sleep"}});
  CHECK(catalogue->view("cat", "row_locks")->effects == std::vector<sql::HiddenEffect>{{row_lock, "for update"}});
  CHECK(sql::understand("SELECT * FROM Outer_Locks", {}, &*catalogue).statement_class == sql::StatementClass::unsafe);
  CHECK(sql::understand("SELECT * FROM report", {}, &*catalogue).statement_class == sql::StatementClass::read);
  run(root, "SET sql_mode = 'ANSI_QUOTES'");
  auto quoted = read_catalogue(root, "cat");
  INFO((quoted ? "" : quoted.error()));
  REQUIRE(quoted);
  REQUIRE(quoted->view("cat", "outer_locks") != nullptr);
  CHECK(quoted->view("cat", "outer_locks")->effects == catalogue->view("cat", "outer_locks")->effects);
  CHECK(quoted->view("cat", "report")->routines.empty());
  run(root, "SET sql_mode = DEFAULT");
  // Another server's views of these names: theirs are added.
  sql::Catalogue other;
  other.views[{"cat", "harmless"}] = {{"g"}, {}};
  other.views[{"cat", "locks"}] = {{}, {{sleep, "sleep"}}};
  CHECK_FALSE(read_views(root, other));
  CHECK(other.view("cat", "harmless")->routines == std::vector<std::string>{"g"});
  CHECK(other.view("cat", "locks")->effects == std::vector<sql::HiddenEffect>{{sleep, "sleep"}, {user_lock, "get_lock"}});
  CHECK(other.view("cat", "outer_view")->routines == std::vector<std::string>{"f"});
  CHECK_FALSE(read_catalogue(root, "cat", {.columns = 3}));
}
