// Commands and their answers, as clients and servers really send them.
#include "test_support/catch.h"
#include "wire.h"

using namespace darktap;
using namespace darktap::mysql;
using wire::Tap;

namespace {

std::vector<std::string> cells(const ResultSet& rows, std::size_t i) {
  std::vector<std::string> texts;
  auto decoded = decode_row(rows.rows.row(i), rows.columns, rows.format);
  REQUIRE(decoded);
  for (const Cell& cell : *decoded) texts.push_back(cell.is_null ? "NULL" : cell.text);
  return texts;
}
using Texts = std::vector<std::string>;

std::vector<std::string> two_rows(std::uint16_t status = wire::autocommit) {
  return {"\x02", wire::column("id", ColumnType::long_, 63), wire::column("name"), wire::eof(),
          wire::text_row({"1", "one"}), wire::text_row({"2", std::nullopt}), wire::eof(status)};
}

}  // namespace

TEST_CASE("a login says who speaks, in which schema and character set, and no secret is kept") {
  Tap tap;
  tap.log_in();
  CHECK(tap.decoder.recognition() == ConnectionDecoder::Recognition::yes);
  CHECK(tap.decoder.facts().user == "app");
  CHECK(tap.decoder.facts().schema == "shop");
  CHECK(tap.decoder.facts().collation == 45);
  CHECK(tap.decoder.facts().known == ConnectionFacts::Capability::negotiated);
  CHECK(tap.decoder.facts().transport == ConnectionFacts::Transport::plain);
  tap.end();
  CHECK(tap.exchanges.empty());
}

TEST_CASE("a capability is in force only where both sides set it") {
  Tap tap;
  tap.log_in(wire::plain_41 | capability::deprecate_eof, wire::plain_41 | capability::query_attributes);
  CHECK((tap.decoder.facts().capabilities & (capability::deprecate_eof | capability::query_attributes)) == 0);
  tap.client(wire::query("SELECT 1")).server_together(two_rows());
  REQUIRE(tap.exchanges.size() == 1);
  CHECK(tap.exchanges[0].command.text == "SELECT 1");
  CHECK(tap.exchanges[0].answer.row_count() == 2);
}

TEST_CASE("authentication may take several rounds, and a denied login leaves no exchange") {
  Tap tap;
  tap.server(wire::greeting(wire::plain_41)).client_reply(wire::login(wire::plain_41));
  tap.server("\xfe" + wire::zero_ended("caching_sha2_password") + "12345678901234567890");
  tap.client_reply("HASHHASHHASHHASH").server("\x01\x04").client_reply("\x02").server("\x01-----BEGIN PUBLIC KEY-----");
  tap.client_reply("ENCRYPTED");
  SECTION("until OK") {
    tap.server(wire::ok()).client(wire::query("DO 1")).server(wire::ok());
    CHECK(tap.exchanges.size() == 1);
  }
  SECTION("or until it is denied") {
    tap.server(wire::error(1045, "28000", "Access denied")).end();
    CHECK(tap.exchanges.empty());
    CHECK(tap.decoder.recognition() == ConnectionDecoder::Recognition::yes);
  }
}

TEST_CASE("text rows carry their columns, cells, digests, times and sizes") {
  Tap tap;
  tap.log_in();
  auto asked = tap.now + std::chrono::milliseconds(1);
  tap.client(wire::query("SELECT id, name FROM t")).server_together(two_rows());
  REQUIRE(tap.exchanges.size() == 1);
  const Exchange& exchange = tap.exchanges[0];
  CHECK(exchange.certainty == Exchange::Certainty::certain);
  CHECK(exchange.answer.kind() == AnswerKind::rows);
  CHECK(exchange.request_first == asked);
  CHECK(exchange.request_bytes == 4 + 1 + 22);
  CHECK(exchange.response_last == asked + std::chrono::milliseconds(1));
  const ResultSet& rows = *exchange.answer.first_rows();
  CHECK(rows.columns.at(1).name == "name");
  CHECK(rows.columns.at(0).type == ColumnType::long_);
  CHECK(cells(rows, 0) == Texts{"1", "one"});
  CHECK(cells(rows, 1) == Texts{"2", "NULL"});
  CHECK(rows.row_count() == 2);
}

TEST_CASE("with DEPRECATE_EOF an OK ends the rows, and its warnings count") {
  Tap tap;
  tap.log_in(wire::plain_41 | capability::deprecate_eof, wire::plain_41 | capability::deprecate_eof);
  tap.client(wire::query("SELECT a")).server_together({"\x01", wire::column("a"), wire::text_row({"x"}), wire::final_ok(wire::autocommit, 3)});
  REQUIRE(tap.exchanges.size() == 1);
  CHECK(tap.exchanges[0].answer.row_count() == 1);
  CHECK(tap.exchanges[0].answer.warnings() == 3);
}

TEST_CASE("several results make one answer, and an error ends it") {
  Tap tap;
  tap.log_in();
  auto more = two_rows(wire::autocommit | status_flag::more_results);
  more.push_back(wire::ok(5, 9, wire::autocommit | status_flag::more_results));
  more.push_back(wire::error(1054, "42S22", "Unknown column"));
  tap.client(wire::query("SELECT 1; UPDATE t SET a=1; SELECT bad")).server_together(more);
  REQUIRE(tap.exchanges.size() == 1);
  const Answer& answer = tap.exchanges[0].answer;
  REQUIRE(answer.results.size() == 3);
  CHECK(answer.kind() == AnswerKind::error);
  CHECK(answer.error()->code == 1054);
  CHECK(answer.error()->sqlstate == "42S22");
  CHECK(answer.last_ok()->affected_rows == 5);
  CHECK(answer.last_ok()->last_insert_id == 9);
  CHECK(answer.row_count() == 2);
}

TEST_CASE("rows are kept up to both limits, and counted and digested beyond") {
  mysql::DecoderLimits limits;
  limits.kept_rows = 3;
  auto kept = [&](std::size_t bytes) {
    limits.kept_bytes = bytes;
    Tap tap(limits);
    tap.log_in().client(wire::query("SELECT a")).server("\x01").server(wire::column("a")).server(wire::eof());
    for (int i = 0; i < 5; ++i) tap.server(wire::text_row({"12345"}));  // six bytes each
    tap.server(wire::eof());
    REQUIRE(tap.exchanges.size() == 1);
    CHECK(tap.exchanges[0].answer.row_count() == 5);
    return tap.exchanges[0].answer.first_rows()->rows.size();
  };
  CHECK(kept(1000) == 3);
  CHECK(kept(18) == 3);
  CHECK(kept(17) == 2);
  CHECK(kept(5) == 0);
}

TEST_CASE("prepared statements resolve to text and typed parameters") {
  Tap tap;
  tap.log_in();
  tap.client(wire::prepare("SELECT name FROM t WHERE id=? AND a=?"))
      .server_together({wire::prepare_ok(3, 1, 2), wire::column("?"), wire::column("?"), wire::eof(), wire::column("name"), wire::eof()});
  std::string types = std::string("\x08\x80", 2) + std::string("\xfd\x00", 2);
  tap.client(wire::execute(3, std::string("\0\1", 2) + types + wire::little(~0ULL, 8) + wire::lenenc_text("hello")))
      .server_together({"\x01", wire::column("name"), wire::eof(), std::string("\0\0", 2) + wire::lenenc_text("one"), wire::eof()});
  // Types are bound once; the second value is NULL.
  tap.client(wire::execute(3, std::string("\2\0", 2) + wire::little(7, 8))).server_together({"\x01", wire::column("name"), wire::eof(), wire::eof()});
  tap.client("\x19" + wire::little(3, 4));
  REQUIRE(tap.exchanges.size() == 4);
  CHECK(tap.exchanges[0].answer.kind() == AnswerKind::ok);
  CHECK(tap.exchanges[0].answer.parameter_count == 2);
  const Command& first = tap.exchanges[1].command;
  CHECK(first.text == "SELECT name FROM t WHERE id=? AND a=?");
  REQUIRE(first.parameters.size() == 2);
  CHECK(print_parameter(first.parameters[0]) == "18446744073709551615");
  CHECK(print_parameter(first.parameters[1]) == "hello");
  CHECK(cells(*tap.exchanges[1].answer.first_rows(), 0) == Texts{"one"});
  const Command& second = tap.exchanges[2].command;
  CHECK(print_parameter(second.parameters[0]) == "7");
  CHECK(second.parameters[1].presence == Parameter::Presence::null);
  CHECK(tap.exchanges[3].answer.kind() == AnswerKind::none);
  CHECK(tap.exchanges[3].command.text == "SELECT name FROM t WHERE id=? AND a=?");
}

TEST_CASE("long data is joined and becomes the parameter's bytes, once") {
  Tap tap;
  tap.log_in();
  tap.client(wire::prepare("INSERT INTO big VALUES (?)")).server_together({wire::prepare_ok(1, 0, 1), wire::column("?"), wire::eof()});
  tap.client("\x18" + wire::little(1, 4) + wire::little(0, 2) + "first ").client("\x18" + wire::little(1, 4) + wire::little(0, 2) + "second");
  std::string bound = std::string("\0\1", 2) + std::string("\xfc\x00", 2);
  tap.client(wire::execute(1, bound)).server(wire::ok(1));
  tap.client(wire::execute(1, bound + wire::lenenc_text("inline"))).server(wire::ok(1));
  REQUIRE(tap.exchanges.size() == 5);
  CHECK(tap.exchanges[1].answer.kind() == AnswerKind::none);
  CHECK(print_parameter(tap.exchanges[3].command.parameters.at(0)) == "first second");
  CHECK(print_parameter(tap.exchanges[4].command.parameters.at(0)) == "inline");
}

TEST_CASE("an execution pipelined behind its PREPARE by id -1 finds it") {
  Tap tap;
  tap.log_in(wire::plain_41 & ~capability::long_password, wire::plain_41 & ~capability::long_password, "5.5.5-10.11.6-MariaDB");
  std::string both = tap.command_bytes(wire::prepare("SELECT ?")) +
                     tap.command_bytes(wire::execute(0xffffffff, std::string("\0\1", 2) + std::string("\x03\x00", 2) + wire::little(5, 4)));
  tap.send(Direction::to_server, both);
  SECTION("and its parameters") {
    tap.set_sequence(1);
    tap.server_together({wire::prepare_ok(9, 1, 1), wire::column("?"), wire::eof(), wire::column("5"), wire::eof()});
    tap.set_sequence(1);
    tap.server_together({"\x01", wire::column("5", ColumnType::long_, 63), wire::eof(), std::string("\0\0", 2) + wire::little(5, 4), wire::eof()});
    REQUIRE(tap.exchanges.size() == 2);
    CHECK(tap.exchanges[1].command.text == "SELECT ?");
    CHECK(print_parameter(tap.exchanges[1].command.parameters.at(0)) == "5");
    CHECK(tap.exchanges[1].answer.row_count() == 1);
  }
  SECTION("and gets a second error where the PREPARE failed") {
    for (int i = 0; i < 2; ++i) {
      tap.set_sequence(1);
      tap.server(wire::error(1064, "42000", "syntax"));
    }
    REQUIRE(tap.exchanges.size() == 2);
    CHECK(tap.exchanges[0].answer.error()->code == 1064);
    CHECK(tap.exchanges[1].answer.error()->code == 1064);
    CHECK(tap.exchanges[1].command.text == "SELECT ?");
  }
}

TEST_CASE("a cursor's rows come by FETCH, under the statement's columns") {
  Tap tap;
  tap.log_in();
  tap.client(wire::prepare("SELECT id FROM t")).server_together({wire::prepare_ok(4, 1, 0), wire::column("id", ColumnType::long_, 63), wire::eof()});
  constexpr std::uint16_t open = wire::autocommit | status_flag::cursor_exists;
  tap.client(wire::execute(4, {}, 1)).server_together({"\x01", wire::column("id", ColumnType::long_, 63), wire::eof(open)});
  tap.client("\x1c" + wire::little(4, 4) + wire::little(1, 4)).server_together({std::string("\0\0", 2) + wire::little(42, 4), wire::eof(open)});
  REQUIRE(tap.exchanges.size() == 3);
  CHECK(tap.exchanges[1].answer.row_count() == 0);
  CHECK(tap.exchanges[2].command.number == 1);
  CHECK(cells(*tap.exchanges[2].answer.first_rows(), 0) == Texts{"42"});
}

TEST_CASE("bulk execution gives its rows of parameters, with NULL, DEFAULT and IGNORE") {
  Tap tap;
  auto mariadb = (wire::plain_41 & ~capability::long_password) | capability::mariadb_bulk;
  tap.log_in(mariadb, mariadb, "5.5.5-10.11.6-MariaDB");
  tap.client(wire::prepare("INSERT INTO t VALUES (?,?)")).server_together({wire::prepare_ok(2, 0, 2), wire::column("?"), wire::column("?"), wire::eof()});
  std::string body = "\xfa" + wire::little(2, 4) + wire::little(128, 2) + std::string("\x03\x00\xfd\x00", 4);
  body += std::string(1, '\0') + wire::little(1, 4) + "\x01";
  body += "\x02\x03";
  tap.client(body).server(wire::ok(2));
  REQUIRE(tap.exchanges.size() == 2);
  const Command& bulk = tap.exchanges[1].command;
  CHECK(bulk.bulk_rows == 2);
  REQUIRE(bulk.parameters.size() == 4);
  CHECK(print_parameter(bulk.parameters[0]) == "1");
  CHECK(bulk.parameters[1].presence == Parameter::Presence::null);
  CHECK(bulk.parameters[2].presence == Parameter::Presence::default_);
  CHECK(bulk.parameters[3].presence == Parameter::Presence::ignore);
}

TEST_CASE("query attributes are taken off the text, with their names") {
  Tap tap;
  auto both = wire::plain_41 | capability::query_attributes;
  tap.log_in(both, both);
  tap.client("\x03" + std::string("\0\1", 2) + "SELECT 1").server(wire::ok());
  tap.client("\x03" + std::string("\1\1\0\1", 4) + std::string("\xfd\0", 2) + wire::lenenc_text("trace") + wire::lenenc_text("abc") + "SELECT 2").server(wire::ok());
  tap.client(wire::prepare("SELECT ?")).server_together({wire::prepare_ok(1, 0, 1), wire::column("?"), wire::eof()});
  std::string execution = "\x02" + std::string("\0\1", 2) + std::string("\x01\x00", 2) + wire::lenenc_text("") + std::string("\xfd\0", 2) +
                          wire::lenenc_text("trace") + "\x07" + wire::lenenc_text("xyz");
  tap.client(wire::execute(1, execution, 8)).server(wire::ok());
  REQUIRE(tap.exchanges.size() == 4);
  CHECK(tap.exchanges[0].command.text == "SELECT 1");
  CHECK(tap.exchanges[1].command.text == "SELECT 2");
  CHECK(tap.exchanges[1].command.attributes.at(0).name == "trace");
  CHECK(print_parameter(tap.exchanges[1].command.attributes.at(0)) == "abc");
  CHECK(print_parameter(tap.exchanges[3].command.parameters.at(0)) == "7");
  CHECK(print_parameter(tap.exchanges[3].command.attributes.at(0)) == "xyz");
}

TEST_CASE("LOAD DATA LOCAL: the client's file is counted and skipped, though its sequence numbers wrap around") {
  Tap tap;
  tap.log_in();
  tap.client(wire::query("LOAD DATA LOCAL INFILE 'x' INTO TABLE t")).server("\xfb" "x");
  std::uint64_t asked = tap.exchanges.size();
  for (int i = 0; i < 600; ++i) tap.client_reply("a,b,c\n");
  tap.client_reply("").server(wire::ok(600));
  tap.client(wire::query("SELECT 2")).server_together(two_rows());
  CHECK(asked == 0);
  REQUIRE(tap.exchanges.size() == 2);
  CHECK(tap.exchanges[0].answer.last_ok()->affected_rows == 600);
  CHECK(tap.exchanges[0].request_bytes == 4 + 40 + 600 * 10 + 4);
  CHECK(tap.exchanges[1].command.text == "SELECT 2");
}

TEST_CASE("MariaDB: extended metadata, cached metadata and progress reports") {
  auto caps = (wire::plain_41 & ~capability::long_password) | capability::mariadb_extended_metadata | capability::mariadb_cache_metadata |
              capability::mariadb_progress;
  Tap tap;
  tap.log_in(caps, caps, "5.5.5-10.11.6-MariaDB");
  std::string json = wire::little(1, 1) + wire::lenenc_text("json");
  tap.client(wire::prepare("SELECT j FROM t")).server_together({wire::prepare_ok(1, 1, 0), wire::column("j", ColumnType::blob, 45, 0, 0, json), wire::eof()});
  tap.client(wire::execute(1)).server(wire::error(0xffff, "", "progress"));
  // Its definitions were announced, so they are left out.
  tap.server_together({std::string("\x01\x00", 2), wire::eof(), std::string("\0\0", 2) + wire::lenenc_text("[]"), wire::eof()});
  tap.client(wire::query("SELECT j FROM t")).server_together({std::string("\x01\x01", 2), wire::column("j", ColumnType::blob, 45, 0, 0, json), wire::eof(),
                                                             wire::text_row({"{}"}), wire::eof()});
  REQUIRE(tap.exchanges.size() == 3);
  REQUIRE(tap.exchanges[1].answer.first_rows() != nullptr);
  CHECK(cells(*tap.exchanges[1].answer.first_rows(), 0) == Texts{"[]"});
  CHECK(tap.exchanges[1].answer.first_rows()->columns.at(0).extended_type == "json");
  CHECK(cells(*tap.exchanges[2].answer.first_rows(), 0) == Texts{"{}"});
}

TEST_CASE("session tracking moves schema and character set, and tells the GTID") {
  auto caps = wire::plain_41 | capability::session_track;
  Tap tap;
  tap.log_in(caps, caps);
  auto tracked = [](const std::string& changes) { return wire::lenenc_text("") + wire::lenenc_text(changes); };
  constexpr std::uint16_t changed = wire::autocommit | status_flag::session_state_changed;
  tap.client(wire::query("CALL move()")).server(wire::ok(0, 0, changed, 0, tracked("\x01" + wire::lenenc_text(wire::lenenc_text("archive")))));
  tap.client(wire::query("SET character_set_client=latin1"))
      .server(wire::ok(0, 0, changed, 0, tracked(std::string(1, '\0') + wire::lenenc_text(wire::lenenc_text("character_set_client") + wire::lenenc_text("latin1")))));
  tap.client(wire::query("INSERT INTO t VALUES (1)"))
      .server(wire::ok(1, 0, changed, 0, tracked("\x03" + wire::lenenc_text(std::string(1, '\0') + wire::lenenc_text("uuid:1-5")))));
  tap.client(wire::query("UPDATE t SET a=2"))
      .server(wire::ok(1, 0, changed, 0, tracked(std::string(1, '\0') + wire::lenenc_text(wire::lenenc_text("last_gtid") + wire::lenenc_text("0-1-77")))));
  REQUIRE(tap.exchanges.size() == 4);
  CHECK(tap.exchanges[0].schema == "shop");
  CHECK(tap.exchanges[1].schema == "archive");
  CHECK(tap.exchanges[2].collation == 8);
  CHECK(tap.exchanges[2].answer.last_ok()->gtid == "uuid:1-5");
  CHECK(tap.exchanges[3].answer.last_ok()->gtid == "0-1-77");
}

TEST_CASE("USE, SET NAMES, INIT_DB, CHANGE_USER and RESET_CONNECTION move the session's state where they succeed") {
  Tap tap;
  tap.log_in();
  tap.client(wire::query("/* x */ use `a``b`;")).server(wire::ok());
  tap.client(wire::query("USE nosuch")).server(wire::error(1049, "42000", "Unknown database"));
  tap.client(wire::query("SET NAMES 'latin1'")).server(wire::ok());
  tap.client("\x02other").server(wire::ok());
  tap.client("\x1f").server(wire::ok());
  tap.client("\x11" + wire::zero_ended("bob") + "\x03" "abc" + wire::zero_ended("bobs") + wire::little(8, 2) + wire::zero_ended("mysql_native_password"));
  tap.server("\xfe" + wire::zero_ended("mysql_native_password") + "12345678901234567890").client_reply("SCRAMBLE").server(wire::ok());
  tap.client(wire::query("SELECT 1")).server(wire::ok());
  REQUIRE(tap.exchanges.size() == 7);
  CHECK(tap.exchanges[1].schema == "a`b");
  CHECK(tap.exchanges[2].schema == "a`b");
  CHECK(tap.exchanges[3].collation == 8);
  CHECK(tap.exchanges[4].schema == "other");
  CHECK(tap.exchanges[4].collation == 8);
  CHECK(tap.exchanges[5].collation == 45);
  CHECK(tap.exchanges[5].user == "app");
  CHECK(tap.exchanges[5].command.text.empty());
  CHECK(tap.exchanges[5].answer.kind() == AnswerKind::ok);
  CHECK(tap.exchanges[6].user == "bob");
  CHECK(tap.exchanges[6].schema == "bobs");
  CHECK(tap.exchanges[6].collation == 8);
}

TEST_CASE("the small commands have their answers") {
  Tap tap;
  tap.log_in();
  tap.client("\x0e").server(wire::ok());
  tap.client("\x09").server("Uptime: 5  Threads: 1");
  tap.client("\x04t" + std::string(1, '\0')).server_together({wire::column("id") + "\xfb", wire::column("name") + "\xfb", wire::eof()});
  tap.client("\x1b" + wire::little(1, 2)).server(wire::eof());
  tap.client("\x0c" + wire::little(77, 4)).server(wire::ok());
  tap.client("\x0a").server_together({"\x01", wire::column("Id"), wire::eof(), wire::text_row({"5"}), wire::eof()});
  tap.client("\x7f").server(wire::error(1047, "08S01", "Unknown command"));
  tap.client("\x01");
  REQUIRE(tap.exchanges.size() == 8);
  CHECK(tap.exchanges[1].answer.last_ok()->info == "Uptime: 5  Threads: 1");
  CHECK(tap.exchanges[2].command.text == "t");
  CHECK(tap.exchanges[2].answer.first_rows()->columns.size() == 2);
  CHECK(tap.exchanges[3].command.number == 1);
  CHECK(tap.exchanges[4].command.number == 77);
  CHECK(tap.exchanges[5].answer.row_count() == 1);
  CHECK(command_name(tap.exchanges[6].command.code) == "COM_UNKNOWN");
  CHECK(tap.exchanges[6].answer.error()->code == 1047);
  CHECK(tap.exchanges[7].answer.state == Answer::State::none);
}

TEST_CASE("pipelined commands are answered in their order, and those left over are unobserved") {
  Tap tap;
  tap.log_in();
  std::string all;
  for (int i = 0; i < 5; ++i) all += tap.command_bytes(wire::query("SELECT " + std::to_string(i)));
  tap.send(Direction::to_server, all);
  for (int i = 0; i < 3; ++i) {
    tap.set_sequence(1);
    tap.server(wire::ok(static_cast<std::uint64_t>(i)));
  }
  tap.end(StreamEnd::Reason::reset);
  REQUIRE(tap.exchanges.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(tap.exchanges[i].command.text == "SELECT " + std::to_string(i));
    CHECK(tap.exchanges[i].answer.kind() == (i < 3 ? AnswerKind::ok : AnswerKind::unobserved));
    if (i < 3) CHECK(tap.exchanges[i].answer.last_ok()->affected_rows == i);
  }
  CHECK(tap.exchanges[4].answer.why_unobserved == "the connection was reset before its answer");
}

TEST_CASE("more waiting commands than the limit are given up, in order and each once") {
  mysql::DecoderLimits limits;
  limits.pending_commands = 4;
  Tap tap(limits);
  tap.log_in();
  for (int i = 0; i < 12; ++i) tap.client(wire::query("SELECT " + std::to_string(i)));
  tap.end();
  REQUIRE(tap.exchanges.size() == 12);
  for (std::size_t i = 0; i < 12; ++i) CHECK(tap.exchanges[i].command.text == "SELECT " + std::to_string(i));
}

TEST_CASE("a TLS session is named, counted and not read") {
  Tap tap;
  auto caps = wire::plain_41 | capability::ssl;
  tap.server(wire::greeting(caps)).client_reply(wire::tls_request(caps));
  tap.send(Direction::to_server, "\x16\x03\x01 hello").send(Direction::to_client, "\x16\x03\x03 hello back").end();
  CHECK(tap.decoder.facts().transport == ConnectionFacts::Transport::tls);
  CHECK(tap.decoder.opaque_bytes() == 9 + 14);
  CHECK(tap.exchanges.empty());
}

TEST_CASE("a TLS hello in the request's own packet is counted too") {
  Tap tap;
  auto caps = wire::plain_41 | capability::ssl;
  tap.server(wire::greeting(caps));
  std::uint8_t sequence = 1;
  tap.send(Direction::to_server, wire::frames(wire::tls_request(caps), sequence) + "0123456789");
  CHECK(tap.decoder.opaque_bytes() == 10);
}

TEST_CASE("a replication stream is named, and the rest of its connection counted") {
  Tap tap;
  tap.log_in();
  tap.client("\x12" + wire::little(4, 4) + wire::little(0, 2) + wire::little(9, 4) + "binlog.000001");
  tap.server(std::string(1, '\0') + "EVENT").server(std::string(1, '\0') + "EVENT").end();
  REQUIRE(tap.exchanges.size() == 1);
  CHECK(tap.exchanges[0].command.code == CommandCode::binlog_dump);
  CHECK(tap.exchanges[0].answer.kind() == AnswerKind::unobserved);
  CHECK(tap.decoder.opaque_bytes() == 20);
}

TEST_CASE("a load balancer's PROXY header before the login is read past, whole or in pieces") {
  std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 40001 3306\r\n";
  std::string longest = "PROXY UNKNOWN " + std::string(91, 'f') + "\r\n";
  std::string binary = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16) + "abcdefghijkl";
  std::string local = std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
  for (const std::string& header : {line, longest, binary, local}) {
    for (std::size_t piece : {header.size(), std::size_t{1}, std::size_t{13}}) {
      Tap tap;
      for (std::size_t at = 0; at < header.size(); at += piece) tap.send(Direction::to_server, header.substr(at, piece));
      tap.log_in();
      tap.client(wire::query("SELECT 1")).server_together(two_rows()).end();
      CHECK(tap.decoder.facts().user == "app");
      REQUIRE(tap.exchanges.size() == 1);
      CHECK(tap.exchanges[0].command.text == "SELECT 1");
      CHECK(tap.exchanges[0].certainty == Exchange::Certainty::certain);
    }
  }
}

TEST_CASE("other protocols are refused, and tell nothing") {
  auto refused = [](Direction first, std::string_view bytes) {
    Tap tap;
    tap.send(first, bytes).send(opposite(first), "whatever it may be, and some more").end();
    CHECK(tap.exchanges.empty());
    return tap.decoder.recognition() != ConnectionDecoder::Recognition::yes;
  };
  CHECK(refused(Direction::to_server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(refused(Direction::to_server, std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8)));                // PostgreSQL's TLS request
  CHECK(refused(Direction::to_server, "\x16\x03\x01\x02"));
  CHECK(refused(Direction::to_server, "PROXY " + std::string(200, 'x')));
  CHECK(refused(Direction::to_client, "220 mail.example ESMTP\r\n"));
  CHECK(refused(Direction::to_client, "SSH-2.0-OpenSSH_9.2\r\n"));
  CHECK(refused(Direction::to_client, std::string("\x05\0\0\0\x0b\x08\x05\x1a\0", 9)));                // the X protocol
}

TEST_CASE("a server that turns the client away leaves no exchange") {
  Tap tap;
  tap.server("\xff" + wire::little(1040, 2) + "Too many connections").end();
  CHECK(tap.exchanges.empty());
  CHECK(tap.decoder.recognition() == ConnectionDecoder::Recognition::yes);
}
