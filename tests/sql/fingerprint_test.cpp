// Which statements meet under one fingerprint, and which don't.
#include "sql/fingerprint.h"
#include "sql/meaning.h"
#include "test_support/catch.h"
#include "test_support/property.h"

using namespace darktap::sql;

namespace {

std::string normalized(std::string_view text, const Dialect& dialect = {}) { return fingerprint(text, dialect).normalized; }

}  // namespace

TEST_CASE("the normalised text keeps what makes the shape") {
  struct Case { const char* sql; const char* expected; };
  for (const Case& c : std::initializer_list<Case>{
           {"SELECT  A.id,b FROM `Users` A WHERE id=5 AND name='x'", "select A.id, b from Users as A where id = ? and name = ?"},
           {"select count( * ) C from t", "select count(*) as C from t"},
           {"SELECT a AS 'my x', b \"y\" FROM t", "select a as `my x`, b as y from t"},
           {"SELECT * FROM t WHERE a IN (1, 2,3) AND b IN (4)", "select * from t where a in (?+) and b in (?+)"},
           {"SELECT * FROM t WHERE a IN (1, b)", "select * from t where a in (?, b)"},
           {"SELECT * FROM t WHERE (a,b) IN ((1,2),(3,4))", "select * from t where (a, b) in ((?+))"},
           {"SELECT * FROM t WHERE a IN (-1, +2, NULL)", "select * from t where a in (?+)"},
           {"INSERT INTO t (a,b) VALUES (1,'x'),(2,NULL)", "insert into t (a, b) values (?+)"},
           {"INSERT INTO t VALUES (1,NOW()),(2,NOW())", "insert into t values (?, now())"},
           {"VALUES ROW(1,2),ROW(3,4)", "values row (?+)"},
           {"SELECT -1, a - 1, a -1, - a, (-1), a * -1", "select ?, a - ?, a - ?, - a, (?), a * ?"},
           {"SELECT NULL, a IS NULL, a IS NOT NULL, a = NULL", "select ?, a is null, a is not null, a = ?"},
           {"SELECT TRUE, 'a' 'b', N'x', _utf8'y', 0x1f, x'1f', b'1', 1.5e3", "select true, ?, ?, ?, ?, ?, ?, ?"},
           {"SELECT a FROM t GROUP BY 1 ORDER BY 2 DESC, a ASC LIMIT 5", "select a from t group by 1 order by 2 desc, a limit ?"},
           {"SELECT a FROM t LIMIT 10 OFFSET 5", "select a from t limit ?, ?"},
           {"SELECT a FROM t LIMIT 5, 10", "select a from t limit ?, ?"},
           {"SELECT `for`, `a b`, `x` FROM `select`", "select `for`, `a b`, x from `select`"},
           {"SELECT @a, @@SESSION.Sql_Mode", "select @a, @@session.sql_mode"},
           {"SELECT a FROM t WHERE d > NOW() - INTERVAL 7 DAY", "select a from t where d > now() - interval ? day"},
           {"SELECT ?, :name", "select ?, ?"},
           {"SELECT DISTINCTROW a FROM t WHERE b <> 1 AND c != 2", "select distinct a from t where b != ? and c != ?"},
           {"SELECT 1; ;SELECT 2 ;", "select ?; select ?"},
           {"SET NAMES UTF8", "set names UTF8"},
           {"", ""}}) {
    CAPTURE(c.sql);
    CHECK(normalized(c.sql) == c.expected);
  }
}

TEST_CASE("comments, hints and white space change nothing") {
  std::uint64_t plain = fingerprint("SELECT a FROM t WHERE b = 1").hash;
  for (const char* sql : {"SELECT a FROM t WHERE b = 1 /*controller:users,action:show*/", "/* app='x' */ SELECT a FROM t WHERE b = 1",
                          "SELECT /*+ INDEX(t) */ a FROM t WHERE b = 2", "select\ta\nfrom t\r\nwhere b=3;", "SELECT a -- x\n FROM t # y\n WHERE b = 1",
                          "SELECT a FROM t WHERE b = '1'", "SELECT a FROM t WHERE b = ?", "SELECT `a` FROM `t` WHERE `b` = 1"}) {
    CAPTURE(sql);
    CHECK(fingerprint(sql).hash == plain);
  }
}

TEST_CASE("statements of different shape don't meet") {
  const char* sqls[] = {"SELECT a FROM t", "SELECT a FROM T", "SELECT b FROM t", "SELECT a x FROM t", "SELECT a y FROM t", "SELECT a FROM t x",
                        "SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY 2", "SELECT a FROM t ORDER BY 1 DESC", "SELECT a FROM t LIMIT 1",
                        "SELECT a FROM t LIMIT 1, 2", "SELECT a FROM t WHERE b IS NULL", "SELECT a FROM t WHERE b = NULL", "SELECT a FROM t WHERE b = TRUE",
                        "SELECT a FROM t WHERE b = FALSE", "SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b NOT IN (1)",
                        "SELECT a FROM t FOR UPDATE", "SELECT a FROM s.t", "SELECT DISTINCT a FROM t", "SELECT `a b` FROM t", "SELECT a b FROM t"};
  std::vector<std::uint64_t> seen;
  for (const char* sql : sqls) {
    CAPTURE(sql);
    std::uint64_t hash = fingerprint(sql).hash;
    CHECK(std::find(seen.begin(), seen.end(), hash) == seen.end());
    seen.push_back(hash);
  }
}

TEST_CASE("digits of table names fold where asked for") {
  FingerprintRules rules{TableDigits::folded};
  CHECK(fingerprint("SELECT t_0042.c1 FROM t_0042", {}, rules).normalized == "select t_#.c1 from t_#");
  CHECK(fingerprint("SELECT c1 FROM db_7.t_0042 AS x1", {}, rules).normalized == "select c1 from db_7.t_# as x1");
  CHECK(fingerprint("SELECT c1 FROM t_0042").normalized == "select c1 from t_0042");
}

TEST_CASE("ANSI_QUOTES turns a string into a name") {
  Dialect ansi;
  ansi.mode.ansi_quotes = true;
  CHECK(normalized("SELECT \"a\" FROM \"t\"", ansi) == "select a from t");
  CHECK(normalized("SELECT \"a\" FROM t") == "select ? from t");
}

TEST_CASE("the hash is that of the text, and is the meaning's") {
  Fingerprint found = fingerprint("SELECT 1");
  CHECK(found.hash == hash_of_normalized("select ?"));
  CHECK(understand("SELECT 2").fingerprint == found.hash);
}

TEST_CASE("normalising is stable: a normalised query normalises to itself") {
  for (const char* sql : {"SELECT a, count(*) c FROM t x JOIN u ON x.i = u.i WHERE a = -1 GROUP BY 1 ORDER BY c DESC LIMIT 5",
                          "UPDATE t SET a = 'x', b = b + 1 WHERE c = 2", "DELETE FROM t WHERE a BETWEEN 1 AND 2"}) {
    std::string once = normalized(sql);
    CHECK(normalized(once) == once);
  }
}

TEST_CASE("any bytes have a fingerprint and a meaning") {
  require_property("random text", [](const std::string& text) {
    Meaning meaning = understand(text);
    RC_ASSERT(meaning.fingerprint == fingerprint(text).hash);
  });
}

TEST_CASE("application tags come out of comments") {
  using Tags = std::vector<std::pair<std::string, std::string>>;
  CHECK(application_tags("SELECT 1 /*controller:users,action:show*/") == Tags{{"controller", "users"}, {"action", "show"}});
  CHECK(application_tags("SELECT 1 /*route='%2Fa%20b',traceparent='00-x'*/") == Tags{{"route", "/a b"}, {"traceparent", "00-x"}});
  CHECK(application_tags("/* just words */ SELECT 1 -- x:y").empty());
  CHECK(application_tags("SELECT '/*a:b*/'").empty());
}
