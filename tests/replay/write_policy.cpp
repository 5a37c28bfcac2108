// What a reads run sends, and why it holds back the rest; on meanings of real texts.
#include "replay/write_policy.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;
using mysql::CommandCode;
using Action = Decision::Action;

namespace {

Decision decision_of(CommandCode code, const std::string& text, const std::vector<std::string>& allowed = {}) {
  session::Exchange exchange;
  exchange.command.code = code;
  exchange.command.text = text;
  exchange.command.text_state = text.empty() ? mysql::Command::Text::unknown : mysql::Command::Text::known;
  return decide(exchange, sql::understand(text), {allowed});
}

std::string reason_of(const std::string& text, const std::vector<std::string>& allowed = {}) {
  Decision decision = decision_of(CommandCode::query, text, allowed);
  CHECK(decision.action == Action::hold);
  return decision.reason;
}

}  // namespace

TEST_CASE("Reads are sent, as text and prepared") {
  for (const char* text : {"SELECT 1", "SHOW TABLES", "EXPLAIN SELECT 1", "SELECT 1; SELECT 2", "WITH x AS (SELECT 1) SELECT * FROM x"})
    CHECK(decision_of(CommandCode::query, text).action == Action::send);
  for (CommandCode code : {CommandCode::stmt_prepare, CommandCode::stmt_execute, CommandCode::stmt_close, CommandCode::stmt_reset})
    CHECK(decision_of(code, "SELECT * FROM t WHERE id = ?").action == Action::send);
}

TEST_CASE("What shapes a session is sent as state") {
  for (const char* text : {"USE shop", "SET NAMES utf8mb4", "SET CHARACTER SET latin1", "SET SESSION sql_mode = 'ANSI'", "SET @x = 1",
                           "SET time_zone = '+00:00', @@session.group_concat_max_len = 100000"}) {
    INFO(text);
    CHECK(decision_of(CommandCode::query, text).action == Action::send_as_state);
  }
  CHECK(decision_of(CommandCode::init_db, "shop").action == Action::send_as_state);
}

TEST_CASE("Whatever writes, locks or controls a transaction is held back with its reason") {
  CHECK(reason_of("INSERT INTO t VALUES (1)") == "write");
  CHECK(reason_of("UPDATE t SET a = 1") == "write");
  CHECK(reason_of("SELECT 1; DELETE FROM t") == "write");
  CHECK(reason_of("DROP TABLE t") == "ddl");
  CHECK(reason_of("SELECT * FROM t FOR UPDATE") == "locking_read");
  CHECK(reason_of("BEGIN") == "transaction_control");
  CHECK(reason_of("COMMIT") == "transaction_control");
  CHECK(reason_of("SET autocommit = 0") == "transaction_control");
  CHECK(reason_of("SET SESSION TRANSACTION READ WRITE") == "transaction_control");
  CHECK(reason_of("SET tx_read_only = 0") == "transaction_control");
  CHECK(reason_of("SET NAMES utf8mb4, autocommit = 0") == "transaction_control");
  CHECK(reason_of("SET SESSION wait_timeout = 1") == "session_variable");
  CHECK(reason_of("SELECT SLEEP(1)") == "unsafe: sleep");
  CHECK(reason_of("SELECT GET_LOCK('a', 1)") == "unsafe: user_lock");
  CHECK(reason_of("SET GLOBAL max_connections = 5") == "unsafe: global_state");
  CHECK(reason_of("KILL 5") == "unsafe: kill");
  CHECK(reason_of("SELEKT 1") == "not_understood");
  CHECK(reason_of("SELECT 1 FROM") == "not_understood");
  CHECK(reason_of("") == "other");
}

TEST_CASE("An allowed effect is sent, and only where nothing else forbids the statement") {
  CHECK(decision_of(CommandCode::query, "SELECT SLEEP(1)", {"sleep"}).action == Action::send);
  CHECK(decision_of(CommandCode::query, "SELECT GET_LOCK('a', 1)", {"get_lock"}).action == Action::send);
  CHECK(reason_of("SELECT SLEEP(1), LOAD_FILE('x')", {"sleep"}).starts_with("unsafe"));
  CHECK(reason_of("INSERT INTO t SELECT SLEEP(1)", {"sleep", "write"}) == "write");
  CHECK(reason_of("DROP TABLE t", {"schema_change"}) == "ddl");
}

TEST_CASE("A prepared statement whose text was not seen is not sent") {
  for (CommandCode code : {CommandCode::stmt_execute, CommandCode::stmt_close, CommandCode::stmt_reset})
    CHECK(decision_of(code, "").reason == "statement_unknown");
}

TEST_CASE("A prepared write is held back from PREPARE to CLOSE") {
  for (CommandCode code : {CommandCode::stmt_prepare, CommandCode::stmt_execute, CommandCode::stmt_bulk_execute, CommandCode::stmt_close})
    CHECK(decision_of(code, "INSERT INTO t VALUES (?)").reason == "write");
  CHECK(decision_of(CommandCode::stmt_prepare, "SET NAMES utf8").reason == "session_variable");
  CHECK(decision_of(CommandCode::stmt_bulk_execute, "SELECT ?").reason == "bulk");
}

TEST_CASE("A cursor's execute and its fetches are held back") {
  session::Exchange exchange;
  exchange.command.code = CommandCode::stmt_execute;
  exchange.command.text = "SELECT 1";
  exchange.command.text_state = mysql::Command::Text::known;
  exchange.command.cursor_flags = 1;
  CHECK(decide(exchange, sql::understand("SELECT 1"), {}).reason == "cursor");
  CHECK(decision_of(CommandCode::stmt_fetch, "SELECT 1").reason == "cursor");
}

TEST_CASE("Every command code of the protocol has a decision, and none but reads and state is sent") {
  for (int byte = 0; byte < 256; ++byte) {
    auto code = static_cast<CommandCode>(byte);
    Decision decision = decision_of(code, "DROP DATABASE x");
    INFO(byte);
    if (code == CommandCode::init_db) continue;  // names a schema, which a reads run may enter
    if (code == CommandCode::change_user || code == CommandCode::reset_connection) {
      CHECK(decision.action == Action::begin_anew);
    } else {
      CHECK(decision.action == Action::hold);
    }
    CHECK_FALSE(decision.reason.empty());
  }
}
