// Reading ahead of the messages: what is known from earlier answers must be told as though it had been read message by message.
#include <algorithm>
#include <random>

#include "test_support/catch.h"
#include "wire.h"

using namespace darktap;
using namespace darktap::mysql;
using wire::Tap;

namespace {

std::vector<std::string> answer(const std::vector<std::string>& columns, const std::vector<std::vector<std::optional<std::string>>>& rows, std::uint16_t status = wire::autocommit) {
  std::vector<std::string> messages{std::string(1, static_cast<char>(columns.size()))};
  for (const std::string& column : columns) messages.push_back(wire::column(column));
  messages.push_back(wire::eof(status));
  for (const auto& row : rows) messages.push_back(wire::text_row(row));
  messages.push_back(wire::eof(status));
  return messages;
}

std::string told(const std::vector<Exchange>& exchanges) {
  std::string text;
  for (const Exchange& each : exchanges) {
    text += std::to_string(each.request_bytes) + "/" + std::to_string(each.response_bytes) + " " + std::string(to_string(each.answer.kind())) + each.answer.why_unobserved;
    for (const Result& result : each.answer.results) {
      const auto* set = std::get_if<ResultSet>(&result);
      if (set == nullptr) continue;
      for (const Column& column : set->columns) text += " " + column.name;
      text += " status " + std::to_string(set->status);
      for (std::size_t i = 0; i < set->rows.size(); ++i) text += " [" + std::string(as_text(set->rows.row(i))) + "]";
      text += " of " + std::to_string(set->row_count()) + " " + to_hex(set->digests().ordered_low) + to_hex(set->digests().multiset_high);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("definitions that come again are told as though they were read again") {
  const std::vector<std::vector<std::string>> answers{
      answer({"id", "name"}, {{"1", "one"}}),
      answer({"id", "name"}, {{"2", "two"}, {"3", "three"}}),
      answer({"id", "title"}, {{"4", "four"}}),  // the first definition and the number are those of another
      answer({"id"}, {{"5"}}),
      answer({"id", "name"}, {}),
      answer({"id", "name"}, {{"6", "six"}}, wire::autocommit | status_flag::in_transaction),
      answer({"id", "title"}, {{"7", "seven"}}),
  };
  // A packet a message, where nothing can be known beforehand, is the measure.
  Tap slow, fast;
  slow.log_in();
  fast.log_in();
  for (const auto& messages : answers) {
    slow.client(wire::query("SELECT 1"));
    for (const std::string& message : messages) slow.server(message);
    fast.client(wire::query("SELECT 1")).server_together(messages);
  }
  REQUIRE(slow.exchanges.size() == answers.size());
  CHECK(told(fast.exchanges) == told(slow.exchanges));
  CHECK(fast.exchanges[2].answer.first_rows()->columns.at(1).name == "title");
  CHECK(fast.exchanges[5].answer.first_rows()->columns.at(1).name == "name");
}

TEST_CASE("an answer cut anywhere into two packets is the same answer") {
  const auto messages = answer({"id", "name"}, {{"1", "one"}, {"2", std::string(300, 'x')}});
  Tap whole;
  whole.log_in().client(wire::query("SELECT 1")).server_together(messages);
  const std::string expected = told(whole.exchanges) + told(whole.exchanges);
  std::uint8_t sequence = 1;
  std::string bytes;
  for (const std::string& message : messages) bytes += wire::frames(message, sequence);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Tap tap;
    tap.log_in().client(wire::query("SELECT 1")).server_together(messages);  // so that the definitions are known
    tap.client(wire::query("SELECT 1")).send(Direction::to_client, bytes.substr(0, cut)).send(Direction::to_client, bytes.substr(cut));
    CAPTURE(cut);
    REQUIRE(told(tap.exchanges) == expected);
  }
}

TEST_CASE("a row whose number does not go on ends the reading ahead, and is no row of this answer") {
  Tap tap;
  tap.log_in();
  const auto messages = answer({"id"}, {{"1"}, {"2"}});
  tap.client(wire::query("SELECT 1")).server_together(messages);
  std::uint8_t sequence = 1;
  std::string bytes;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i == 4) ++sequence;  // the second row
    bytes += wire::frames(messages[i], sequence);
  }
  tap.client(wire::query("SELECT 1")).send(Direction::to_client, bytes).end();
  REQUIRE(tap.exchanges.size() == 2);
  CHECK(tap.exchanges[1].answer.kind() == AnswerKind::unobserved);
}

TEST_CASE("connections that share a pool share what they know, and nothing else") {
  struct Told final : DecoderSink {
    void on_exchange(Exchange& exchange) override { exchanges.push_back(std::move(exchange)); }
    std::vector<Exchange> exchanges;
  };
  DecoderPool pool;
  Told first, second;
  ConnectionDecoder one(first, {}, StreamOpen::Start::handshake, &pool);
  {
    ConnectionDecoder two(second, {}, StreamOpen::Start::handshake, &pool);
    std::uint64_t packet = 0;
    auto send = [&](ConnectionDecoder& decoder, Direction direction, const std::vector<std::string>& messages, std::uint8_t sequence) {
      std::string bytes;
      for (const std::string& message : messages) bytes += wire::frames(message, sequence);
      decoder.feed(StreamBytes{ConnectionId{1}, direction, {}, CaptureTime(std::chrono::milliseconds(++packet)), {packet}, as_bytes(bytes)});
    };
    for (ConnectionDecoder* decoder : {&one, &two}) {
      send(*decoder, Direction::to_client, {wire::greeting(wire::plain_41, "8.0.36")}, 0);
      send(*decoder, Direction::to_server, {wire::login(wire::plain_41)}, 1);
      send(*decoder, Direction::to_client, {wire::ok()}, 2);
    }
    // Both ask before either is answered.
    send(one, Direction::to_server, {wire::query("SELECT 'one'")}, 0);
    send(two, Direction::to_server, {wire::query("SELECT 'two'")}, 0);
    send(two, Direction::to_client, answer({"a"}, {{"two"}}), 1);
    send(one, Direction::to_client, answer({"a"}, {{"one"}}), 1);
    two.finish(StreamEnd::Reason::finished);
  }
  REQUIRE(first.exchanges.size() == 1);
  REQUIRE(second.exchanges.size() == 1);
  CHECK(first.exchanges[0].command.text == "SELECT 'one'");
  CHECK(as_text(first.exchanges[0].answer.first_rows()->rows.row(0)) == "\x03one");
  CHECK(as_text(second.exchanges[0].answer.first_rows()->rows.row(0)) == "\x03two");
  CHECK(first.exchanges[0].answer.first_rows()->columns == second.exchanges[0].answer.first_rows()->columns);
}

TEST_CASE("an exchange that its sink left untouched leaves nothing in the next") {
  struct Looking final : DecoderSink {
    void on_exchange(Exchange& e) override {
      seen.push_back(e.command.text + "|" + std::to_string(e.command.attributes.size() + e.command.parameters.size()) + "|" +
                     std::to_string(e.answer.results.size()) + "|" + e.why + "|" + std::string(to_string(e.answer.kind())));
    }
    std::vector<std::string> seen;
  };
  Looking looking;
  DecoderLimits limits;
  Tap source(limits);  // only for its bytes
  ConnectionDecoder decoder(looking, limits, StreamOpen::Start::handshake);
  std::uint64_t packet = 0;
  auto send = [&](Direction direction, const std::string& bytes) {
    decoder.feed(StreamBytes{ConnectionId{1}, direction, {}, CaptureTime(std::chrono::milliseconds(++packet)), {packet}, as_bytes(bytes)});
  };
  source.set_sequence(0);
  send(Direction::to_client, source.answer_bytes({wire::greeting(wire::plain_41, "8.0.36")}));
  send(Direction::to_server, source.answer_bytes({wire::login(wire::plain_41)}));
  send(Direction::to_client, source.answer_bytes({wire::ok()}));
  send(Direction::to_server, source.command_bytes(wire::query("SELECT a long statement that needs its own memory")));
  send(Direction::to_client, source.answer_bytes(answer({"a"}, {{"1"}})));
  send(Direction::to_server, source.command_bytes(wire::execute(7, std::string("\0\1\3\0", 4))));
  send(Direction::to_client, source.answer_bytes({wire::error(1243, "HY000", "Unknown prepared statement")}));
  send(Direction::to_server, source.command_bytes("\x0e"));
  send(Direction::to_client, source.answer_bytes({wire::ok()}));
  CHECK(looking.seen == std::vector<std::string>{"SELECT a long statement that needs its own memory|0|1||rows",
                                                 "|0|1|its PREPARE was not seen|error", "|0|1||ok"});
}
