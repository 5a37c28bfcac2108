// Where tokens begin and end, and what they are.
#include "sql/lexer.h"
#include "sql/meaning.h"
#include "sql/rewrite.h"
#include "test_support/catch.h"
#include "test_support/property.h"

using namespace darktap::sql;

namespace {

// "kind:text" of each token but the end.
std::string cut(std::string_view text, const Dialect& dialect = {}) {
  static constexpr const char* names[] = {"w", "q", "s", "n", "x", "b", "p", "u", "v", "", "!", "end"};
  std::string joined;
  for (const Token& token : lex(text, dialect).tokens) {
    if (token.kind == TokenKind::end) break;
    if (!joined.empty()) joined += ' ';
    joined += names[static_cast<std::size_t>(token.kind)];
    joined += '[' + std::string(text_of(text, token)) + ']';
  }
  return joined;
}

}  // namespace

TEST_CASE("tokens are cut as the servers cut them") {
  CHECK(cut("SELECT a.b") == "w[SELECT] w[a] [.] w[b]");
  CHECK(cut("1 1.5 .5 1e3 1.e-2 0x1F x'1f' 0b01 b'01'") == "n[1] n[1.5] n[.5] n[1e3] n[1.e-2] x[0x1F] x[x'1f'] b[0b01] b[b'01']");
  CHECK(cut("1abc 0X1F 0xG 1e 2e+x") == "w[1abc] w[0X1F] w[0xG] w[1e] w[2e] [+] w[x]");
  CHECK(cut("t.1a t.5 t .5") == "w[t] [.] w[1a] w[t] [.] w[5] w[t] n[.5]");
  CHECK(cut("'a' 'it''s' 'b\\'c' \"d\"") == "s['a'] s['it''s'] s['b\\'c'] s[\"d\"]");
  CHECK(cut("n'a' N'b' _utf8'c' _utf8 'd' _utf8 x'41' _nope 'e'") == "s[n'a'] s[N'b'] s[_utf8'c'] s[_utf8 'd'] x[_utf8 x'41'] w[_nope] s['e']");
  CHECK(cut("@a @'b c' @`d` @@x @@global.y @@`z` a@b") == "u[@a] u[@'b c'] u[@`d`] v[@@x] v[@@global.y] v[@@`z`] w[a] u[@b]");
  CHECK(cut("a<=>b a->>'$' a->'$' a<>b a!=b a:=1 a||b a&&b a>>1") ==
        "w[a] [<=>] w[b] w[a] [->>] s['$'] w[a] [->] s['$'] w[a] [<>] w[b] w[a] [!=] w[b] w[a] [:=] n[1] w[a] [||] w[b] w[a] [&&] w[b] w[a] [>>] n[1]");
  CHECK(cut("? :v ::list \\N") == "p[?] p[:v] p[::list] w[\\N]");
  CHECK(cut("1--1 1-- 1\n2 1--") == "n[1] [-] [-] n[1] n[1] n[2] n[1]");
  CHECK(cut("`a``b` `c`.`d`") == "q[`a``b`] q[`c`] [.] q[`d`]");
  CHECK(cut("\xc3\xa9t\xc3\xa9") == "w[\xc3\xa9t\xc3\xa9]");
}

TEST_CASE("what no server would take is invalid, up to where it reaches") {
  for (const char* sql : {"'a", "\"a", "`a", "/* a", "/*! a", "x'1'", "x'0g'", "b'2'", "@", "@@", "@@a.", "``", "\\", "a \x01 b", "@'a"}) {
    CAPTURE(sql);
    CHECK_FALSE(lex(sql).clean);
  }
}

TEST_CASE("comments are kept apart, with their kind") {
  Dialect old;
  old.server = {ServerKind::mysql, 50700};
  Lexed lexed = lex("/*+ h */ a /* b */ -- c\n # d\n /*!80000 e */ /*!50000 f */", old);
  REQUIRE(lexed.comments.size() == 5);
  CHECK(lexed.comments[0].kind == CommentKind::hint);
  CHECK(lexed.comments[1].kind == CommentKind::plain);
  CHECK(lexed.comments[4].kind == CommentKind::skipped_version);
  CHECK(lexed.tokens.size() == 3);  // a, f, end
  CHECK(lexed.undecided == 0);
}

TEST_CASE("tokens lie in order inside the text, whatever the bytes") {
  require_property("offsets", [](const std::string& text) {
    for (Charset charset : {Charset::plain, Charset::gbk, Charset::gb18030, Charset::sjis, Charset::big5}) {
      Dialect dialect;
      dialect.charset = charset;
      std::size_t behind = 0;
      for (const Token& token : lex(text, dialect).tokens) {
        RC_ASSERT(token.offset >= behind);
        behind = token.offset + token.length;
        RC_ASSERT(behind <= text.size());
      }
    }
  });
}

TEST_CASE("a quoted string reads back as its bytes") {
  require_property("round trip", [](const std::string& value) {
    for (bool backslash : {true, false}) {
      for (Charset charset : {Charset::plain, Charset::gbk, Charset::sjis, Charset::big5}) {
        Dialect dialect;
        dialect.mode.no_backslash_escapes = !backslash;
        dialect.charset = charset;
        std::string quoted = quote_string(value, dialect);
        // A lead byte at the very end would take the quote with it in no charset: the quote is no trail byte.
        Lexed lexed = lex(quoted, dialect);
        RC_ASSERT(lexed.tokens.size() == 2u);
        RC_ASSERT(string_value(quoted, lexed.tokens[0], dialect) == value);
      }
    }
  });
}

TEST_CASE("servers are known by name and by their greeting") {
  CHECK(parse_server_name("mysql80")->version / 100 == 800);
  CHECK(parse_server_name("mysql57")->version / 100 == 507);
  CHECK(parse_server_name("mariadb1011")->version / 100 == 1011);
  CHECK(parse_server_name("mariadb")->version == 0);
  CHECK_FALSE(parse_server_name("oracle"));
  CHECK_FALSE(parse_server_name("mysqlx"));
  CHECK(server_of_version("8.0.34-vitess") == Server{ServerKind::mysql, 80034});
  CHECK(server_of_version("5.5.5-10.11.6-MariaDB-log") == Server{ServerKind::mariadb, 101106});
  CHECK(server_of_version("rubbish") == Server{});
  CHECK(charset_of("GBK_chinese_ci") == Charset::gbk);
  CHECK(charset_of("utf8mb4") == Charset::plain);
}

TEST_CASE("one NUL at the very end ends a statement, as it does for servers; any other is not understood") {
  using namespace std::string_literals;
  for (const std::string& text : {"SELECT a FROM t1\0"s, "SELECT a FROM t1 -- x\0"s, "SELECT a FROM t1 /* x */\0"s}) {
    CHECK(lex(text).clean);
    CHECK(understand(text).statement_class == StatementClass::read);
    CHECK(understand(text).fingerprint == understand("SELECT a FROM t1").fingerprint);
    CHECK(understand(text).normalized == "select a from t1");
  }
  CHECK(understand("INSERT INTO t1 VALUES (1,'x')\0"s).statement_class == StatementClass::write);
  for (const std::string& text : {"SELECT a FROM t1\0\0"s, "SELECT a\0 FROM t1"s, "SELECT 'a\0"s, "SELECT a FROM t1\0 "s}) CHECK(understand(text).statement_class == StatementClass::unsafe);
}
