// The class of a statement: what may reach a target in a run of reads.
#include "sql/lexer.h"
#include "sql/meaning.h"
#include "statement_lists.h"
#include "test_support/catch.h"

using namespace darktap::sql;

namespace {

StatementClass class_of(std::string_view text, const Dialect& dialect = {}) { return understand(text, dialect).statement_class; }

Dialect with_mode(std::string_view mode) {
  Dialect dialect;
  dialect.mode = parse_sql_mode(mode);
  return dialect;
}
Dialect with_charset(Charset charset) {
  Dialect dialect;
  dialect.charset = charset;
  return dialect;
}
Dialect on(std::string_view server) {
  Dialect dialect;
  dialect.server = *parse_server_name(server);
  return dialect;
}

}  // namespace

TEST_CASE("no statement of the unsafe list is a read, whatever the server") {
  std::vector<std::string> list = statements_of(not_reads);
  REQUIRE(list.size() >= 250);
  for (const Dialect& dialect : {Dialect{}, on("mysql57"), on("mysql84"), on("mariadb1011")}) {
    for (const std::string& sql : list) {
      // Servers skip what is written for later or other ones: there the read that is left is one.
      bool versioned = sql.find("/*!") != std::string::npos || sql.find("/*M!") != std::string::npos;
      if (dialect.server.kind != ServerKind::unknown && versioned) continue;
      CAPTURE(sql);
      Meaning meaning = understand(sql, dialect);
      REQUIRE(meaning.statement_class != StatementClass::read);
      REQUIRE(meaning.statement_class != StatementClass::other);
    }
  }
}

TEST_CASE("ordinary reads are reads, whatever the server") {
  for (const Dialect& dialect : {Dialect{}, on("mysql84"), on("mariadb1011")}) {
    for (const std::string& sql : statements_of(reads)) {
      CAPTURE(sql);
      Meaning meaning = understand(sql, dialect);
      CAPTURE(meaning.why);
      REQUIRE(meaning.understood);
      REQUIRE(meaning.statement_class == StatementClass::read);
    }
  }
}

TEST_CASE("a versioned comment counts as the server takes it") {
  const char* newer = "SELECT * FROM t /*!80000 FOR UPDATE */";
  CHECK(class_of(newer, on("mysql80")) == StatementClass::locking_read);
  CHECK(class_of(newer, on("mysql57")) == StatementClass::read);
  CHECK(class_of(newer, on("mariadb1011")) == StatementClass::read);
  CHECK(class_of(newer) == StatementClass::unsafe);
  const char* mariadb = "SELECT * FROM t /*M!100100 FOR UPDATE */";
  CHECK(class_of(mariadb, on("mariadb1011")) == StatementClass::locking_read);
  CHECK(class_of(mariadb, on("mariadb100")) == StatementClass::read);
  CHECK(class_of(mariadb, on("mysql80")) == StatementClass::read);
  CHECK(class_of(mariadb) == StatementClass::unsafe);
  CHECK(class_of("SELECT 1 /*!100100 , 2 */", on("mariadb1011")) == StatementClass::read);
  // Older MySQL reads five digits and leaves the sixth in the text.
  CHECK(class_of("SELECT 1 /*!100100 , SLEEP(1) */", on("mysql57")) == StatementClass::unsafe);
}

TEST_CASE("quotes mean what the sql_mode says") {
  CHECK(class_of(R"(SELECT "a\" FROM t FOR UPDATE; -- ")", with_mode("ANSI_QUOTES")) == StatementClass::locking_read);
  CHECK(class_of(R"(SELECT "a", GET_LOCK("b", 1))", with_mode("ANSI_QUOTES")) == StatementClass::unsafe);
  CHECK(class_of(R"(SELECT '\', SLEEP(1), '')", with_mode("NO_BACKSLASH_ESCAPES")) == StatementClass::unsafe);
  CHECK(class_of(R"(SELECT '\', SLEEP(1), ''')") == StatementClass::read);
  CHECK(class_of(R"(SELECT '\' FROM t FOR UPDATE -- ')", with_mode("NO_BACKSLASH_ESCAPES")) == StatementClass::locking_read);
  CHECK(class_of("SELECT COUNT (*) FROM t", with_mode("IGNORE_SPACE")) == StatementClass::read);
  CHECK(class_of("SELECT COUNT (*) FROM t", with_mode("ANSI")) == StatementClass::read);
  CHECK(class_of("SELECT GET_LOCK ('a', 1)", with_mode("IGNORE_SPACE")) == StatementClass::unsafe);
}

TEST_CASE("a multi-byte character swallows the backslash in its second byte") {
  // 0xbf5c and 0x955c are one character each: the quote behind it closes the string.
  std::string gbk = "SELECT '\xbf\\', SLEEP(1), ''";
  CHECK(class_of(gbk, with_charset(Charset::gbk)) == StatementClass::unsafe);
  CHECK(class_of(gbk, with_charset(Charset::gb18030)) == StatementClass::unsafe);
  std::string sjis = "SELECT '\x95\\', SLEEP(1), ''";
  CHECK(class_of(sjis, with_charset(Charset::sjis)) == StatementClass::unsafe);
  CHECK(class_of(sjis, with_charset(Charset::cp932)) == StatementClass::unsafe);
  std::string big5 = "SELECT '\xa5\\', SLEEP(1), ''";
  CHECK(class_of(big5, with_charset(Charset::big5)) == StatementClass::unsafe);
  // The same for a backtick (0x60) inside a quoted name.
  std::string tick = "SELECT `\xbf`` FROM t FOR UPDATE";
  CHECK(class_of(tick, with_charset(Charset::gbk)) == StatementClass::locking_read);
  CHECK(class_of("SELECT '\xbf\xbf', 1", with_charset(Charset::gbk)) == StatementClass::read);
}

TEST_CASE("white space that only some character sets have separates words") {
  CHECK(class_of("SELECT * FROM t FOR\xa0UPDATE") != StatementClass::read);
  CHECK(class_of("SELECT * FROM t FOR\x0bUPDATE") == StatementClass::locking_read);
}

TEST_CASE("a NUL outside a string is never passed over") {
  using namespace std::string_view_literals;
  CHECK(class_of("SELECT 1 # x\0\n FOR UPDATE"sv) == StatementClass::unsafe);
  CHECK(class_of("SELECT 1\0; DELETE FROM t"sv) == StatementClass::unsafe);
  CHECK(class_of("SELECT 'a\0b'"sv) == StatementClass::read);
}

TEST_CASE("a function counts as built in where the server has it; elsewhere the name may be a stored routine's") {
  CHECK(class_of("SELECT BIN_TO_UUID(a) FROM t", on("mysql80")) == StatementClass::read);
  CHECK(class_of("SELECT BIN_TO_UUID(a) FROM t", on("mysql57")) == StatementClass::unsafe);
  CHECK(class_of("SELECT BIN_TO_UUID(a) FROM t", on("mariadb1011")) == StatementClass::unsafe);
  Dialect early;
  early.server = {ServerKind::mysql, 80016};
  CHECK(class_of("SELECT JSON_OVERLAPS(a, b) FROM t", on("mysql80")) == StatementClass::read);
  CHECK(class_of("SELECT JSON_OVERLAPS(a, b) FROM t", early) == StatementClass::unsafe);
  early.server.version = 80017;
  CHECK(class_of("SELECT JSON_OVERLAPS(a, b) FROM t", early) == StatementClass::read);
  CHECK(class_of("SELECT NVL(a, 1) FROM t", on("mariadb1011")) == StatementClass::read);
  CHECK(class_of("SELECT NVL(a, 1) FROM t", on("mysql80")) == StatementClass::unsafe);
  CHECK(class_of("SELECT X(a), CONTAINS(a, b) FROM t", on("mysql57")) == StatementClass::read);
  CHECK(class_of("SELECT X(a), CONTAINS(a, b) FROM t", on("mysql80")) == StatementClass::unsafe);
}

TEST_CASE("each class has its statements") {
  CHECK(class_of("") == StatementClass::other);
  CHECK(class_of("  ;; /* nothing */ -- here") == StatementClass::other);
  CHECK(class_of("SELECT * FROM t FOR UPDATE") == StatementClass::locking_read);
  CHECK(class_of("INSERT INTO t VALUES (1)") == StatementClass::write);
  CHECK(class_of("UPDATE seq SET id = LAST_INSERT_ID(id + 1)") == StatementClass::write);
  CHECK(class_of("INSERT INTO t SELECT SLEEP(1)") == StatementClass::unsafe);
  CHECK(class_of("INSERT INTO t VALUES (my_function())") == StatementClass::unsafe);
  CHECK(class_of("CREATE TABLE t (a INT)") == StatementClass::ddl);
  CHECK(class_of("CREATE PROCEDURE p() BEGIN DELETE FROM t; SELECT 1; END") == StatementClass::ddl);
  CHECK(class_of("SET NAMES utf8mb4 COLLATE utf8mb4_bin") == StatementClass::session);
  CHECK(class_of("SET SESSION sql_mode = 'ANSI', time_zone = '+00:00'") == StatementClass::session);
  CHECK(class_of("SET sql_mode = CONCAT(@@sql_mode, ',ANSI')") == StatementClass::session);
  CHECK(class_of("SET autocommit=0") == StatementClass::session);
  CHECK(class_of("SET no_such_variable = 1") == StatementClass::unsafe);
  CHECK(class_of("USE db") == StatementClass::session);
  CHECK(class_of("SET @a = 1") == StatementClass::session);
  for (const char* sql : {"BEGIN", "begin work", "START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT", "COMMIT AND NO CHAIN", "ROLLBACK",
                          "ROLLBACK TO SAVEPOINT a", "SAVEPOINT a", "RELEASE SAVEPOINT a", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
                          "SET SESSION TRANSACTION READ ONLY", "XA END 'a'", "SET tx_read_only = 1"}) {
    CAPTURE(sql);
    CHECK(class_of(sql) == StatementClass::transaction);
  }
  CHECK(class_of("CALL p()") == StatementClass::unsafe);
  CHECK(class_of("SET GLOBAL TRANSACTION READ ONLY") == StatementClass::unsafe);
}

TEST_CASE("of several statements the worst decides") {
  Meaning meaning = understand("SELECT 1; INSERT INTO t VALUES (1); SELECT 2");
  CHECK(meaning.statement_class == StatementClass::write);
  CHECK(meaning.statements == 3);
  CHECK(meaning.verb == "insert");
  CHECK(class_of("SELECT 1; nonsense") == StatementClass::unsafe);
  CHECK(class_of("BEGIN; SELECT 1; COMMIT") == StatementClass::transaction);
}

TEST_CASE("effects carry their names, subjects and values") {
  Meaning set = understand("SET SESSION sql_mode = 'ANSI', @x = 5, autocommit = ON");
  REQUIRE(set.effects.size() == 3);
  CHECK(to_string(set.effects[0].kind) == "session_state");
  CHECK(set.effects[0].subject == "sql_mode");
  CHECK(set.effects[0].value == "'ANSI'");
  CHECK(to_string(set.effects[1].kind) == "user_variable");
  CHECK(set.effects[1].value == "5");
  CHECK(to_string(set.effects[2].kind) == "autocommit");
  CHECK(set.effects[2].value == "ON");
  Meaning names = understand("SET NAMES latin1");
  CHECK(names.effects[0].subject == "names");
  CHECK(names.effects[0].value == "latin1");
  Meaning use = understand("USE `my db`");
  CHECK(to_string(use.effects[0].kind) == "default_schema");
  CHECK(use.effects[0].value == "`my db`");
}

TEST_CASE("a refusal points at the bytes that decided") {
  std::string sql = "SELECT a FROM t WHERE SLEEP(1)";
  Meaning meaning = understand(sql);
  CHECK(meaning.understood);
  CHECK(meaning.why == "sleep: sleep");
  CHECK(sql.substr(meaning.why_offset, meaning.why_length) == "SLEEP");
  Meaning broken = understand("SELECT a FROM WHERE b");
  CHECK_FALSE(broken.understood);
  CHECK(broken.why_offset == 14);
}

TEST_CASE("what is allowed by name loses its sting, what is not understood never does") {
  Meaning sleep = understand("SELECT SLEEP(1), my_function()");
  CHECK(class_allowing(sleep, {}) == StatementClass::unsafe);
  CHECK(class_allowing(sleep, {"sleep"}) == StatementClass::unsafe);
  CHECK(class_allowing(sleep, {"SLEEP", "my_function"}) == StatementClass::read);
  CHECK(class_allowing(sleep, {"sleep", "stored_routine"}) == StatementClass::read);
  CHECK(class_allowing(understand("SELECT GET_LOCK('a', 1) FROM t FOR UPDATE"), {"user_lock"}) == StatementClass::locking_read);
  CHECK(class_allowing(understand("nonsense"), {"not_understood", "nonsense"}) == StatementClass::unsafe);
  CHECK(class_allowing(understand("CALL p()"), {"call"}) == StatementClass::write);
}

TEST_CASE("tables are named by who reads and who writes them, CTEs are none") {
  auto names = [](const std::vector<TableName>& tables) {
    std::string joined;
    for (const TableName& table : tables) joined += (joined.empty() ? "" : " ") + to_string(table);
    return joined;
  };
  Meaning meaning = understand("SELECT * FROM a JOIN db.b x ON x.i = a.i WHERE EXISTS (SELECT 1 FROM c) UNION SELECT * FROM `D`, a");
  CHECK(names(meaning.tables_read) == "a db.b c D");
  meaning = understand("WITH c AS (SELECT * FROM t), d AS (SELECT * FROM c) SELECT * FROM d, C, db.c");
  CHECK(names(meaning.tables_read) == "t db.c");
  meaning = understand("INSERT INTO a (x) SELECT x FROM b ON DUPLICATE KEY UPDATE y = (SELECT 1 FROM c)");
  CHECK(names(meaning.tables_written) == "a");
  CHECK(names(meaning.tables_read) == "b c");
  meaning = understand("UPDATE a JOIN b ON a.i = b.i SET a.x = b.x");
  CHECK(names(meaning.tables_written) == "a");
  CHECK(names(meaning.tables_read) == "a b");
  meaning = understand("DELETE x FROM a AS x JOIN b USING (i)");
  CHECK(names(meaning.tables_written) == "a");
  meaning = understand("DELETE FROM x USING a AS x, b WHERE x.i = b.i");
  CHECK(names(meaning.tables_written) == "a");
  meaning = understand("DROP TABLE IF EXISTS a, db.b");
  CHECK(names(meaning.tables_written) == "a db.b");
  meaning = understand("RENAME TABLE a TO b");
  CHECK(names(meaning.tables_written) == "a b");
}

TEST_CASE("functions whose value varies are named once") {
  Meaning meaning = understand("SELECT NOW(), now(), RAND() * @@server_id, UUID(), CURRENT_USER, @@global.hostname, CONCAT('rand()') FROM t");
  CHECK(meaning.nondeterministic == std::vector<std::string>{"now", "rand", "uuid", "current_user", "@@server_id", "@@global.hostname"});
  CHECK(understand("SELECT UNIX_TIMESTAMP(d) FROM t").nondeterministic.empty());
  CHECK(understand("SELECT UNIX_TIMESTAMP()").nondeterministic == std::vector<std::string>{"unix_timestamp"});
}

TEST_CASE("a view that reaches a routine is refused when the catalogue knows it") {
  Catalogue catalogue;
  catalogue.default_schema = "shop";
  catalogue.views[{"shop", "plain"}] = {};
  catalogue.views[{"shop", "calling"}] = {{"shop.price"}};
  CHECK(understand("SELECT * FROM plain", {}, &catalogue).statement_class == StatementClass::read);
  Meaning meaning = understand("SELECT * FROM t JOIN calling c ON c.i = t.i", {}, &catalogue);
  CHECK(meaning.statement_class == StatementClass::unsafe);
  CHECK(class_allowing(meaning, {"shop.price"}) == StatementClass::read);
}

TEST_CASE("a view's routines and other effects are each to be allowed, however the view is spelled") {
  Catalogue catalogue;
  catalogue.default_schema = "shop";
  catalogue.views[{"shop", "busy"}] = {{"price", "stock"}, {{EffectKind::user_lock, "get_lock"}}};
  Meaning meaning = understand("SELECT * FROM Shop.BUSY", {}, &catalogue);
  CHECK(class_allowing(meaning, {"price"}) == StatementClass::unsafe);
  CHECK(class_allowing(meaning, {"stored_routine"}) == StatementClass::unsafe);
  CHECK(class_allowing(meaning, {"stored_routine", "get_lock"}) == StatementClass::read);
  // The servers' own views call the sys schema's functions, whether a catalogue is at hand or not.
  CHECK(understand("SELECT * FROM `SYS`.session", {}, &catalogue).statement_class == StatementClass::unsafe);
  CHECK(understand("SELECT * FROM sys.session").statement_class == StatementClass::unsafe);
  CHECK(understand("SELECT * FROM sys.sys_config").statement_class == StatementClass::read);
  catalogue.default_schema = "sys";
  CHECK(understand("SELECT * FROM session", {}, &catalogue).statement_class == StatementClass::unsafe);
  catalogue.default_schema = "other";
  CHECK(understand("SELECT * FROM busy", {}, &catalogue).statement_class == StatementClass::read);
  CHECK(understand("USE shop; SELECT * FROM busy", {}, &catalogue).statement_class == StatementClass::unsafe);
  CHECK(understand("USE sys; SELECT * FROM session").statement_class == StatementClass::unsafe);
  CHECK(understand("SELECT 1", {}, &catalogue).catalogued);
  CHECK_FALSE(understand("SELECT 1").catalogued);
}

TEST_CASE("a stored function of a built-in one's name is one where the catalogue holds it") {
  Catalogue catalogue;
  catalogue.default_schema = "shop";
  catalogue.routines.insert({"shop", "bin_to_uuid"});
  Dialect mysql{{}, Charset::plain, *parse_server_name("mysql80")};
  CHECK(understand("SELECT BIN_TO_UUID(id), UPPER(a) FROM t", mysql).statement_class == StatementClass::read);
  Meaning meaning = understand("SELECT BIN_TO_UUID(id), UPPER(a) FROM t", mysql, &catalogue);
  CHECK(meaning.statement_class == StatementClass::unsafe);
  CHECK(class_allowing(meaning, {"bin_to_uuid"}) == StatementClass::read);
  CHECK(understand("SELECT UPPER(a) FROM t", mysql, &catalogue).statement_class == StatementClass::read);
  catalogue.default_schema = "other";
  CHECK(understand("SELECT BIN_TO_UUID(id) FROM t", mysql, &catalogue).statement_class == StatementClass::read);
}

TEST_CASE("a built-in function between backticks has its effect, and may be a stored one") {
  Meaning meaning = understand("SELECT `Get_Lock`('a', 1), `last_insert_id`(5), `last_insert_id`()");
  CHECK(class_allowing(meaning, {"stored_routine"}) == StatementClass::unsafe);
  CHECK(class_allowing(meaning, {"stored_routine", "get_lock"}) == StatementClass::unsafe);
  CHECK(class_allowing(meaning, {"stored_routine", "get_lock", "last_insert_id"}) == StatementClass::read);
}

TEST_CASE("nesting is understood up to its limit and refused beyond it") {
  auto nested = [](int depth) { return "SELECT " + std::string(static_cast<std::size_t>(depth), '(') + "1" + std::string(static_cast<std::size_t>(depth), ')'); };
  CHECK(class_of(nested(50)) == StatementClass::read);
  CHECK(class_of(nested(100000)) == StatementClass::unsafe);
  std::string wide = "SELECT 1";
  for (int i = 0; i < 100000; ++i) wide += " OR - - + 1 = 1";
  CHECK(class_of(wide) == StatementClass::read);
}

TEST_CASE("each limit holds at its value and refuses beyond it") {
  auto repeated = [](std::string_view first, std::string_view again, std::size_t times) {
    std::string text(first);
    for (std::size_t i = 1; i < times; ++i) text += again;
    return text;
  };
  CHECK(class_of(repeated("SELECT 1", ";SELECT 1", 999)) == StatementClass::read);
  CHECK(class_of(repeated("SELECT 1", ";SELECT 1", 1000)) == StatementClass::read);
  CHECK(class_of(repeated("SELECT 1", ";SELECT 1", 1001)) == StatementClass::unsafe);
  CHECK(class_of(repeated("SET @a=1", ",@a=1", 4096)) == StatementClass::session);
  CHECK(class_of(repeated("SET @a=1", ",@a=1", 4097)) == StatementClass::unsafe);
  CHECK(class_of(repeated("SELECT 1 FROM t", ",t", 10'000)) == StatementClass::read);
  CHECK(class_of(repeated("SELECT 1 FROM t", ",t", 10'001)) == StatementClass::unsafe);
  std::string row = repeated("INSERT INTO t VALUES (1", ",1", 4096);
  CHECK(class_of(row + ")") == StatementClass::write);
  CHECK(class_of(row + ",1)") == StatementClass::unsafe);
  std::string text = "SELECT '" + std::string(max_statement_bytes - 9, 'x') + "'";
  CHECK(class_of(text) == StatementClass::read);
  text.insert(8, "x");
  CHECK(class_of(text) == StatementClass::unsafe);
}

TEST_CASE("which table a LOAD fills is known, though it is never sent") {
  for (const char* text : {"LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE w.t FIELDS TERMINATED BY ',' (a, b)", "load xml infile 'x' into table w.t rows identified by '<r>'"}) {
    Meaning load = understand(text);
    CHECK(load.statement_class == StatementClass::unsafe);
    CHECK(load.tables_written == std::vector<TableName>{{"w", "t"}});
  }
  CHECK(understand("LOAD INDEX INTO CACHE t").tables_written.empty());
}
