// What the tap did not see: an exchange whose bytes were lost is unobserved, its neighbours are whole, nothing is paired
// wrongly or invented.
#include "test_support/catch.h"
#include "wire.h"

using namespace darktap;
using namespace darktap::mysql;
using wire::Tap;

namespace {

std::vector<std::string> rows_of(const std::string& value) {
  return {"\x01", wire::column("a"), wire::eof(), wire::text_row({value}), wire::text_row({value + "'"}), wire::eof()};
}
Tap& ask(Tap& tap, int i) { return tap.client(wire::query("SELECT " + std::to_string(i))); }
Tap& exchange(Tap& tap, int i) { return ask(tap, i).server_together(rows_of(std::to_string(i))); }

// Every observed answer belongs to its command; texts come in order and are the given ones.
void require_right_pairs(const Tap& tap) {
  for (const Exchange& each : tap.exchanges) {
    if (each.answer.state != Answer::State::complete) continue;
    const ResultSet* rows = each.answer.first_rows();
    REQUIRE(rows != nullptr);
    REQUIRE(rows->rows.size() > 0);
    auto cells = decode_row(rows->rows.row(0), rows->columns, rows->format);
    REQUIRE(cells);
    REQUIRE(each.command.text == "SELECT " + cells->at(0).text);
  }
}
std::string story(const Tap& tap) {
  std::string text;
  for (const Exchange& each : tap.exchanges) {
    std::string name = each.command.text_state == Command::Text::known && each.command.text.size() > 7 ? each.command.text.substr(7) : "?";
    text += (text.empty() ? "" : " ") + name + (each.answer.state == Answer::State::complete ? "" : "-") +
            (each.certainty == Exchange::Certainty::inferred ? "~" : "");
  }
  return text;
}

}  // namespace

TEST_CASE("a gap inside a row makes the exchange unobserved, and framing goes on without it") {
  Tap tap;
  tap.log_in();
  exchange(tap, 1);
  ask(tap, 2);
  std::string answer = tap.answer_bytes(rows_of("2"));
  std::size_t inside_row = answer.size() - 12;
  tap.send(Direction::to_client, std::string_view(answer).substr(0, inside_row)).lose(Direction::to_client, 1);
  tap.send(Direction::to_client, std::string_view(answer).substr(inside_row + 1));
  exchange(tap, 3).end();
  CHECK(story(tap) == "1 2- 3");
  CHECK(tap.exchanges[1].answer.why_unobserved == "bytes of its answer were lost");
  require_right_pairs(tap);
}

TEST_CASE("a lost packet of an answer is made good at the next command") {
  Tap tap;
  tap.log_in();
  exchange(tap, 1);
  ask(tap, 2);
  std::string answer = tap.answer_bytes(rows_of("2"));
  SECTION("its middle") {
    tap.send(Direction::to_client, std::string_view(answer).substr(0, 20)).lose(Direction::to_client, 40);
    tap.send(Direction::to_client, std::string_view(answer).substr(60));
  }
  SECTION("its beginning") {
    tap.lose(Direction::to_client, 40).send(Direction::to_client, std::string_view(answer).substr(40));
  }
  SECTION("its end") {
    tap.send(Direction::to_client, std::string_view(answer).substr(0, 20)).lose(Direction::to_client, answer.size() - 20);
  }
  SECTION("all of it") { tap.lose(Direction::to_client, answer.size()); }
  exchange(tap, 3);
  exchange(tap, 4).end();
  // The tap is sure again one exchange later, unless framing never broke.
  CHECK((story(tap) == "1 2- 3~ 4" || story(tap) == "1 2- 3 4"));
  require_right_pairs(tap);
}

TEST_CASE("a hole that is found only after the next command was seen is charged to the command before it") {
  Tap tap;
  tap.log_in();
  ask(tap, 1);
  std::string lost = tap.answer_bytes(rows_of("1"));
  ask(tap, 2);
  tap.lose(Direction::to_client, lost.size()).server_together(rows_of("2"));
  exchange(tap, 3).end();
  CHECK(story(tap) == "1- 2~ 3");
  require_right_pairs(tap);
}

TEST_CASE("a lost command leaves its answer unpaired") {
  Tap tap;
  tap.log_in();
  exchange(tap, 1);
  std::string lost = tap.command_bytes(wire::query("SELECT 2"));
  tap.server_together(rows_of("2")).lose(Direction::to_server, lost.size());
  exchange(tap, 3);
  exchange(tap, 4).end();
  CHECK(story(tap) == "1 3~ 4~");
  CHECK(tap.exchanges[1].why.find("state") != std::string::npos);
  require_right_pairs(tap);
}

TEST_CASE("a lost answer together with the next command does not pair that command's answer") {
  Tap tap;
  tap.log_in();
  ask(tap, 1);
  std::string lost_answer = tap.answer_bytes(rows_of("1"));
  std::string lost_command = tap.command_bytes(wire::query("SELECT 2"));
  tap.lose(Direction::to_client, lost_answer.size()).server_together(rows_of("2")).lose(Direction::to_server, lost_command.size());
  exchange(tap, 3).end();
  CHECK(story(tap) == "1- 3~");
  require_right_pairs(tap);
}

TEST_CASE("a command with a hole in its text is told without a text") {
  Tap tap;
  tap.log_in();
  exchange(tap, 1);
  std::string damaged = tap.command_bytes(wire::query("SELECT 2"));
  SECTION("inside its frame") {
    tap.send(Direction::to_server, std::string_view(damaged).substr(0, 8)).lose(Direction::to_server, 2);
    tap.send(Direction::to_server, std::string_view(damaged).substr(10)).server_together(rows_of("2"));
  }
  SECTION("and its end never seen") {
    tap.send(Direction::to_server, std::string_view(damaged).substr(0, 8)).server_together(rows_of("2")).lose(Direction::to_server, 200);
  }
  exchange(tap, 3).end();
  REQUIRE(tap.exchanges.size() == 3);
  CHECK(tap.exchanges[1].command.code == CommandCode::query);
  CHECK(tap.exchanges[1].command.text.empty());
  CHECK(tap.exchanges[1].command.text_state == Command::Text::unknown);
  CHECK(tap.exchanges[1].answer.kind() == AnswerKind::unobserved);
  CHECK(tap.exchanges[2].command.text == "SELECT 3");
  require_right_pairs(tap);
}

TEST_CASE("joined in the middle: exchanges are found from the next command on, and said to be inferred") {
  Tap tap({}, StreamOpen::Start::midstream);
  tap.send(Direction::to_client, "rest of a row that began before us").send(Direction::to_client, wire::text_row({"x"}));
  exchange(tap, 1);
  tap.client("\x19" + wire::little(1, 4));
  exchange(tap, 2).end();
  CHECK(tap.decoder.recognition() == ConnectionDecoder::Recognition::yes);
  CHECK(tap.decoder.facts().join == ConnectionFacts::Join::midstream);
  REQUIRE(tap.exchanges.size() == 3);
  CHECK(tap.exchanges[0].command.text == "SELECT 1");
  CHECK(tap.exchanges[2].command.text == "SELECT 2");
  for (const Exchange& each : tap.exchanges) CHECK(each.certainty == Exchange::Certainty::inferred);
  require_right_pairs(tap);
}

TEST_CASE("joined in the middle, both EOF dialects and attributes show themselves") {
  Tap tap({}, StreamOpen::Start::midstream);
  tap.client("\x03" + std::string("\0\1", 2) + "SELECT 1").server_together({"\x01", wire::column("a"), wire::text_row({"1"}), wire::final_ok()});
  tap.client(wire::query("SELECT 2")).server_together({"\x01", wire::column("a"), wire::final_ok()});
  REQUIRE(tap.exchanges.size() == 2);
  CHECK(tap.exchanges[0].command.text == "SELECT 1");
  CHECK(tap.exchanges[0].answer.row_count() == 1);
  CHECK(tap.exchanges[1].answer.row_count() == 0);
}

TEST_CASE("an execution whose PREPARE was not seen has no text, and says so") {
  Tap tap({}, StreamOpen::Start::midstream);
  tap.client(wire::execute(5)).server_together({"\x01", wire::column("a"), wire::eof(), std::string("\0\0", 2) + wire::lenenc_text("x"), wire::eof()});
  REQUIRE(tap.exchanges.size() == 1);
  CHECK(tap.exchanges[0].command.text_state == Command::Text::unknown);
  CHECK(tap.exchanges[0].command.text.empty());
  CHECK(tap.exchanges[0].certainty == Exchange::Certainty::inferred);
  CHECK(tap.exchanges[0].answer.row_count() == 1);
}

TEST_CASE("other traffic joined in the middle is not taken for MySQL") {
  Tap tap({}, StreamOpen::Start::midstream);
  tap.send(Direction::to_server, std::string("Q\0\0\0\x1d" "SELECT 1 FROM postgres..", 29)).send(Direction::to_client, "T\0\0\0\x21 rows");
  tap.send(Direction::to_server, "GET / HTTP/1.1\r\n\r\n").send(Direction::to_client, "HTTP/1.1 200 OK\r\n\r\n");
  tap.send(Direction::to_server, "*1\r\n$4\r\nPING\r\n").send(Direction::to_client, "+PONG\r\n").end();
  CHECK(tap.decoder.recognition() != ConnectionDecoder::Recognition::yes);
  CHECK(tap.exchanges.empty());
}

TEST_CASE("a message longer than the limit is skipped, and its exchange unobserved") {
  mysql::DecoderLimits limits;
  limits.message_bytes = 100;
  auto observed = [&](std::size_t size) {
    Tap tap(limits);
    tap.log_in().client(wire::query("SELECT x")).server_together({"\x01", wire::column("a"), wire::eof(), wire::text_row({std::string(size - 1, 'x')}), wire::eof()});
    exchange(tap, 2).end();
    REQUIRE(tap.exchanges.size() == 2);
    CHECK(tap.exchanges[1].answer.state == Answer::State::complete);
    return tap.exchanges[0].answer.state == Answer::State::complete;
  };
  CHECK(observed(99));
  CHECK(observed(100));
  CHECK_FALSE(observed(101));
}

TEST_CASE("what the server says unasked is nobody's answer") {
  Tap tap;
  tap.log_in();
  exchange(tap, 1);
  tap.set_sequence(0);
  tap.server(wire::error(1927, "70100", "Connection was killed"));
  exchange(tap, 2).end();
  CHECK(story(tap) == "1 2");
  require_right_pairs(tap);
}

namespace {

// Two commands before the first answer: a client that doesn't wait. Then a hole in the server's answers.
Tap& pipelined_and_cut(Tap& tap) {
  tap.log_in();
  tap.client(wire::query("SELECT 1"));
  std::string answer = tap.answer_bytes({wire::ok(1)});
  tap.client(wire::query("SELECT 2"));
  tap.send(Direction::to_client, answer).server(wire::ok(2));
  tap.client(wire::query("SELECT 3"));
  tap.lose(Direction::to_client, wire::ok().size() + 4);
  return tap;
}

}  // namespace

TEST_CASE("a client that doesn't wait is followed again once both sides were quiet for long") {
  for (auto [quiet, kind] : {std::pair(std::chrono::milliseconds(1900), mysql::AnswerKind::unobserved), std::pair(std::chrono::milliseconds(2100), mysql::AnswerKind::ok)}) {
    Tap tap;
    pipelined_and_cut(tap);
    tap.client(wire::query("SELECT 4")).server(wire::ok(4));
    tap.now += quiet;
    tap.client(wire::query("SELECT 5")).server(wire::ok(5));
    tap.client(wire::query("SELECT 6")).server(wire::ok(6)).end();
    REQUIRE(tap.exchanges.size() == 6);
    CHECK(tap.exchanges[3].answer.kind() == mysql::AnswerKind::unobserved);
    for (std::size_t i : {4U, 5U}) {
      CHECK(tap.exchanges[i].answer.kind() == kind);
      if (kind == mysql::AnswerKind::ok) CHECK(tap.exchanges[i].answer.last_ok()->affected_rows == i + 1);
    }
  }
}

TEST_CASE("paired again after quiet, an answer too many takes it back") {
  Tap tap;
  pipelined_and_cut(tap);
  tap.client(wire::query("SELECT 4"));  // its answer takes very long
  tap.now += std::chrono::seconds(5);
  tap.client(wire::query("SELECT 5"));
  std::string late = tap.answer_bytes({wire::ok(4)});
  tap.send(Direction::to_client, late);
  tap.send(Direction::to_client, late);
  tap.client(wire::query("SELECT 6")).server(wire::ok(6)).end();
  REQUIRE(tap.exchanges.size() == 6);
  for (std::size_t i : {2U, 3U, 4U, 5U}) CHECK(tap.exchanges[i].answer.kind() == mysql::AnswerKind::unobserved);
}
