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
  return decide(exchange, sql::understand(text), {allowed, Writes::left_out, WritePolicy::Reads::sent, {}});
}

Decision with_writes(const std::string& text, Writes writes = Writes::applied, const std::vector<std::string>& allowed = {},
                     CommandCode code = CommandCode::query) {
  session::Exchange exchange;
  exchange.schema = "shop";
  exchange.command.code = code;
  exchange.command.text = text;
  exchange.command.text_state = mysql::Command::Text::known;
  return decide(exchange, sql::understand(text), {allowed, writes, WritePolicy::Reads::sent, {{"shop", "log"}}});
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

TEST_CASE("A SET of several variables goes out without those that are held back") {
  auto sent = [](const std::string& text, Writes writes) {
    Decision decision = with_writes(text, writes);
    return decision.action == Action::send_as_state ? decision.sent_text.empty() ? "all of it" : decision.sent_text : decision.reason;
  };
  const std::string rails = "SET  @@SESSION.sql_mode = 'ANSI', @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483";
  const std::string connector = "SET character_set_results = NULL, autocommit=1, sql_mode=concat(@@sql_mode,',STRICT_TRANS_TABLES')";
  for (Writes writes : {Writes::left_out, Writes::rolled_back, Writes::applied}) {
    CHECK(sent(rails, writes) == "SET @@SESSION.sql_mode = 'ANSI', @@SESSION.sql_auto_is_null = 0");
    CHECK(sent(connector, writes) == (writes == Writes::left_out ? "SET character_set_results = NULL, sql_mode=concat(@@sql_mode,',STRICT_TRANS_TABLES')" : "all of it"));
    CHECK(sent("SET sql_safe_updates=1,sql_select_limit=1000, max_join_size=1000000", writes) == "all of it");
    CHECK(sent("SET wait_timeout = 1, net_write_timeout = 2", writes) == "session_variable");
    CHECK(sent("SET GLOBAL max_connections = 5, sql_mode = ''", writes) == "unsafe: global_state");
    CHECK(sent("SET sql_log_bin = 0, sql_mode = '', wait_timeout = 3", writes).starts_with("unsafe"));
    CHECK(sent("SET SESSION wait_timeout = 5, sql_mode = ''; SELECT 1", writes) != "all of it");
  }
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
  CHECK(reason_of("SET @a = (SELECT 1 FROM t), autocommit = 0") == "transaction_control");
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

TEST_CASE("An execute that followed a refused PREPARE is not sent") {
  session::Exchange exchange;
  exchange.command.code = CommandCode::stmt_execute;
  exchange.command.text = "SELECT nope FROM t";
  exchange.command.text_state = mysql::Command::Text::known;
  mysql::ServerError error;
  error.code = 1243;
  exchange.answer.results.emplace_back(error);
  exchange.answer.state = mysql::Answer::State::complete;
  CHECK(decide(exchange, sql::understand(exchange.command.text), {}).reason == "statement_unknown");
}

TEST_CASE("A prepared write is held back from PREPARE to CLOSE") {
  for (CommandCode code : {CommandCode::stmt_prepare, CommandCode::stmt_execute, CommandCode::stmt_bulk_execute, CommandCode::stmt_close})
    CHECK(decision_of(code, "INSERT INTO t VALUES (?)").reason == "write");
  CHECK(decision_of(CommandCode::stmt_prepare, "SET NAMES utf8").reason == "session_variable");
}

TEST_CASE("A cursor's execute is sent; its fetches are not, nor a bulk execute whose rows were answered one by one") {
  session::Exchange exchange;
  exchange.command.code = CommandCode::stmt_execute;
  exchange.command.text = "SELECT 1";
  exchange.command.text_state = mysql::Command::Text::known;
  for (std::uint8_t flags : {1, 8, 9}) {
    exchange.command.cursor_flags = flags;
    CHECK(decide(exchange, sql::understand("SELECT 1"), WritePolicy{}).action == Action::send);
  }
  CHECK(with_writes("INSERT INTO t VALUES (?)", Writes::applied, {}, CommandCode::stmt_bulk_execute).action == Action::write);
  exchange.command.code = CommandCode::stmt_bulk_execute;
  exchange.command.text = "INSERT INTO t VALUES (?)";
  exchange.answer.results.emplace_back(mysql::ResultSet());
  CHECK(decide(exchange, sql::understand(exchange.command.text), {{}, Writes::applied, WritePolicy::Reads::sent, {}}).reason == "bulk_unit_results");
  CHECK(decision_of(CommandCode::stmt_fetch, "SELECT 1").reason == "cursor");
}

TEST_CASE("Where writes are replayed, they and their transactions are sent; what is unsafe is not") {
  for (Writes writes : {Writes::applied, Writes::rolled_back}) {
    for (const char* text : {"INSERT INTO t VALUES (1)", "SELECT * FROM t FOR UPDATE", "REPLACE INTO t VALUES (1)", "UPDATE t SET a = 1; DELETE FROM t"}) {
      INFO(text);
      CHECK(with_writes(text, writes).action == Action::write);
    }
    for (const char* text : {"BEGIN", "COMMIT", "ROLLBACK TO SAVEPOINT a", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"}) {
      INFO(text);
      CHECK(with_writes(text, writes).action == Action::transaction);
    }
    for (const char* text : {"SET autocommit = 0", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET tx_isolation = 'READ-COMMITTED'"}) {
      INFO(text);
      CHECK(with_writes(text, writes).action == Action::send_as_state);
    }
    CHECK(with_writes("XA START 'a'", writes).reason == "xa");
    CHECK(with_writes("CALL p()", writes).reason == "unsafe: stored_routine");
    CHECK(with_writes("INSERT INTO t SELECT SLEEP(1)", writes).reason == "unsafe: sleep");
    CHECK(with_writes("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", writes).reason == "unsafe: file");
    CHECK(with_writes("DROP TABLE t", writes).reason == "ddl");
    CHECK(with_writes("SET GLOBAL max_connections = 5", writes).action == Action::hold);
  }
  CHECK(with_writes("UPDATE t SET a = ?", Writes::applied, {}, CommandCode::stmt_execute).action == Action::write);
}

TEST_CASE("What a ROLLBACK would not undo is held back in a rollback sandbox") {
  CHECK(with_writes("INSERT INTO log VALUES (1)", Writes::rolled_back).reason == "not_transactional: shop.log");
  CHECK(with_writes("INSERT INTO log VALUES (1)", Writes::applied).action == Action::write);
  CHECK(with_writes("INSERT INTO other.log VALUES (1)", Writes::rolled_back).action == Action::write);
  CHECK(with_writes("BEGIN; DELETE FROM t; COMMIT", Writes::rolled_back).reason == "commits_inside");
  CHECK(with_writes("DROP TABLE t", Writes::rolled_back, {"ddl"}).reason == "ddl");
  CHECK(with_writes("DROP TABLE t", Writes::applied, {"ddl"}).action == Action::write);
  CHECK(with_writes("INSERT INTO Shop.LOG VALUES (1)", Writes::rolled_back).reason == "not_transactional: Shop.LOG");  // one table, where names have no case
}

TEST_CASE("What commits by itself or writes where it likes is held back in a rollback sandbox even where it is allowed") {
  for (const char* text : {"CALL p()", "SELECT f(1)", "LOCK TABLES t WRITE", "UNLOCK TABLES", "EXECUTE s", "EXECUTE IMMEDIATE 'COMMIT'", "FLUSH TABLES", "SET PASSWORD = 'x'",
                           "GRANT ALL ON *.* TO a", "ANALYZE TABLE t", "SET GLOBAL autocommit = 1", "SELECT NEXTVAL(s)", "SELECT 1 INTO OUTFILE 'x'", "XA COMMIT 'a'",
                           "BEGIN NOT ATOMIC DELETE FROM t; COMMIT; END", "IF 1 THEN COMMIT; END IF", "DELETE FROM t; LOCK TABLES t WRITE", "SET STATEMENT sql_mode = '' FOR COMMIT",
                           "SET completion_type = 1", "SELECT 1; COMMIT", "SET autocommit = 0; DELETE FROM t; SET autocommit = 1", "ANALYZE DELETE FROM log"}) {
    INFO(text);
    std::vector<std::string> all;
    for (int kind = 0; kind <= static_cast<int>(sql::EffectKind::not_understood); ++kind) all.emplace_back(sql::to_string(static_cast<sql::EffectKind>(kind)));
    CHECK(with_writes(text, Writes::rolled_back, all).action == Action::hold);
    CHECK(with_writes(text, Writes::rolled_back, all, CommandCode::stmt_execute).action == Action::hold);
  }
  CHECK(with_writes("SELECT SLEEP(1)", Writes::rolled_back, {"sleep"}).action == Action::send);
  CHECK(with_writes("CALL p()", Writes::rolled_back, {"stored_routine"}).reason == "cannot_roll_back: stored_routine");
  CHECK(with_writes("CALL p()", Writes::applied, {"stored_routine"}).is_sent());
}

TEST_CASE("Rows of the server's own tables are never written") {
  for (Writes writes : {Writes::applied, Writes::rolled_back, Writes::redirected}) {
    CHECK(with_writes("INSERT INTO mysql.user VALUES (1)", writes).reason == "system_schema: mysql");
    CHECK(with_writes("UPDATE t, Performance_Schema.setup_consumers SET ENABLED = 'NO'", writes).reason == "system_schema: performance_schema");
    CHECK(with_writes("SELECT * FROM mysql.user FOR UPDATE", writes).action == Action::write);
  }
}

TEST_CASE("A run of writes alone holds back the plain reads") {
  session::Exchange exchange;
  exchange.command.code = CommandCode::query;
  exchange.command.text = "SELECT 1";
  exchange.command.text_state = mysql::Command::Text::known;
  CHECK(decide(exchange, sql::understand("SELECT 1"), {{}, Writes::applied, WritePolicy::Reads::left_out, {}}).reason == "read");
}

TEST_CASE("The victim of a deadlock at the source is held back where writes are replayed") {
  session::Exchange exchange;
  exchange.command.code = CommandCode::query;
  exchange.command.text = "UPDATE t SET a = 1";
  exchange.command.text_state = mysql::Command::Text::known;
  auto reason_of = [&](std::uint16_t code, Writes writes) {
    exchange.answer.results = {mysql::ServerError{code, "40001", ""}};
    return decide(exchange, sql::understand(exchange.command.text), {{}, writes, WritePolicy::Reads::sent, {}}).reason;
  };
  for (std::uint16_t code : {1213, 1205}) CHECK(reason_of(code, Writes::applied) == "lock_conflict_at_source");
  for (std::uint16_t code : {1317, 1969, 3024, 1290}) CHECK(reason_of(code, Writes::rolled_back) == "interrupted_at_source");
  CHECK(reason_of(1062, Writes::applied).empty());
  CHECK(reason_of(1317, Writes::left_out) == "write");
  // A session under LOCK TABLES, which is not sent.
  for (std::uint16_t code : {1099, 1100, 1223})
    for (Writes writes : {Writes::applied, Writes::left_out}) CHECK(reason_of(code, writes) == "table_lock_at_source");
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
