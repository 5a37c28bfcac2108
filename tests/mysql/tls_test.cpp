// TLS that OpenSSL spoke, read with the key log that it wrote: versions, suites, and everything that moves keys or hides bytes.
#include <memory>
#include <random>

#include "test_support/catch.h"
#include "tls_wire.h"

using namespace wire;
using darktap::StreamOpen;
using darktap::mysql::ConnectionFacts;
using darktap::mysql::Exchange;
using darktap::mysql::KeyLog;

namespace {

std::vector<std::string> texts_of(const Tap& tap) {
  std::vector<std::string> texts;
  for (const Exchange& each : tap.exchanges) texts.push_back(each.command.text);
  return texts;
}

void check_read_whole(const TlsConversation& talk, Tap& tap) {
  CHECK(tap.decoder.why_opaque().empty());
  CHECK(tap.decoder.opaque_bytes() == 0);
  CHECK(tap.decoder.facts().transport == ConnectionFacts::Transport::tls);
  CHECK(tap.decoder.facts().user == "app");
  REQUIRE(texts_of(tap) == talk.texts);
  for (const Exchange& each : tap.exchanges) {
    CHECK(each.answer.kind() == mysql::AnswerKind::rows);
    CHECK(each.answer.row_count() == 1);
    CHECK(each.certainty == Exchange::Certainty::certain);
  }
}

Tap& play(Tap& tap, const std::vector<Packet>& packets) {
  for (const Packet& packet : packets) tap.send(packet.direction, packet.bytes);
  return tap.end();
}

}  // namespace

TEST_CASE("every AEAD suite of TLS 1.2 and 1.3 is read with the key log") {
  struct Case {
    int version;
    const char* suite;
  };
  for (Case each : {Case{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"}, Case{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
                    Case{TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"}, Case{TLS1_3_VERSION, "TLS_AES_128_CCM_SHA256"},
                    Case{TLS1_3_VERSION, "TLS_AES_128_CCM_8_SHA256"}, Case{TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"},
                    Case{TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"}, Case{TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"},
                    Case{TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256"}, Case{TLS1_2_VERSION, "DHE-RSA-CHACHA20-POLY1305"},
                    Case{TLS1_2_VERSION, "AES128-GCM-SHA256"}, Case{TLS1_2_VERSION, "AES256-GCM-SHA384"}, Case{TLS1_2_VERSION, "AES128-CCM"},
                    Case{TLS1_2_VERSION, "AES256-CCM"}, Case{TLS1_2_VERSION, "AES128-CCM8"}, Case{TLS1_2_VERSION, "DHE-RSA-AES256-CCM8"}}) {
    INFO(each.suite);
    TlsConversation talk({.version = each.version, .suites = each.suite, .large_row = 50'000});
    REQUIRE(talk.suite() == each.suite);
    KeyLog keys;
    keys.add(talk.key_log);
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    play(tap, talk.packets);
    check_read_whole(talk, tap);
  }
}

TEST_CASE("a suite that is no AEAD is named, counted and not read") {
  TlsConversation talk({.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES256-SHA384"});
  KeyLog keys;
  keys.add(talk.key_log);
  Tap tap({}, StreamOpen::Start::handshake, &keys);
  play(tap, talk.packets);
  CHECK(tap.exchanges.empty());
  CHECK(tap.decoder.why_opaque().starts_with("TLS 1.2: its cipher suite 0xc028 is none of AES-GCM"));
  std::size_t bytes = 0;
  for (std::size_t i = 2; i < talk.packets.size(); ++i) bytes += talk.packets[i].bytes.size();
  CHECK(tap.decoder.opaque_bytes() == bytes);
}

TEST_CASE("key updates, retried hellos, renegotiation, padding, resumption: the keys are followed") {
  using Midway = TlsSetup::Midway;
  std::vector<std::pair<std::string, TlsSetup>> cases = {
      {"key update", {.midway = Midway::key_update}},
      {"key update, 256 bits", {.suites = "TLS_AES_256_GCM_SHA384", .midway = Midway::key_update}},
      {"hello retry", {.client_groups = "X25519:P-384", .server_groups = "P-384"}},
      {"padding", {.padding = 512, .large_row = 20'000}},
      {"renegotiation", {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256", .midway = Midway::renegotiation}},
  };
  for (const auto& [name, setup] : cases) {
    INFO(name);
    TlsConversation talk(setup);
    KeyLog keys;
    keys.add(talk.key_log);
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    play(tap, talk.packets);
    check_read_whole(talk, tap);
  }
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO("resumption, " << version);
    TlsConversation first({.version = version});
    TlsConversation second({.version = version}, first.session().get());
    REQUIRE(second.was_resumed());
    KeyLog keys;
    keys.add(second.key_log);
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    play(tap, second.packets);
    check_read_whole(second, tap);
  }
}

TEST_CASE("any chopping of the TLS stream tells the same, and an answer's time is its last record's") {
  TlsConversation talk({.large_row = 40'000});
  KeyLog keys;
  keys.add(talk.key_log);
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    for (const Packet& packet : talk.packets) {
      std::string_view left = packet.bytes;
      while (!left.empty()) {
        std::size_t size = seed == 0 ? 1 : 1 + random() % (seed * 50);
        if (seed == 0 && left.size() > 300) size = left.size() - 300;
        tap.send(packet.direction, left.substr(0, size));
        left.remove_prefix(std::min(size, left.size()));
      }
    }
    tap.end();
    check_read_whole(talk, tap);
    for (const Exchange& each : tap.exchanges) {
      CHECK(each.request_first <= each.request_last);
      CHECK(each.request_last < each.response_first);
      CHECK(each.response_first <= each.response_last);
    }
  }
}

TEST_CASE("secrets may come after the packets, and in pieces") {
  TlsConversation talk({});
  for (std::size_t late = 0; late <= talk.packets.size(); ++late) {
    INFO("secrets behind packet " << late);
    KeyLog keys;
    keys.expect();
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    std::size_t fed = 0, half = talk.key_log.size() / 2;
    for (const Packet& packet : talk.packets) {
      if (fed == late / 2) keys.add(talk.key_log.substr(0, half));
      if (fed++ == late) keys.add(talk.key_log.substr(half));
      tap.send(packet.direction, packet.bytes);
    }
    if (late == talk.packets.size()) keys.add(talk.key_log.substr(half));
    tap.end();
    check_read_whole(talk, tap);
  }
}

TEST_CASE("a session that ends before its secrets were looked for is read with those that are there by then") {
  TlsConversation talk({});
  KeyLog keys;
  keys.expect();
  int asked = 0;
  keys.ask_for_more_by([&] {
    if (asked++ == 0) keys.add(talk.key_log);
  });
  Tap tap({}, StreamOpen::Start::handshake, &keys);
  play(tap, talk.packets);
  CHECK(asked == 1);
  check_read_whole(talk, tap);
}

TEST_CASE("secrets that don't come in time, or for too many bytes: the session is given up, and what it held is let go") {
  TlsConversation talk({.large_row = 100'000});
  KeyLog keys;
  keys.expect();
  SECTION("time") {
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    for (const Packet& packet : talk.packets) {
      tap.now += std::chrono::seconds(1);
      tap.send(packet.direction, packet.bytes);
    }
    CHECK(tap.decoder.why_opaque() == "TLS 1.3: the key log had no secrets for it in time");
  }
  SECTION("bytes") {
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    for (int i = 0; i < 100; ++i)
      for (const Packet& packet : talk.packets)
        if (i == 0 || packet.bytes.size() > 50'000) tap.send(packet.direction, packet.bytes);
    CHECK(tap.decoder.why_opaque() == "TLS 1.3: the key log had no secrets for it in time");
    CHECK(tap.decoder.memory() < 200'000);
  }
  SECTION("never") {
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    for (const Packet& packet : talk.packets)
      if (packet.bytes.size() < 50'000) tap.send(packet.direction, packet.bytes);
    tap.end();
    CHECK(tap.decoder.why_opaque() == "TLS 1.3: the key log has no secrets for it");
    CHECK(tap.exchanges.empty());
  }
  CHECK(keys.reserve(KeyLog::held_bytes));  // all of it was given back
}

TEST_CASE("a key log of another session: the records are not taken for anything") {
  TlsConversation talk({}), other({});
  std::string wrong = other.key_log;
  // The other's secrets under this one's name.
  std::string name = talk.key_log.substr(talk.key_log.find(' ') + 1, 64), others = other.key_log.substr(other.key_log.find(' ') + 1, 64);
  for (std::size_t at = 0; (at = wrong.find(others)) != std::string::npos;) wrong.replace(at, 64, name);
  KeyLog keys;
  keys.add(wrong);
  Tap tap({}, StreamOpen::Start::handshake, &keys);
  play(tap, talk.packets);
  CHECK(tap.exchanges.empty());
  CHECK(tap.decoder.why_opaque() == "TLS 1.3: its records don't open with the key log's secrets");
}

TEST_CASE("any packets of a TLS session lost: what was not touched is found, and nothing is invented") {
  using Midway = TlsSetup::Midway;
  std::vector<TlsSetup> setups = {
      {.queries = 20, .large_row = 40'000},
      {.padding = 256, .queries = 20, .midway = Midway::key_update},
      {.suites = "TLS_CHACHA20_POLY1305_SHA256", .queries = 20},
      {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-GCM-SHA256", .queries = 20, .large_row = 40'000},
      {.version = TLS1_2_VERSION, .suites = "ECDHE-RSA-CHACHA20-POLY1305", .queries = 20},
  };
  std::size_t possible = 0, found = 0;
  for (std::size_t s = 0; s < setups.size(); ++s) {
    TlsConversation talk(setups[s]);
    KeyLog keys;
    keys.add(talk.key_log);
    std::size_t hellos = 4;  // greeting, request, both hellos: tried below
    for (std::size_t lost = hellos; lost < talk.packets.size(); ++lost) {
      for (std::size_t run : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
        INFO("setup " << s << ", packets " << lost << " to " << lost + run << " lost");
        Tap tap({}, StreamOpen::Start::handshake, &keys);
        for (std::size_t i = 0; i < talk.packets.size(); ++i) {
          const Packet& packet = talk.packets[i];
          if (i >= lost && i < lost + run) tap.lose(packet.direction, packet.bytes.size());
          else tap.send(packet.direction, packet.bytes);
        }
        tap.end();
        std::size_t at = 0;
        for (const Exchange& each : tap.exchanges) {
          if (each.answer.kind() == mysql::AnswerKind::unobserved) continue;
          while (at < talk.texts.size() && talk.texts[at] != each.command.text) ++at;
          REQUIRE(at < talk.texts.size());
          CHECK(each.answer.kind() == mysql::AnswerKind::rows);
          ++at;
          ++found;
        }
        std::size_t touched = lost + run <= talk.handshake_end ? 0 : (run + 3) / 2;
        possible += talk.texts.size() > touched ? talk.texts.size() - touched : 0;
      }
    }
  }
  WARN(found << " found of at least " << possible);
  CHECK(found >= possible);
}

TEST_CASE("a hello lost: without the ClientHello the key log's sessions are tried, TLS 1.3 needs no ServerHello") {
  TlsConversation talk({}), old({.version = TLS1_2_VERSION});
  auto without = [](const TlsConversation& conversation, std::size_t lost, KeyLog& keys) {
    keys.add(conversation.key_log);
    auto tap = std::make_unique<Tap>(mysql::DecoderLimits{}, StreamOpen::Start::handshake, &keys);
    for (std::size_t i = 0; i < conversation.packets.size(); ++i) {
      if (i == lost) tap->lose(conversation.packets[i].direction, conversation.packets[i].bytes.size());
      else tap->send(conversation.packets[i].direction, conversation.packets[i].bytes);
    }
    tap->end();
    return tap;
  };
  constexpr std::size_t request = 1, client_hello = 2, server_hello = 3;
  KeyLog keys;
  KeyLog others;
  for (const char* digits : {"1", "2", "3"}) others.add("CLIENT_RANDOM " + std::string(64, *digits) + " " + std::string(96, *digits) + "\n");
  CHECK(texts_of(*without(talk, client_hello, others)) == talk.texts);
  CHECK(texts_of(*without(old, client_hello, others)) == old.texts);
  KeyLog none;
  none.expect();
  TlsConversation unknown({});
  unknown.key_log = "CLIENT_RANDOM " + std::string(64, '1') + " " + std::string(96, '1') + "\n";
  CHECK(without(unknown, client_hello, none)->decoder.why_opaque() == "TLS 1.3: its ClientHello was not seen, which names the session's secrets");
  CHECK(without(old, server_hello, keys)->decoder.why_opaque() == "TLS: its ServerHello was lost, which TLS 1.2's keys depend on");
  CHECK(texts_of(*without(talk, server_hello, keys)) == talk.texts);
  CHECK(texts_of(*without(talk, request, keys)) == talk.texts);
  CHECK(texts_of(*without(old, request, keys)) == old.texts);
}

TEST_CASE("compression inside TLS is read, and both are said") {
  TlsConversation talk({.extra = capability::compress});
  KeyLog keys;
  keys.add(talk.key_log);
  Tap tap({}, StreamOpen::Start::handshake, &keys);
  play(tap, talk.packets);
  CHECK(tap.decoder.facts().compression == ConnectionFacts::Compression::packets);
  check_read_whole(talk, tap);
}

TEST_CASE("bytes that are no TLS behind a request for it") {
  KeyLog keys;
  keys.expect();
  Tap tap({}, StreamOpen::Start::handshake, &keys);
  tap.server(greeting(plain_41 | capability::ssl)).client_reply(tls_request(plain_41));
  tap.send(Direction::to_server, std::string("GET / HTTP/1.1\r\n\r\n")).end();
  CHECK(tap.decoder.why_opaque() == "TLS: its bytes are no TLS records");
  CHECK(tap.decoder.opaque_bytes() == 18);
}

TEST_CASE("a key log's lines: cut anywhere, of any case, with others between them") {
  TlsConversation talk({.queries = 3});
  std::string log = "# a comment\r\nEXPORTER_SECRET 00 11\nnonsense\nCLIENT_RANDOM 12 34\n" + talk.key_log;
  for (char& c : log)
    if (c >= 'a' && c <= 'f' && &c - log.data() > 60) c = static_cast<char>(c - 'a' + 'A');
  for (std::size_t piece : {1, 7, 64, 4000}) {
    KeyLog keys;
    for (std::size_t at = 0; at < log.size(); at += piece) keys.add(std::string_view(log).substr(at, piece));
    CHECK(keys.sessions() == 1);
    CHECK(keys.malformed_lines() == 2);
    Tap tap({}, StreamOpen::Start::handshake, &keys);
    play(tap, talk.packets);
    check_read_whole(talk, tap);
  }
  KeyLog keys;
  keys.add(talk.key_log.substr(0, talk.key_log.size() - 1));
  std::uint64_t before = keys.version();
  keys.settle();
  CHECK(keys.version() == before + 1);
}

TEST_CASE("a key log forgets its oldest sessions beyond the limit") {
  KeyLog keys;
  std::string secret(96, 'a');
  for (std::size_t i = 0; i < KeyLog::most_sessions + 1; ++i) {
    std::string random = "0000000" + std::to_string(1'000'000 + i);
    random = std::string(64 - random.size(), '0') + random;
    keys.add("CLIENT_RANDOM " + random + " " + secret + "\n");
    CHECK(keys.sessions() == std::min(i + 1, KeyLog::most_sessions));
  }
}
