// The client against a real server: authentication, capabilities, both protocols, large messages, session state.
#include <sys/socket.h>

#include <algorithm>
#include <numeric>

#include "client/asker.h"
#include "client/blocking.h"
#include "client/collation.h"
#include "client/execute.h"
#include "test_support/catch.h"
#include "test_support/private_server.h"

using namespace darktap;
using namespace darktap::client;
using namespace std::chrono_literals;
using mysql::CommandCode;

namespace {

// One server for all cases of the program.
PrivateServer* server() {
  static std::unique_ptr<PrivateServer> running = PrivateServer::start({"--max-allowed-packet=64M"});
  return running.get();
}

Login login_as(const std::string& user, const std::string& password, const std::string& schema = "") {
  return {{user, "127.0.0.1", server()->port(), schema}, password};
}

BlockingConnection root(const std::string& schema = "") {
  auto connection = BlockingConnection::open(login_as("root", "", schema));
  INFO((connection ? "" : connection.error().reason));
  REQUIRE(connection);
  return std::move(*connection);
}

mysql::Answer run(BlockingConnection& connection, const std::string& sql) {
  auto reply = connection.ask(sql);
  INFO(sql);
  INFO((reply ? "" : reply.error().reason));
  REQUIRE(reply);
  if (auto* error = reply->answer.error()) INFO(error->message);
  REQUIRE(reply->answer.error() == nullptr);
  return std::move(reply->answer);
}

std::vector<std::vector<mysql::Cell>> cells_of(const mysql::Answer& answer) {
  const mysql::ResultSet* set = answer.first_rows();
  REQUIRE(set != nullptr);
  std::vector<std::vector<mysql::Cell>> cells;
  for (std::size_t i = 0; i < set->rows.size(); ++i) {
    auto row = mysql::decode_row(set->rows.row(i), set->columns, set->format);
    REQUIRE(row);
    cells.push_back(*row);
  }
  return cells;
}

struct Prepared {
  std::uint32_t id;
  std::vector<mysql::Column> columns;
};

Prepared prepare(BlockingConnection& connection, const std::string& sql) {
  auto reply = connection.ask(CommandCode::stmt_prepare, as_bytes(sql));
  REQUIRE(reply);
  REQUIRE(reply->answer.error() == nullptr);
  return {reply->answer.statement_id, reply->prepared_columns};
}

mysql::Answer execute(BlockingConnection& connection, const Prepared& prepared, const std::vector<mysql::Parameter>& parameters = {}) {
  auto payload = encode_execute(prepared.id, parameters);
  REQUIRE(payload);
  auto reply = connection.ask(CommandCode::stmt_execute, *payload, prepared.columns);
  INFO((reply ? "" : reply.error().reason));
  REQUIRE(reply);
  REQUIRE(reply->answer.error() == nullptr);
  return std::move(reply->answer);
}

mysql::Parameter text_parameter(const std::string& text) {
  Bytes bytes = as_bytes(text);
  return {mysql::ColumnType::var_string, mysql::Parameter::Sign::signed_, mysql::Parameter::Presence::value, "", {bytes.begin(), bytes.end()}};
}

mysql::Command query(const std::string& text) {
  mysql::Command command;
  command.code = CommandCode::query;
  command.text = text;
  return command;
}

// A session whose results come back one by one.
struct Patient final : SessionHandler {
  EventLoop loop;
  std::shared_ptr<SessionOptions> options = std::make_shared<SessionOptions>();
  std::optional<SessionResult> result;
  int closed = 0;
  void on_result(ServerSession&, SessionResult&& got) override {
    result = std::move(got);
    loop.stop();
  }
  void on_closed(ServerSession&) override {
    ++closed;
    loop.stop();
  }
  SessionResult ask(ServerSession& session, const mysql::Command& command, const std::string& schema = "", std::uint16_t collation = 0) {
    result.reset();
    session.start({&command, schema, collation});
    while (!result) loop.run();
    return std::move(*result);
  }
  std::string cell(ServerSession& session, const std::string& sql, const std::string& schema = "", std::uint16_t collation = 0) {
    SessionResult got = ask(session, query(sql), schema, collation);
    REQUIRE(std::holds_alternative<SessionReply>(got));
    const mysql::Answer& answer = std::get<SessionReply>(got).reply.answer;
    if (answer.error() != nullptr) return "error " + std::to_string(answer.error()->code);
    return cells_of(answer).at(0).at(0).text;
  }
};

}  // namespace

TEST_CASE("Logins by native password succeed without TLS, and a wrong password is denied") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection admin = root();
  run(admin, "CREATE USER native@'127.0.0.1' IDENTIFIED BY 'n4tive'");
  run(admin, "CREATE USER nobody@'127.0.0.1'");
  run(admin, "CREATE USER tls@'127.0.0.1' IDENTIFIED BY 'x' REQUIRE SSL");
  CHECK(BlockingConnection::open(login_as("native", "n4tive")));
  CHECK(BlockingConnection::open(login_as("nobody", "")));
  for (const Login& wrong : {login_as("native", "wrong"), login_as("absent", ""), login_as("native", "n4tive", "no_such_schema"),
                             login_as("tls", "x")}) {
    auto connection = BlockingConnection::open(wrong);
    REQUIRE_FALSE(connection);
    INFO(connection.error().reason);
    CHECK(connection.error().kind == ConnectFailed::Kind::denied);
    CHECK(connection.error().code != 0);
    CHECK(connection.error().reason.find('\n') == std::string::npos);
  }
}

TEST_CASE("The capabilities in force are those that the server acts on") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = root();
  mysql::Capabilities capabilities = connection.connection().capabilities();
  CHECK((capabilities & mysql::capability::multi_statements) != 0);
  CHECK((capabilities & mysql::capability::session_track) != 0);
  CHECK((capabilities & mysql::capability::ssl) == 0);
  // MariaDB 10.6 and newer leave definitions out of a repeated execute only where this was agreed on.
  CHECK((capabilities & mysql::capability::mariadb_cache_metadata) != 0);
  CHECK((capabilities & mysql::capability::mariadb_extended_metadata) != 0);
  CHECK(connection.connection().server_version().find("MariaDB") != std::string::npos);
  CHECK(connection.connection().server_thread() != 0);
  CHECK(connection.connection().address().port == server()->port());
  CHECK(connection.connection().local_endpoint().port != 0);

  Prepared prepared = prepare(connection, "SELECT 1 AS one, 'x' AS two");
  for (int i = 0; i < 3; ++i) {
    mysql::Answer answer = execute(connection, prepared);
    REQUIRE(answer.first_rows() != nullptr);
    REQUIRE(answer.first_rows()->columns.size() == 2);
    CHECK(answer.first_rows()->columns[1].name == "two");
    CHECK(cells_of(answer)[0][1].text == "x");
  }
  CHECK(run(connection, "SELECT 1, CAST('::1' AS INET6)").first_rows()->columns[1].extended_type == "inet6");
}

TEST_CASE("The same query gives the same cells by the text and the binary protocol") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = root();
  run(connection, "CREATE DATABASE IF NOT EXISTS both_ways");
  run(connection, "CREATE OR REPLACE TABLE both_ways.t (i8 TINYINT, u8 TINYINT UNSIGNED, i16 SMALLINT, i24 MEDIUMINT, i32 INT, u64 BIGINT UNSIGNED,"
                  " z INT(6) ZEROFILL, f FLOAT, d DOUBLE, f2 FLOAT(7,3), n DECIMAL(20,6), dt DATE, tm TIME(3), ts DATETIME(6), t0 DATETIME, y YEAR,"
                  " c CHAR(5), v VARCHAR(300), b BLOB, bits BIT(9), e ENUM('a','b'), s SET('x','y'), j JSON)");
  run(connection, "INSERT INTO both_ways.t VALUES (-128, 255, -32768, -8388608, -2147483648, 18446744073709551615, 42, 1.5, 0.1, 3.14159, 12345.678900,"
                  " '2024-02-29', '-838:59:59.125', '2024-02-29 23:59:59.123456', '2024-01-01', 1999, 'ab', REPEAT('é', 150), x'00ff10', b'101010101', 'b',"
                  " 'x,y', '{\"a\": 1}'), (0, 0, 0, 0, 0, 0, 0, -1e10, 1e-300, 0, 0, '0000-00-00', '00:00:00', '0000-00-00 00:00:00', '1000-01-01 12:00:00', 0, '', '',"
                  " '', 0, 'a', '', '[]'), (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)"
                  "");
  for (const char* sql : {"SELECT * FROM both_ways.t", "SELECT COUNT(*), SUM(n), AVG(i32), MAX(tm), NOW() > 0, NULL FROM both_ways.t",
                          "SELECT 1/3, 1e15, 1e16, 123456789.123, CAST(-1 AS UNSIGNED), TIMEDIFF('10:00', '11:00:00.5')",
                          "SHOW VARIABLES LIKE 'sql_mode'"}) {
    INFO(sql);
    mysql::Answer text = run(connection, sql);
    mysql::Answer binary = execute(connection, prepare(connection, sql));
    CHECK(text.first_rows()->format == mysql::RowFormat::text);
    CHECK(binary.first_rows()->format == mysql::RowFormat::binary);
    auto text_cells = cells_of(text), binary_cells = cells_of(binary);
    REQUIRE(text_cells.size() == binary_cells.size());
    for (std::size_t row = 0; row < text_cells.size(); ++row)
      for (std::size_t column = 0; column < text_cells[row].size(); ++column) {
        INFO("row " << row << ", column " << text.first_rows()->columns[column].name);
        CHECK(text_cells[row][column].is_null == binary_cells[row][column].is_null);
        CHECK(text_cells[row][column].text == binary_cells[row][column].text);
      }
  }
}

TEST_CASE("Parameters reach the server as they were, of every type") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = root();
  auto value = [](mysql::ColumnType type, std::initializer_list<int> bytes, mysql::Parameter::Sign sign = mysql::Parameter::Sign::signed_) {
    mysql::Parameter parameter{type, sign, mysql::Parameter::Presence::value, "", {}};
    for (int byte : bytes) parameter.bytes.push_back(static_cast<std::byte>(byte));
    return parameter;
  };
  std::vector<mysql::Parameter> parameters{
      value(mysql::ColumnType::tiny, {0xff}), value(mysql::ColumnType::tiny, {0xff}, mysql::Parameter::Sign::unsigned_),
      value(mysql::ColumnType::short_, {0, 0x80}), value(mysql::ColumnType::long_, {1, 0, 0, 0}),
      value(mysql::ColumnType::longlong, {255, 255, 255, 255, 255, 255, 255, 255}, mysql::Parameter::Sign::unsigned_),
      value(mysql::ColumnType::double_, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}), value(mysql::ColumnType::date, {0xe8, 7, 2, 29}),
      value(mysql::ColumnType::datetime, {0xe8, 7, 2, 29, 23, 59, 58}), value(mysql::ColumnType::time, {1, 1, 0, 0, 0, 2, 3, 4}),
      text_parameter("it's"), text_parameter(std::string(70'000, 'y')),
      {mysql::ColumnType::long_, mysql::Parameter::Sign::signed_, mysql::Parameter::Presence::null, "", {}}};
  mysql::Answer answer = execute(connection, prepare(connection, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, LENGTH(?), ?"), parameters);
  std::vector<mysql::Cell> cells = cells_of(answer).at(0);
  std::vector<std::string> expected{"-1", "255", "-32768", "1", "18446744073709551615", "1.5", "2024-02-29", "2024-02-29 23:59:58", "-26:03:04", "it's", "70000", ""};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(i);
    // Servers add fractional digits to untyped temporal parameters.
    CHECK(cells[i].text.substr(0, expected[i].size()) == expected[i]);
  }
  CHECK(cells[11].is_null);
}

TEST_CASE("Messages over 16 MiB pass in both directions") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = root();
  constexpr std::size_t frame = 0xffffff;
  for (std::size_t length : {frame - 40, frame - 7, frame, frame + 1, 2 * frame + 5}) {
    INFO(length);
    // The statement's message is a little over the string, the row's a little over that.
    mysql::Answer answer = run(connection, "SELECT '" + std::string(length, 'x') + "' AS big, 1 AS last");
    auto cells = cells_of(answer);
    CHECK(cells.at(0).at(0).text.size() == length);
    CHECK(cells.at(0).at(1).text == "1");
  }
  // The command byte and the text fill exactly one frame: an empty one must follow.
  std::string exact = "SELECT LENGTH('" + std::string(frame - 1 - 17, 'x') + "')";
  REQUIRE(exact.size() + 1 == frame);
  CHECK(cells_of(run(connection, exact)).at(0).at(0).text == std::to_string(frame - 18));
}

TEST_CASE("Several results, warnings and errors come back as they are") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = root();
  auto reply = connection.ask("SELECT 1; DO 2; SELECT 3; SELECT nothing FROM nowhere.at_all");
  REQUIRE(reply);
  CHECK(reply->answer.results.size() == 4);
  REQUIRE(reply->answer.error() != nullptr);
  CHECK(reply->answer.error()->code == 1146);
  CHECK(reply->answer.error()->sqlstate == "42S02");
  CHECK(run(connection, "SELECT CAST('12x' AS SIGNED)").warnings() == 1);
  auto table = connection.table("SELECT 1 AS a, NULL AS b UNION SELECT 2, 'x'");
  REQUIRE(table);
  CHECK(table->size() == 2);
  CHECK(table->at(1, "B") == "x");
  CHECK(table->at(0, "b") == std::nullopt);
  CHECK(table->at(9, "a") == std::nullopt);
  CHECK_FALSE(connection.table("SELECT nonsense"));
  CHECK(connection.ask(CommandCode::ping, {}).value().answer.kind() == mysql::AnswerKind::ok);
}

TEST_CASE("Rows beyond kept_rows are digested and not kept") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  Patient patient;
  patient.options->connect = options_for(login_as("root", "")).value();
  patient.options->connect.kept = {.kept_rows = 10, .kept_bytes = 1U << 20};
  ServerSession session(patient.loop, patient, patient.options);
  for (auto [rows, kept] : {std::pair<std::size_t, std::size_t>{9, 9}, {10, 10}, {11, 10}, {100'000, 10}}) {
    SessionResult result = patient.ask(session, query("SELECT seq FROM mysql.seq_1_to_" + std::to_string(rows)));
    const mysql::ResultSet* set = std::get<SessionReply>(result).reply.answer.first_rows();
    REQUIRE(set != nullptr);
    CHECK(set->row_count() == rows);
    CHECK(set->rows.size() == kept);
  }
}

TEST_CASE("A session stands in the schema and collation that each command needs, read-only") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection admin = root();
  run(admin, "CREATE DATABASE IF NOT EXISTS one; CREATE DATABASE IF NOT EXISTS two");
  run(admin, "CREATE OR REPLACE TABLE one.t (a INT); CREATE OR REPLACE TABLE two.t (a INT)");
  Patient patient;
  patient.options->connect = options_for(login_as("root", "")).value();
  ServerSession session(patient.loop, patient, patient.options);

  CHECK(patient.cell(session, "SELECT DATABASE()", "one") == "one");
  CHECK(patient.cell(session, "SELECT DATABASE()", "two") == "two");
  CHECK(patient.cell(session, "SELECT DATABASE()") == "two");
  CHECK(patient.cell(session, "SELECT @@collation_connection", "", 45) == "utf8mb4_general_ci");
  CHECK(patient.cell(session, "SELECT @@collation_connection", "", 8) == "latin1_swedish_ci");
  CHECK(patient.cell(session, "SELECT @@character_set_results", "", 63) == "binary");
  // MySQL 8's default collation, which MariaDB 10.11 doesn't know: its character set decides.
  CHECK(patient.cell(session, "SELECT @@character_set_client", "", 255) == "utf8mb4");
  CHECK(patient.cell(session, "SELECT @@tx_read_only, @@autocommit") == "1");
  CHECK(patient.cell(session, "INSERT INTO one.t VALUES (1)") == "error 1792");

  SessionResult refused = patient.ask(session, query("SELECT 1"), "no_such_schema");
  CHECK(std::get<SessionReply>(refused).step == SessionReply::Step::schema);
  CHECK(std::get<SessionReply>(refused).reply.answer.error()->code == 1049);
  CHECK(collation_name(45)->collation == "utf8mb4_general_ci");
  CHECK_FALSE(collation_name(0));
}

TEST_CASE("A lost session comes back with its state, its schema and its prepared statements") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection admin = root();
  run(admin, "CREATE DATABASE IF NOT EXISTS here; CREATE DATABASE IF NOT EXISTS there");
  run(admin, "CREATE OR REPLACE TABLE here.t SELECT 'here' AS place; CREATE OR REPLACE TABLE there.t SELECT 'there' AS place");
  Patient patient;
  patient.options->connect = options_for(login_as("root", "")).value();
  patient.options->remembered_bytes = 40;
  ServerSession session(patient.loop, patient, patient.options);

  CHECK(session.stateless());
  mysql::Command set = query("SET @shape = 'round'");
  patient.ask(session, set, "here");
  CHECK(session.remember(set.text));
  CHECK(session.remember(set.text));
  CHECK_FALSE(session.remember("SET @more = 'than forty bytes'"));
  CHECK_FALSE(session.stateless());

  mysql::Command execute;
  execute.code = CommandCode::stmt_execute;
  execute.text = "SELECT place FROM t WHERE place <> ?";
  execute.statement_id = 77;  // the capture's; never sent
  execute.parameters.push_back(text_parameter("nowhere"));
  auto place = [&](const std::string& schema) {
    SessionResult result = patient.ask(session, execute, schema);
    REQUIRE(std::holds_alternative<SessionReply>(result));
    const mysql::Answer& answer = std::get<SessionReply>(result).reply.answer;
    CHECK(answer.first_rows()->format == mysql::RowFormat::binary);
    return cells_of(answer).at(0).at(0).text;
  };
  CHECK(place("here") == "here");
  CHECK(place("there") == "here");  // names are resolved when the statement is prepared

  run(admin, "KILL " + std::to_string(session.connection()->server_thread()));
  while (patient.closed == 0) patient.loop.run();
  CHECK_FALSE(session.connected());
  CHECK(place("there") == "here");
  CHECK(patient.cell(session, "SELECT @shape") == "round");

  mysql::Command close;
  close.code = CommandCode::stmt_close;
  close.text = execute.text;
  SessionResult closed = patient.ask(session, close);
  CHECK(std::get<SessionReply>(closed).reply.answer.state == mysql::Answer::State::none);
  CHECK(place("there") == "there");

  execute.parameters.clear();
  CHECK(std::holds_alternative<NotSendable>(patient.ask(session, execute, "here")));
  session.close(ServerSession::Memory::forget);
  CHECK(session.stateless());
  CHECK(patient.cell(session, "SELECT IFNULL(@shape, 'forgotten')") == "forgotten");
}

TEST_CASE("Only so many statements stay prepared at the server") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  Patient patient;
  patient.options->connect = options_for(login_as("root", "")).value();
  patient.options->prepared_statements = 3;
  ServerSession session(patient.loop, patient, patient.options);
  for (int i = 0; i < 10; ++i) {
    mysql::Command execute;
    execute.code = CommandCode::stmt_execute;
    execute.text = "SELECT " + std::to_string(i);
    SessionResult result = patient.ask(session, execute);
    CHECK(cells_of(std::get<SessionReply>(result).reply.answer).at(0).at(0).text == std::to_string(i));
  }
  // Of this connection: all were prepared, all but three closed again.
  SessionResult count = patient.ask(session, query("SHOW SESSION STATUS WHERE Variable_name = 'Com_stmt_close'"));
  CHECK(cells_of(std::get<SessionReply>(count).reply.answer).at(0).at(1).text == "7");
}

TEST_CASE("Hundreds of connections are closed without a trace in the server") {
  if (server() == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection admin = root();
  auto aborted = [&] { return admin.table("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")->at(0, std::size_t{1}); };
  auto before = aborted();
  for (int i = 0; i < 200; ++i) CHECK(root().table("SELECT 1"));
  for (int tries = 0; tries < 500 && admin.table("SHOW PROCESSLIST")->size() > 1; ++tries) std::this_thread::sleep_for(10ms);
  CHECK(admin.table("SHOW PROCESSLIST")->size() == 1);
  CHECK(aborted() == before);  // an aborted client is one that went away without COM_QUIT
}
