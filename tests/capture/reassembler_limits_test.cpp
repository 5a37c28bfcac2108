// Each limit of the reassembler just below, at and just above.
#include "conversation.h"
#include "test_support/catch.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using Lines = std::vector<std::string>;

namespace {

constexpr std::size_t held_cost(std::size_t payload) { return payload + held_segment_overhead; }

}  // namespace

TEST_CASE("a connection holds out-of-order bytes up to its limit, then its oldest hole is declared") {
  const std::size_t limit = 2 * held_cost(3);
  for (const std::size_t given : {limit - 1, limit, limit + 1}) {
    CAPTURE(given);
    StreamLog log;
    Reassembler reassembler(log, {.limits = {.buffered_per_connection = given}});
    Conversation talk(reassembler);
    talk.handshake();
    talk.raw(to_client, 3, "def", ack, 0);
    talk.raw(to_client, 9, "jkl", ack, 0);
    CHECK(log.side(1, to_client).bytes == (given < limit ? "???def" : ""));
    talk.raw(to_client, 6, "ghi", ack, 0);  // over any of them, but it may fill what the oldest hole leaves
    CHECK(log.side(1, to_client).bytes == (given < limit ? "???defghijkl" : "???defghijkl"));
    CHECK(reassembler.stats().buffered_peak <= given);
    CHECK(reassembler.stats().forced_gaps == 1);
  }
}

TEST_CASE("the segment that fills the hole passes though nothing more can be held") {
  StreamLog log;
  Reassembler reassembler(log, {.limits = {.buffered_per_connection = held_cost(3)}});
  Conversation talk(reassembler);
  talk.handshake();
  talk.raw(to_client, 3, "def", ack, 0);
  talk.raw(to_client, 0, "abcXXXghi", ack, 0);
  CHECK(log.side(1, to_client).bytes == "abcdefghi");
  CHECK(reassembler.stats().forced_gaps == 0);
}

TEST_CASE("a segment larger than the limit is delivered behind a gap instead of held") {
  StreamLog log;
  Reassembler reassembler(log, {.limits = {.buffered_per_connection = 1}});
  Conversation talk(reassembler);
  talk.handshake();
  talk.raw(to_client, 3, "def", ack, 4);
  CHECK(log.take() == Lines{"1 open handshake", "1 > 0 gap 4", "1 < 0 gap 3", "1 < 3 'def'"});
}

TEST_CASE("all connections together hold no more than the total limit") {
  const std::size_t limit = 3 * held_cost(3);
  for (const std::size_t given : {limit - 1, limit, limit + 1}) {
    CAPTURE(given);
    StreamLog log;
    Reassembler reassembler(log, {.limits = {.buffered_total = given}});
    for (std::uint8_t client = 1; client <= 3; ++client) {
      Conversation talk(reassembler, v4(client, 40000), v4(100, 3306));
      talk.handshake();
      talk.raw(to_client, 3, "def", ack, 0);
    }
    CHECK(log.side(1, to_client).bytes == "");
    CHECK(log.side(3, to_client).bytes == (given < limit ? "???def" : ""));
    CHECK(reassembler.stats().buffered_peak <= given);
    reassembler.finish({});
    CHECK(reassembler.stats().buffered == 0);
  }
}

TEST_CASE("many one-byte segments are charged for the memory they take") {
  StreamLog log;
  log.keep_lines = false;
  Reassembler reassembler(log, {.limits = {.buffered_per_connection = 100 * held_cost(1)}});
  Conversation talk(reassembler);
  talk.handshake();
  for (int i = 1; i <= 1000; ++i) talk.raw(to_client, 2 * i, "x", ack, 0);
  CHECK(reassembler.stats().buffered == 100 * held_cost(1));
  CHECK(reassembler.stats().forced_gaps == 900);
  // One segment across them all would be cut into a thousand pieces.
  talk.raw(to_client, 0, std::string(4000, 'y'), ack, 0);
  CHECK(reassembler.stats().buffered_peak <= 100 * held_cost(1));
  CHECK(log.side(1, to_client).bytes.size() == 4000);
}

TEST_CASE("while a handshake is awaited no more is gathered than the limit allows") {
  StreamLog log;
  Reassembler reassembler(log, {.limits = {.buffered_per_connection = 2 * held_cost(5)}});
  Conversation talk(reassembler);
  talk.say(to_server, "first");
  talk.say(to_server, "other");
  CHECK(log.lines.empty());
  talk.say(to_server, "third");
  CHECK(log.take() == Lines{"1 open midstream", "1 > 0 'first'", "1 > 5 'other'", "1 > 10 'third'"});
  CHECK(reassembler.stats().buffered == 0);
}

TEST_CASE("above the limit of connections the least recently active one is evicted") {
  for (const std::size_t connections : {2, 3, 4}) {
    CAPTURE(connections);
    StreamLog log;
    Reassembler reassembler(log, {.limits = {.connections = 3}});
    for (std::uint8_t client = 1; client <= connections; ++client) {
      Conversation(reassembler, v4(client, 40000), v4(100, 3306)).handshake();
      if (client == 3) Conversation(reassembler, v4(1, 40000), v4(100, 3306)).say(to_server, "alive");
    }
    CHECK(reassembler.stats().evicted == (connections > 3 ? 1 : 0));
    CHECK(log.connections.at(2).end.has_value() == (connections > 3));
    CHECK_FALSE(log.connections.at(1).end.has_value());
  }
}

TEST_CASE("an evicted connection that goes on is joined again midstream") {
  StreamLog log;
  Reassembler reassembler(log, {.limits = {.connections = 1, .reorder_packets = 0}});
  Conversation first(reassembler, v4(1, 40000), v4(100, 3306)), second(reassembler, v4(2, 40000), v4(100, 3306));
  first.handshake();
  first.say(to_server, "abc");
  second.handshake();
  first.say(to_server, "def");
  reassembler.finish({});
  CHECK(log.take() == Lines{"1 open handshake", "1 > 0 'abc'", "1 end evicted", "2 open handshake", "2 end evicted", "3 open midstream",
                            "3 > 0 'def'", "3 end capture_ended"});
}

TEST_CASE("ended connections are remembered up to a limit, and forgotten ones don't add up") {
  StreamLog log;
  log.keep_lines = false;
  Reassembler reassembler(log);
  for (std::uint32_t i = 0; i < remembered_connections + 100; ++i) {
    Conversation talk(reassembler, v4(static_cast<std::uint8_t>(1 + i / 10000), static_cast<std::uint16_t>(20000 + i % 10000)), v4(100, 3306));
    talk.handshake();
    talk.close(to_server);
    talk.close(to_client);
  }
  CHECK(reassembler.stats().connections == remembered_connections + 100);
  CHECK(reassembler.stats().after_end == 0);
  Conversation(reassembler, v4(1, static_cast<std::uint16_t>(20000 + 200)), v4(100, 3306)).acknowledge(to_server);
  CHECK(reassembler.stats().after_end == 1);
}

TEST_CASE("a connection is found again however many came and went around it") {
  StreamLog log;
  log.keep_lines = false;
  const std::size_t most = 600;
  Reassembler reassembler(log, {.limits = {.connections = most}});
  const auto talk_of = [&](std::uint32_t i) {
    return Conversation(reassembler, v4(static_cast<std::uint8_t>(1 + i % 7), static_cast<std::uint16_t>(1024 + i * 37 % 60000)), v4(100, 3306), i, i);
  };
  const std::uint32_t all = 20'000;
  for (std::uint32_t i = 0; i < all; ++i) {
    talk_of(i).handshake();
    for (std::uint32_t back = 1; back < 5 && back * 100 <= i; ++back) talk_of(i - back * 100).acknowledge(to_client);
  }
  CHECK(reassembler.stats().connections == all);
  CHECK(reassembler.stats().midstream == 0);
  CHECK(reassembler.stats().evicted == all - most);
}
