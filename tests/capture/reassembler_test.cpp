#include "capture/reassembler.h"

#include "conversation.h"
#include "test_support/catch.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

namespace {

// Holes are declared as soon as they are proved.
ReassemblerOptions impatient() { return {.limits = {.reorder_packets = 0}}; }

struct Tapped {
  explicit Tapped(ReassemblerOptions options = {}) : reassembler(log, std::move(options)) {}
  StreamLog log;
  Reassembler reassembler;
  Conversation talk{reassembler};
  Lines finish() {
    reassembler.finish(talk.now);
    return log.take();
  }
};

}  // namespace

TEST_CASE("a whole connection is delivered in capture order, straight from the packets") {
  Tapped t;
  t.talk.handshake();
  t.talk.say(to_client, "greeting");
  t.talk.say(to_server, "login");
  t.talk.acknowledge(to_client);
  t.talk.say(to_client, "ok");
  t.talk.close(to_server);
  CHECK(t.log.take() == Lines{"1 open handshake", "1 < 0 'greeting'", "1 > 0 'login'", "1 < 8 'ok'"});
  t.talk.close(to_client);
  CHECK(t.log.take() == Lines{"1 end finished"});
  t.talk.acknowledge(to_server);
  CHECK(t.finish().empty());
  CHECK(t.reassembler.stats().after_end == 1);
  CHECK(t.reassembler.stats().buffered_peak == 0);
  CHECK(t.reassembler.stats().payload_bytes == 15);
  CHECK(t.reassembler.stats().lost_bytes == 0);
}

TEST_CASE("every packet twice, as the any device gives them, changes nothing") {
  Tapped t;
  const auto twice = [&](auto&& what) { what(); what(); };
  twice([&] { t.talk.syn_only(); });
  twice([&] { t.talk.syn_ack(); });
  twice([&] { t.talk.raw(to_server, 0, "", ack, 0); });
  twice([&] { t.talk.raw(to_client, 0, "greeting", ack, 0); });
  twice([&] { t.talk.raw(to_server, 0, "quit", ack, 8); });
  twice([&] { t.talk.raw(to_server, 4, "", ack | fin, 8); });
  twice([&] { t.talk.raw(to_client, 8, "", ack | fin, 5); });
  twice([&] { t.talk.raw(to_server, 5, "", ack, 9); });
  CHECK(t.finish() == Lines{"1 open handshake", "1 < 0 'greeting'", "1 > 0 'quit'", "1 end finished"});
  CHECK(t.reassembler.stats().duplicates == 2);
  CHECK(t.reassembler.stats().duplicate_bytes == 12);
}

TEST_CASE("segments in the wrong order come out in the right one, copied only behind the hole") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 3, "def", ack, 0);
  t.talk.raw(to_client, 6, "ghi", ack, 0);
  CHECK(t.log.take() == Lines{"1 open handshake"});
  CHECK(t.reassembler.stats().buffered == 6 + 2 * held_segment_overhead);
  t.talk.raw(to_client, 0, "abc", ack, 0);
  CHECK(t.log.take() == Lines{"1 < 0 'abc'", "1 < 3 'def'", "1 < 6 'ghi'"});
  CHECK(t.reassembler.stats().buffered == 0);
}

TEST_CASE("where segments overlap, the bytes seen first win") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 4, "ef", ack, 0);
  t.talk.raw(to_client, 3, "DEFG", ack, 0);   // brings d and g
  t.talk.raw(to_client, 0, "abcXXXXXhi", ack, 0);  // brings abc, hi
  t.talk.raw(to_client, 2, "YYYYYYYYYj", ack, 0);  // brings what is behind
  t.reassembler.finish({});
  CHECK(t.log.side(1, to_client).bytes == "abcDefGXhiYj");
  CHECK(t.reassembler.stats().duplicate_bytes == 2 + 4 + 8);
}

TEST_CASE("a hole is declared when its bytes are acknowledged, not before") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.raw(to_client, 0, "abc", ack, 0);
  t.talk.raw(to_client, 6, "ghi", ack, 0);
  CHECK(t.log.take() == Lines{"1 open handshake", "1 < 0 'abc'"});
  t.talk.raw(to_server, 0, "", ack, 3);
  CHECK(t.log.take().empty());
  t.talk.raw(to_server, 0, "", ack, 9);
  CHECK(t.log.take() == Lines{"1 < 3 gap 3", "1 < 6 'ghi'"});
  CHECK(t.reassembler.stats().gaps == 1);
  CHECK(t.reassembler.stats().lost_bytes == 3);
}

TEST_CASE("a half acknowledged hole is declared half, and counts once") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.raw(to_client, 0, "abc", ack, 0);
  t.talk.raw(to_client, 9, "jkl", ack, 0);
  t.talk.raw(to_server, 0, "", ack, 6);
  CHECK(t.log.take() == Lines{"1 open handshake", "1 < 0 'abc'", "1 < 3 gap 3"});
  CHECK(t.reassembler.stats().gaps == 0);
  t.talk.raw(to_server, 0, "", ack, 12);
  CHECK(t.log.take() == Lines{"1 < 6 gap 3", "1 < 9 'jkl'"});
  CHECK(t.reassembler.stats().gaps == 1);
  CHECK(t.reassembler.stats().lost_bytes == 6);
}

TEST_CASE("while one direction waits for a hole the other keeps flowing") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 3, "def", ack, 0);
  t.talk.raw(to_server, 0, "query", ack, 0);
  CHECK(t.log.take() == Lines{"1 open handshake", "1 > 0 'query'"});
}

TEST_CASE("an answer captured in front of its question comes out behind it") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 0, "answer", ack, 5);
  t.talk.raw(to_server, 5, "next", ack, 6);
  CHECK(t.log.take() == Lines{"1 open handshake"});
  t.talk.raw(to_server, 0, "query", ack, 0);
  CHECK(t.log.take() == Lines{"1 > 0 'query'", "1 < 0 'answer'", "1 > 5 'next'"});
}

TEST_CASE("an answer to a lost question comes out behind the gap that stands for it") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.say(to_server, "one");
  t.talk.say(to_client, "1");
  t.talk.lose(to_server, 7);
  t.talk.say(to_client, "2");
  CHECK(t.log.take() == Lines{"1 open handshake", "1 > 0 'one'", "1 < 0 '1'", "1 > 3 gap 7", "1 < 1 '2'"});
  CHECK(t.reassembler.stats().lost_bytes == 0);  // nothing seen behind it yet
  t.talk.say(to_server, "three");
  CHECK(t.log.take() == Lines{"1 > 10 'three'"});
  CHECK(t.reassembler.stats().lost_bytes == 7);
  CHECK(t.reassembler.stats().gaps == 1);
}

TEST_CASE("a proved hole waits for the limit of packets captured late, then it is a gap") {
  const std::uint32_t limit = 5;
  for (const std::uint32_t late : {limit - 1, limit, limit + 1}) {
    CAPTURE(late);
    Tapped t({.limits = {.reorder_packets = limit}});
    t.talk.handshake();
    t.talk.raw(to_client, 3, "def", ack, 0);
    for (std::uint32_t i = 1; i < late; ++i) t.talk.raw(to_server, 0, "", ack, 6);
    t.talk.raw(to_client, 0, "abc", ack, 0);
    t.reassembler.finish({});
    CHECK(t.log.side(1, to_client).bytes == (late <= limit ? "abcdef" : "???def"));
  }
}

TEST_CASE("a proved hole waits for the limit of time, whichever connection's packets tell the time") {
  for (const auto wait : {999ms, 1000ms, 1001ms}) {
    CAPTURE(wait.count());
    Tapped t({.limits = {.reorder_time = 1s}});
    t.talk.handshake();
    t.talk.raw(to_client, 3, "def", ack, 0);
    t.talk.raw(to_server, 0, "", ack, 6);
    Conversation other(t.reassembler, v4(9, 50000));
    other.now += wait;
    other.syn_only();
    CHECK(t.log.side(1, to_client).bytes == (wait < 1s ? "" : "???def"));
  }
}

TEST_CASE("time told without packets lets a hole out, too") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 3, "def", ack, 0);
  t.talk.raw(to_server, 0, "", ack, 6);
  t.reassembler.advance(t.talk.now + 1s);
  CHECK(t.log.side(1, to_client).bytes == "???def");
}

TEST_CASE("a hole that nobody acknowledged is declared at the end") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 0, "abc", ack, 0);
  t.talk.raw(to_client, 6, "ghi", ack, 0);
  t.talk.raw(to_client, 12, "mno", ack, 0);
  CHECK(t.finish() ==
        Lines{"1 open handshake", "1 < 0 'abc'", "1 < 3 gap 3", "1 < 6 'ghi'", "1 < 9 gap 3", "1 < 12 'mno'", "1 end capture_ended"});
  CHECK(t.reassembler.stats().gaps == 2);
  CHECK(t.reassembler.stats().lost_bytes == 6);
}

TEST_CASE("bytes lost before the first and behind the last one seen are gaps, but don't count as holes") {
  Tapped t;
  t.talk.handshake();
  t.talk.lose(to_client, 8);
  t.talk.say(to_server, "login");
  t.talk.say(to_client, "ok");
  t.talk.lose(to_client, 5);
  t.talk.close(to_client);
  t.talk.lose(to_server, 4);
  t.talk.close(to_server);
  CHECK(t.finish() == Lines{"1 open handshake", "1 < 0 gap 8", "1 > 0 'login'", "1 < 8 'ok'", "1 > 5 gap 4", "1 < 10 gap 5", "1 end finished"});
  CHECK(t.reassembler.stats().gaps == 0);
  CHECK(t.reassembler.stats().lost_bytes == 0);
}

TEST_CASE("the acknowledgement of a FIN that was not captured is no lost byte") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.say(to_server, "quit");
  t.talk.lose(to_server, 1);  // its FIN
  t.talk.close(to_client);
  CHECK(t.finish() == Lines{"1 open handshake", "1 > 0 'quit'", "1 end capture_ended"});
}

TEST_CASE("a FIN that was captured tells exactly how many bytes in front of it were not") {
  for (const std::size_t lost : {1, 5}) {
    CAPTURE(lost);
    Tapped t(impatient());
    t.talk.handshake();
    t.talk.lose(to_server, lost);
    t.talk.close(to_server);
    t.talk.say(to_client, "bye");
    CHECK(t.log.take() == Lines{"1 open handshake", "1 > 0 gap " + std::to_string(lost), "1 < 0 'bye'"});
  }
}

TEST_CASE("an acknowledgement further ahead than any window is not believed") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 0, "abc", ack, 0x40000001);
  CHECK(t.finish() == Lines{"1 open handshake", "1 < 0 'abc'", "1 end capture_ended"});
}

TEST_CASE("a retransmission captured before its original waits no longer than the original would") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 0, "abc", ack, 5);
  CHECK(t.log.take() == Lines{"1 open handshake"});
  t.talk.raw(to_client, 0, "abc", ack, 0);
  CHECK(t.log.take() == Lines{"1 < 0 'abc'"});
}

TEST_CASE("what one segment sets free comes out in capture order, whichever its direction") {
  for (const bool client_first : {false, true}) {
    CAPTURE(client_first);
    Tapped t;
    t.talk.handshake();
    if (client_first) t.talk.raw(to_server, 0, "query", ack, 3);
    t.talk.raw(to_client, 3, "def", ack, 0);
    if (!client_first) t.talk.raw(to_server, 0, "query", ack, 3);
    t.log.take();
    t.talk.raw(to_client, 0, "abc", ack, 0);
    CHECK(t.log.take() == (client_first ? Lines{"1 < 0 'abc'", "1 > 0 'query'", "1 < 3 'def'"} : Lines{"1 < 0 'abc'", "1 < 3 'def'", "1 > 0 'query'"}));
  }
}

TEST_CASE("keep-alives, window probes and pure acknowledgements bring nothing") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.say(to_client, "greeting");
  t.talk.say(to_server, "query");
  t.talk.raw(to_server, 4, "", ack, 8);            // keep-alive without a byte
  t.talk.raw(to_server, 4, std::string(1, 0), ack, 8);  // and with one
  t.talk.raw(to_client, 8, "", ack, 5);
  t.talk.say(to_client, "answer");
  CHECK(t.finish() == Lines{"1 open handshake", "1 < 0 'greeting'", "1 > 0 'query'", "1 < 8 'answer'", "1 end capture_ended"});
}

TEST_CASE("a connection half closed goes on in the other direction") {
  Tapped t;
  t.talk.handshake();
  t.talk.say(to_server, "quit");
  t.talk.close(to_server);
  t.talk.say(to_client, "still ");
  t.talk.say(to_client, "here");
  t.talk.close(to_client);
  CHECK(t.finish() == Lines{"1 open handshake", "1 > 0 'quit'", "1 < 0 'still '", "1 < 6 'here'", "1 end finished"});
}

TEST_CASE("a reset ends the connection once nothing can be on its way any more") {
  Tapped t;
  t.talk.handshake();
  t.talk.say(to_server, "abc");
  t.talk.raw(to_server, 6, "", rst | ack, 0);
  t.talk.raw(to_server, 3, "def", ack, 0);  // captured late
  CHECK(t.log.take() == Lines{"1 open handshake", "1 > 0 'abc'", "1 > 3 'def'"});
  t.talk.now += 1s;
  t.reassembler.advance(t.talk.now);
  CHECK(t.log.take() == Lines{"1 end reset"});
}

TEST_CASE("a refused connection opens and is reset") {
  Tapped t;
  t.talk.syn_only();
  t.talk.raw(to_client, -1, "", rst | ack, 0);
  CHECK(t.finish() == Lines{"1 open handshake", "1 end reset"});
}

TEST_CASE("a reset from behind where its sender stands is not believed") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.say(to_server, "abc");
  t.talk.raw(to_server, 1, "", rst, std::nullopt);
  t.talk.say(to_server, "def");
  CHECK(t.finish() == Lines{"1 open handshake", "1 > 0 'abc'", "1 > 3 'def'", "1 end capture_ended"});
}

TEST_CASE("a new SYN on the same ports replaces the old connection") {
  Tapped t;
  t.talk.handshake();
  t.talk.say(to_server, "old");
  Conversation again(t.reassembler, v4(1, 40000), v4(2, 3306), 5'000'000, 6'000'000);
  again.handshake();
  again.say(to_server, "new");
  CHECK(t.finish() == Lines{"1 open handshake", "1 > 0 'old'", "1 end replaced", "2 open handshake", "2 > 0 'new'", "2 end capture_ended"});
}

TEST_CASE("ports may be used again after a finished connection, whose last packets are known") {
  Tapped t;
  t.talk.handshake();
  t.talk.say(to_server, "old");
  t.talk.close(to_server);
  t.talk.close(to_client);
  t.talk.syn_only();  // captured twice, late
  t.talk.acknowledge(to_server);
  t.talk.raw(to_client, 0, "", rst, std::nullopt);
  CHECK(t.log.take().back() == "1 end finished");
  Conversation again(t.reassembler, v4(1, 40000), v4(2, 3306), 5'000'000, 6'000'000);
  again.handshake();
  CHECK(t.log.take() == Lines{"2 open handshake"});
}

TEST_CASE("data on ports of an ended connection is a new one, joined midstream") {
  Tapped t(impatient());
  t.talk.handshake();
  t.talk.close(to_server);
  t.talk.close(to_client);
  Conversation again(t.reassembler, v4(1, 40000), v4(2, 3306), 5'000'000, 6'000'000);
  again.say(to_server, "new");
  CHECK(t.finish() == Lines{"1 open handshake", "1 end finished", "2 open midstream", "2 > 0 'new'", "2 end capture_ended"});
}

TEST_CASE("sequence numbers wrap within one stream") {
  Tapped t;
  Conversation talk(t.reassembler, v4(1, 1), v4(2, 3306), 0xfffffffe, 0xffffff00);
  talk.handshake();
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    talk.say(to_client, "0123456789");
    talk.say(to_server, "x");
    sent += "0123456789";
  }
  t.reassembler.finish({});
  CHECK(t.log.side(1, to_client).bytes == sent);
  CHECK(t.log.side(1, to_server).bytes == std::string(100, 'x'));
}

TEST_CASE("bytes cut by the snapshot length are a gap at once") {
  Tapped t;
  t.talk.handshake();
  t.talk.raw(to_client, 0, "abc", ack, 0, 7);
  CHECK(t.log.take() == Lines{"1 open handshake", "1 < 0 'abc'", "1 < 3 gap 7"});
  t.talk.raw(to_client, 10, "klm", ack, 0, 2);
  t.talk.raw(to_client, 20, "uvw", ack, 0, 2);
  t.talk.raw(to_client, 15, "pqr", ack, 0, 2);
  CHECK(t.finish() == Lines{"1 < 10 'klm'", "1 < 13 gap 2", "1 < 15 'pqr'", "1 < 18 gap 2", "1 < 20 'uvw'", "1 < 23 gap 2", "1 end capture_ended"});
  CHECK(t.reassembler.stats().gaps == 3);
  CHECK(t.reassembler.stats().lost_bytes == 11);
  CHECK(t.reassembler.stats().payload_bytes == 12);
}

TEST_CASE("a connection joined midstream counts from the first byte seen, and is announced after the wait for a handshake") {
  Tapped t;
  t.talk.lose(to_client, 500);
  t.talk.lose(to_server, 300);
  t.talk.say(to_server, "query");
  t.talk.say(to_client, "answer");
  CHECK(t.log.take().empty());
  t.talk.now += 1s;
  t.reassembler.advance(t.talk.now);
  CHECK(t.log.take() == Lines{"1 open midstream", "1 > 0 'query'", "1 < 0 'answer'"});
  t.talk.say(to_server, "next");
  CHECK(t.log.take() == Lines{"1 > 5 'next'"});
  CHECK(t.reassembler.stats().midstream == 1);
}

TEST_CASE("midstream, what the peer acknowledged tells where the other direction stands, without a gap in front of its first byte") {
  Tapped t(impatient());
  t.talk.lose(to_client, 500);
  t.talk.say(to_server, "one");
  t.talk.lose(to_client, 20);
  t.talk.say(to_server, "two");
  t.talk.say(to_client, "2");
  t.talk.lose(to_client, 5);
  t.talk.acknowledge(to_server);
  t.talk.say(to_client, "3");
  t.talk.acknowledge(to_server);
  CHECK(t.finish() == Lines{"1 open midstream", "1 > 0 'one'", "1 > 3 'two'", "1 < 0 '2'", "1 < 1 gap 5", "1 < 6 '3'", "1 end capture_ended"});
}

TEST_CASE("a handshake captured behind its data is still a handshake") {
  Tapped t;
  t.talk.raw(to_client, 0, "greeting", ack, 0);
  t.talk.raw(to_server, 0, "login", ack, 8);
  t.talk.syn_ack();
  CHECK(t.log.take() == Lines{"1 open handshake", "1 < 0 'greeting'", "1 > 0 'login'"});
  t.talk.syn_only();
  CHECK(t.log.take().empty());
}

TEST_CASE("a SYN behind the data of an older connection on the same ports begins another one") {
  Tapped t;
  t.talk.say(to_server, "old");
  Conversation again(t.reassembler, v4(1, 40000), v4(2, 3306), 0x80000000, 0x40000000);
  again.handshake();
  again.say(to_server, "new");
  CHECK(t.finish() == Lines{"1 open midstream", "1 > 0 'old'", "1 end replaced", "2 open handshake", "2 > 0 'new'", "2 end capture_ended"});
}

TEST_CASE("without the SYN-ACK the server's bytes begin where the capture shows them first") {
  Tapped t;
  t.talk.syn_only();
  t.talk.acknowledge(to_server);
  t.talk.say(to_client, "greeting");
  t.talk.say(to_server, "login");
  CHECK(t.finish() == Lines{"1 open handshake", "1 < 0 'greeting'", "1 > 0 'login'", "1 end capture_ended"});
}

TEST_CASE("who is the server: the handshake, else the named port, else a usual port, else the lower one") {
  const auto server_of = [](ReassemblerOptions options, Endpoint sender, Endpoint receiver, bool with_handshake) {
    Tapped t(std::move(options));
    Conversation talk(t.reassembler, sender, receiver);
    if (with_handshake) talk.handshake();
    talk.say(to_server, "x");
    t.reassembler.finish({});
    return t.log.connections.at(1).open.flow.server;
  };
  CHECK(server_of({}, v4(1, 3306), v4(2, 50000), true) == v4(2, 50000));
  CHECK(server_of({}, v4(1, 3306), v4(2, 50000), false) == v4(1, 3306));
  CHECK(server_of({}, v4(1, 50000), v4(2, 15306), false) == v4(2, 15306));
  CHECK(server_of({}, v4(1, 7), v4(2, 8), false) == v4(1, 7));
  CHECK(server_of({.ports = ServerPorts{50000}}, v4(1, 3306), v4(2, 50000), false) == v4(2, 50000));
}

TEST_CASE("with ports named, only connections to a server on them are tracked") {
  Tapped t({.ports = ServerPorts{3306, 3307}, .limits = {.reorder_packets = 0}});
  Conversation elsewhere(t.reassembler, v4(1, 40000), v4(2, 80));
  elsewhere.handshake();
  CHECK(t.reassembler.stats().untracked == 3);
  // A client whose own port happens to be named, talking to another service.
  Conversation coincidence(t.reassembler, v4(1, 3307), v4(2, 80));
  coincidence.handshake();
  coincidence.say(to_server, "GET");
  CHECK(t.log.take().empty());
  t.talk.handshake();
  Conversation midstream(t.reassembler, v4(1, 41000), v4(2, 3307));
  midstream.say(to_server, "x");
  CHECK(t.finish() == Lines{"1 open handshake", "2 open midstream", "2 > 0 'x'", "1 end capture_ended", "2 end capture_ended"});
}

TEST_CASE("packets are counted, and those without a segment by their reason") {
  StreamLog log;
  Reassembler reassembler(log);
  const std::string arp = ethernet(0x0806, std::string(28, '\0'));
  const std::string query = ethernet(0x0800, ip_packet({.flags = ack}, "query"));
  reassembler.feed(packet_view(arp));
  reassembler.feed(packet_view(query));
  reassembler.finish({});
  CHECK(reassembler.stats().packets == 2);
  CHECK(reassembler.stats().bytes == arp.size() + query.size());
  CHECK(reassembler.stats().not_segments[static_cast<std::size_t>(NotSegment::not_ip)] == 1);
  CHECK(reassembler.stats().segments == 1);
  CHECK(log.side(1, to_server).bytes == "query");
}
