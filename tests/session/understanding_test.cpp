// What captured statements mean depends on what their session set before.
#include "session/understanding.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::session;
using sql::StatementClass;

namespace {

class Session {
 public:
  explicit Session(Understanding& understanding, std::uint64_t id = 1) : understanding_(understanding) {
    info_.id = SessionId{id};
    info_.server_version = "8.0.34";
  }
  StatementClass ask(const std::string& sql, bool fails = false) { return tell(mysql::CommandCode::query, sql, fails); }
  StatementClass tell(mysql::CommandCode code, const std::string& sql = "", bool fails = false) {
    Exchange exchange;
    exchange.id.session = info_.id;
    exchange.command.code = code;
    exchange.command.text = sql;
    exchange.command.text_state = mysql::Command::Text::known;
    exchange.answer.results.push_back(fails ? mysql::Result(mysql::ServerError{1231, "42000", ""}) : mysql::Result(mysql::Ok{}));
    return understanding_.of(info_, exchange)->statement_class;
  }
  SessionInfo info_;

 private:
  Understanding& understanding_;
};

const std::string ansi = R"(SELECT "a\", SLEEP(1) -- ")";
const std::string plain_backslash = R"(SELECT '\', SLEEP(1) -- ')";

}  // namespace

TEST_CASE("quotes and escapes are read as the session's sql_mode says") {
  Understanding understanding;
  Session session(understanding), other(understanding, 2);
  CHECK(session.ask(ansi) == StatementClass::read);
  CHECK(session.ask("SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'") == StatementClass::session);
  CHECK(session.ask(ansi) == StatementClass::unsafe);
  CHECK(other.ask(ansi) == StatementClass::read);
  CHECK(session.ask("SET SESSION sql_mode = ''") == StatementClass::session);
  CHECK(session.ask(ansi) == StatementClass::read);
  session.ask("SET @@session.sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')");
  CHECK(session.ask(plain_backslash) == StatementClass::unsafe);
  session.ask("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
  CHECK(session.ask(plain_backslash) == StatementClass::unsafe);
  CHECK(session.ask(ansi) == StatementClass::unsafe);
  session.ask("SET sql_mode = TRADITIONAL");
  CHECK(session.ask(ansi) == StatementClass::read);
  session.ask("SET sql_mode = ANSI");
  CHECK(session.ask(ansi) == StatementClass::unsafe);
  session.ask("SET sql_mode = 4");
  CHECK(session.ask(ansi) == StatementClass::unsafe);
  session.tell(mysql::CommandCode::reset_connection);
  CHECK(session.ask(ansi) == StatementClass::read);
}

TEST_CASE("a SET that failed sets nothing") {
  Understanding understanding;
  Session session(understanding);
  session.ask("SET sql_mode = 'ANSI_QUOTES'", /*fails=*/true);
  CHECK(session.ask(ansi) == StatementClass::read);
}

TEST_CASE("under a mode that the capture does not show a text must mean the same in all of them") {
  Understanding understanding;
  Session session(understanding);
  for (const char* set : {"SET sql_mode = @old_sql_mode", "SET sql_mode = DEFAULT", "SET sql_mode = REPLACE(@@sql_mode, 'x', '')", "SET sql_mode = (SELECT 'ANSI')",
                          "SET sql_mode = @@global.sql_mode"}) {
    CAPTURE(set);
    session.ask("SET sql_mode = ''");
    session.ask(set);
    CHECK(session.ask(ansi) == StatementClass::unsafe);
    CHECK(session.ask(plain_backslash) == StatementClass::unsafe);
    CHECK(session.ask("SELECT 'a', \"b\" FROM t WHERE c = 'd'") == StatementClass::read);
    CHECK(session.ask("DELETE FROM t") == StatementClass::write);
  }
}

TEST_CASE("a client that asks for IGNORE_SPACE at its login has it") {
  Understanding understanding;
  Session session(understanding);
  CHECK(session.ask("SELECT COUNT (*) FROM t") == StatementClass::unsafe);
  session.info_.capabilities = mysql::capability::ignore_space;
  CHECK(session.ask("SELECT COUNT (*) FROM t") == StatementClass::read);
}

TEST_CASE("a versioned comment must mean the same on the servers that statements are sent to") {
  Understanding understanding;
  understanding.also_read_by({*sql::parse_server_name("mysql80"), *sql::parse_server_name("mariadb1011")});
  Session session(understanding);
  session.info_.server_version = "5.7.44";
  CHECK(session.ask("SELECT id FROM t /*!80000 FOR UPDATE */") == StatementClass::unsafe);
  CHECK(session.ask("SELECT 1 /*!80000 , GET_LOCK('a', 1) */") == StatementClass::unsafe);
  CHECK(session.ask("SELECT 1 /*M! , GET_LOCK('a', 1) */") == StatementClass::unsafe);
  CHECK(session.ask("SELECT /*!40001 SQL_NO_CACHE */ id FROM t") == StatementClass::read);
  CHECK(session.ask("SELECT id FROM t /*!80000 ORDER BY id */") == StatementClass::read);
  CHECK(session.ask("SELECT '/*!80000 FOR UPDATE */'") == StatementClass::read);
  Understanding alone;
  Session captured(alone);
  captured.info_.server_version = "5.7.44";
  CHECK(captured.ask("SELECT id FROM t /*!80000 FOR UPDATE */") == StatementClass::read);
}

TEST_CASE("a view's effects are known under each session's own schema, however many there are") {
  sql::Catalogue catalogue;
  catalogue.default_schema = "s0";
  for (int i = 0; i < 100; ++i) catalogue.views[{"s" + std::to_string(i), i % 2 == 0 ? "even" : "odd"}] = {{"price"}, {}};
  Understanding understanding(catalogue);
  mysql::Command command;
  command.code = mysql::CommandCode::query;
  command.text = "SELECT * FROM even";
  command.text_state = mysql::Command::Text::known;
  auto class_in = [&](const std::string& schema) { return understanding.of(command, {}, schema)->statement_class; };
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    CHECK(class_in("s" + std::to_string(i)) == (i % 2 == 0 ? StatementClass::unsafe : StatementClass::read));
  }
  CHECK(class_in("") == StatementClass::unsafe);  // none told: the run's own
}
