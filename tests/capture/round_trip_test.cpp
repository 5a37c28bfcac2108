// What the handshake and bare acknowledgements tell of the way between the tap and the ends.
#include "capture/reassembler.h"
#include "conversation.h"
#include "test_support/catch.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using namespace std::chrono_literals;

namespace {

struct Tapped {
  StreamLog log;
  Reassembler reassembler{log};
  Conversation talk{reassembler};
  const RoundTrips& found() const { return reassembler.round_trips(); }
  void handshake(std::chrono::nanoseconds server, std::chrono::nanoseconds client) {
    talk.syn_only();
    talk.now += server;
    talk.syn_ack();
    talk.now += client;
    talk.acknowledge(to_server);
  }
};

bool about(std::optional<std::uint64_t> found, std::uint64_t microseconds) {
  return found && *found >= microseconds && *found <= microseconds + microseconds / 100 + 1;
}

}  // namespace

TEST_CASE("a handshake tells how far server and client are from the tap") {
  Tapped t;
  CHECK_FALSE(t.found().known());
  t.handshake(200us, 3ms);
  CHECK(about(t.found().tap_to_server(), 200));
  CHECK(about(t.found().tap_to_client(), 3000));
  CHECK(about(t.found().whole(), 3200));
  CHECK(t.found().handshake_server.count() == 1);
}

TEST_CASE("a SYN that was sent again tells nothing: nobody knows which one was answered") {
  Tapped t;
  t.talk.syn_only();
  t.talk.now += 1s;
  t.handshake(200us, 3ms);
  CHECK(t.found().handshake_server.count() == 0);
  CHECK(t.found().handshake_client.count() == 0);
  // Of a SYN-ACK sent again the server's half is good.
  Tapped again;
  again.talk.syn_only();
  again.talk.now += 200us;
  again.talk.syn_ack();
  again.talk.now += 1s;
  again.talk.syn_ack();
  again.talk.acknowledge(to_server);
  CHECK(about(again.found().tap_to_server(), 200));
  CHECK(again.found().handshake_client.count() == 0);
}

TEST_CASE("where the handshake was not seen, what is acknowledged without an answer tells") {
  Tapped t;
  for (int i = 0; i < 64; ++i) {
    t.talk.say(to_client, "row");
    t.talk.now += 500us;
    t.talk.acknowledge(to_server);
    t.talk.now += 10ms;
  }
  CHECK(about(t.found().tap_to_client(), 500));
  CHECK_FALSE(t.found().tap_to_server());
  CHECK_FALSE(t.found().whole());
  CHECK(t.found().ack_client.count() < 64);
}

TEST_CASE("bytes that answer may have taken any time: they tell nothing of the way") {
  Tapped t;
  for (int i = 0; i < 64; ++i) {
    t.talk.say(to_server, "query");
    t.talk.now += 20ms;
    t.talk.say(to_client, "row");
    t.talk.now += 20ms;
  }
  CHECK_FALSE(t.found().known());
}
