// pcapng files, read by ourselves: several interfaces, link types, clocks, byte orders; secrets; drops; damage.
#include <vector>

#include "base/expected.h"
#include "capture/reassembler.h"
#include "capture/tap.h"
#include "capture_files.h"
#include "test_support/catch.h"
#include "test_support/packets.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;

namespace {

const std::string query = ip_packet({.options{}}, "query");
constexpr std::uint32_t tls_key_log = 0x544c534b;

struct Seen {
  CaptureTime time;
  LinkType link;
  std::string data;
  std::uint32_t wire_length;
};

std::vector<Seen> read_all(FileTap& tap) {
  std::vector<Seen> seen;
  PacketView packet;
  while (tap.next(packet) == Tap::Read::packet) seen.push_back({packet.time, packet.link, std::string(as_text(packet.data)), packet.wire_length});
  return seen;
}

std::string failure_of(const std::string& path) {
  try {
    FileTap tap(path);
    read_all(tap);
  } catch (const Failure& failure) {
    CHECK(failure.kind() == FailureKind::environment);
    return failure.what();
  }
  return "no failure";
}

}  // namespace

TEST_CASE("each interface of a pcapng file has its own link type and clock") {
  const TemporaryFolder folder;
  for (const Pcapng::Order order : {Pcapng::Order::little, Pcapng::Order::big}) {
    const Pcapng ng{order};
    const std::uint64_t second = 1'700'000'000;
    std::string file = ng.section();
    file += ng.interface(1, ng.option(9, "\x09"));                                   // nanoseconds
    file += ng.interface(113);                                                      // microseconds, the default
    file += ng.interface(276, ng.option(9, "\x8a"));                                 // 2⁻¹⁰ s
    file += ng.interface(12, ng.option(9, std::string(1, '\0')) + ng.option(14, ng.u64(second)));  // whole seconds, from an offset
    file += ng.interface(228, ng.option(9, "\x0c"));                                 // picoseconds
    file += ng.packet(0, ethernet(0x0800, query), second * 1'000'000'000 + 123'456'789);
    file += ng.packet(1, with_link(link_type::linux_sll, query), second * 1'000'000 + 5);
    file += ng.packet(2, with_link(link_type::linux_sll2, query), (second << 10) + 512);
    file += ng.packet(3, query, 7);
    file += ng.packet(4, query, 5'000'000'000'123);
    FileTap tap(folder.file("mixed.pcapng", file));
    const std::vector<Seen> seen = read_all(tap);
    REQUIRE(seen.size() == 5);
    CHECK(to_rfc3339(seen[0].time) == "2023-11-14T22:13:20.123456789Z");
    CHECK(to_rfc3339(seen[1].time) == "2023-11-14T22:13:20.000005000Z");
    CHECK(to_rfc3339(seen[2].time) == "2023-11-14T22:13:20.500000000Z");
    CHECK(to_rfc3339(seen[3].time) == "2023-11-14T22:13:27.000000000Z");
    CHECK(to_rfc3339(seen[4].time) == "1970-01-01T00:00:05.000000000Z");
    CHECK(seen[0].link == link_type::ethernet);
    CHECK(seen[1].link == link_type::linux_sll);
    CHECK(seen[2].link == link_type::linux_sll2);
    CHECK(seen[3].link == link_type::raw);
    CHECK(seen[4].link == link_type::ipv4);
    CHECK_FALSE(tap.truncated());
    for (const Seen& one : seen) {
      const auto segment = decode_segment(packet_view(one.data, one.link));
      REQUIRE(segment);
      CHECK(as_text(segment->payload) == "query");
    }
  }
}

TEST_CASE("clocks of any resolution stay within what a capture time can tell") {
  const TemporaryFolder folder;
  const Pcapng ng;
  for (int resolution = 0; resolution < 256; ++resolution) {
    std::string file = ng.section() + ng.interface(12, ng.option(9, std::string(1, static_cast<char>(resolution))) + ng.option(14, ng.u64(std::uint64_t{1} << 63)));
    file += ng.interface(12, ng.option(9, std::string(1, static_cast<char>(resolution))));
    for (const std::uint64_t stamp : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) file += ng.packet(0, query, stamp) + ng.packet(1, query, stamp);
    FileTap tap(folder.file("clock.pcapng", file));
    CHECK(read_all(tap).size() == 6);
  }
}

TEST_CASE("every section has its byte order and its interfaces") {
  const TemporaryFolder folder;
  const Pcapng little{Pcapng::Order::little}, big{Pcapng::Order::big};
  FileTap tap(folder.file("sections.pcapng", little.section() + little.interface(1) + little.packet(0, ethernet(0x0800, query)) + big.section() +
                                                 big.interface(12) + big.packet(0, query) + little.section() + little.interface(113) +
                                                 little.packet(0, with_link(link_type::linux_sll, query))));
  const auto seen = read_all(tap);
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].link == link_type::ethernet);
  CHECK(seen[1].link == link_type::raw);
  CHECK(seen[2].link == link_type::linux_sll);
  CHECK(seen[0].time == seen[1].time);
  CHECK_FALSE(tap.truncated());
}

TEST_CASE("old packet blocks and simple ones are packets too; unknown blocks are passed over") {
  const TemporaryFolder folder;
  for (const Pcapng::Order order : {Pcapng::Order::little, Pcapng::Order::big}) {
    const Pcapng ng{order};
    const std::string file = ng.section() + ng.interface(12, {}, 60) + ng.block(4, "names") + ng.block(0x80000001, "local") +
                             ng.old_packet(0, 3, query, 1'700'000'000'000'000) + ng.block(0x0bad, "custom") + ng.simple_packet(query, query.size()) +
                             ng.simple_packet(std::string(query + std::string(100, 'x')).substr(0, 60), query.size() + 100) + ng.block(9, "journal");
    FileTap tap(folder.file("old.pcapng", file));
    const auto seen = read_all(tap);
    REQUIRE(seen.size() == 3);
    CHECK(to_rfc3339(seen[0].time) == "2023-11-14T22:13:20.000000000Z");
    CHECK(seen[0].data == query);
    CHECK(seen[1].data == query);
    CHECK(seen[1].time == seen[0].time);
    CHECK(seen[2].data.size() == 60);
    CHECK(seen[2].wire_length == query.size() + 100);
    CHECK(tap.counts().kernel_drops == 3);
  }
}

TEST_CASE("what the file's own tap dropped is reported as dropped") {
  const TemporaryFolder folder;
  const Pcapng ng;
  const std::string told_twice = ng.statistics(0, ng.option(4, ng.u64(100)) + ng.option(5, ng.u64(2)) + ng.option(7, ng.u64(5)));
  FileTap tap(folder.file("drops.pcapng", ng.section() + ng.interface(12) + ng.interface(12) + ng.packet(1, query, 1, ng.option(4, ng.u64(11)) + ng.option(0, "")) + told_twice +
                                              ng.statistics(0, ng.option(5, ng.u64(3)) + ng.option(7, ng.u64(6))) + ng.section() + ng.interface(12) +
                                              ng.statistics(0, ng.option(5, ng.u64(20)))));
  CHECK(read_all(tap).size() == 1);
  CHECK(tap.counts().kernel_drops == 9 + 11 + 20);
}

TEST_CASE("TLS secrets are handed on in front of the packets behind them, others are not") {
  const TemporaryFolder folder;
  for (const Pcapng::Order order : {Pcapng::Order::little, Pcapng::Order::big}) {
    const Pcapng ng{order};
    const std::string log = "CLIENT_RANDOM 00 11\nSERVER_HANDSHAKE_TRAFFIC_SECRET 22 33\n";
    const std::string path = folder.file("secrets.pcapng", ng.section() + ng.interface(12) + ng.packet(0, query) + ng.secrets(tls_key_log, log) +
                                                               ng.secrets(0x57474b4c, "WireGuard") + ng.packet(0, query) + ng.secrets(tls_key_log, "x"));
    std::string events;
    FileTap tap(path, {.on_secrets = [&](std::string_view text) { events += "[" + std::string(text) + "]"; }});
    PacketView packet;
    while (tap.next(packet) == Tap::Read::packet) events += "packet ";
    CHECK(events == "packet [" + log + "]packet [x]");
    CHECK_FALSE(tap.truncated());
  }
}

TEST_CASE("a damaged block is left out, named with its place, and the rest is read") {
  const TemporaryFolder folder;
  const Pcapng ng;
  const std::string head = ng.section() + ng.interface(12);
  const std::string good = ng.packet(0, query);
  const std::vector<std::pair<std::string, std::string>> damages = {
      {ng.packet(1, query), "interface 1"},
      {ng.old_packet(7, 0, query, 1), "interface 7"},
      {ng.block(6, ng.u32(0) + ng.u32(0) + ng.u32(0) + ng.u32(4000) + ng.u32(4000) + query), "longer than its block"},
      {ng.block(6, "short"), "longer than its block"},
      {ng.block(10, ng.u32(tls_key_log) + ng.u32(50) + "short"), "secrets"},
      {ng.statistics(9, ""), "statistics"},
      {ng.block(1, "abc"), "interface"},
  };
  for (const auto& [bad, words] : damages) {
    CAPTURE(words);
    FileTap tap(folder.file("damaged.pcapng", head + good + bad + good));
    CHECK(read_all(tap).size() == 2);
    REQUIRE(tap.truncated());
    CHECK(tap.truncated()->find(words) != std::string::npos);
    CHECK(tap.truncated()->find("at byte " + std::to_string(head.size() + good.size())) != std::string::npos);
    CHECK(tap.truncated()->find("damaged.pcapng") != std::string::npos);
  }
}

TEST_CASE("a file that breaks off, anywhere, is read up to there") {
  const TemporaryFolder folder;
  const Pcapng ng;
  const std::string head = ng.section() + ng.interface(12) + ng.packet(0, query), tail = ng.packet(0, query);
  for (std::size_t cut = 0; cut < tail.size(); ++cut) {
    CAPTURE(cut);
    FileTap tap(folder.file("cut.pcapng", head + tail.substr(0, cut)));
    CHECK(read_all(tap).size() == 1);
    CHECK(tap.truncated().has_value() == (cut > 0));
  }
  for (const std::string& nonsense : {ng.u32(6) + ng.u32(13) + std::string(40, 'x'), ng.u32(6) + ng.u32(8) + std::string(40, 'x'),
                                      ng.u32(6) + ng.u32(0xfffffff0) + std::string(40, 'x'), ng.u32(4) + ng.u32(16) + ng.u32(0) + ng.u32(20),
                                      ng.u32(0x0a0d0d0a) + ng.u32(28) + std::string(20, 'x')}) {
    FileTap tap(folder.file("nonsense.pcapng", head + nonsense + tail));
    CHECK(read_all(tap).size() == 1);
    REQUIRE(tap.truncated());
    CHECK(tap.truncated()->find("at byte " + std::to_string(head.size())) != std::string::npos);
  }
}

TEST_CASE("blocks are taken up to the limit; longer ones that hold no packet are passed over") {
  const TemporaryFolder folder;
  const Pcapng ng;
  const std::size_t longest_block = (std::size_t{16} << 20) + 4096;
  const std::string head = ng.section() + ng.interface(12) + ng.packet(0, query), tail = ng.packet(0, query);
  for (const int beyond : {-4, 0, 4}) {
    CAPTURE(beyond);
    const std::string filler(longest_block - 12 + static_cast<std::size_t>(beyond + 4) - 4, 'f');
    FileTap other(folder.file("long.pcapng", head + ng.block(0x0bad, filler) + tail));
    CHECK(read_all(other).size() == 2);
    CHECK_FALSE(other.truncated());
    FileTap packets(folder.file("long.pcapng", head + ng.block(6, filler) + tail));
    CHECK(read_all(packets).size() == (beyond > 0 ? 1 : 2));  // within the limit it is damaged, beyond it is no block
    CHECK(packets.truncated());
  }
}

TEST_CASE("an interface of an unknown link type costs its own packets only, and all of them where it is alone") {
  const TemporaryFolder folder;
  const Pcapng ng;
  StreamLog log;
  Reassembler reassembler(log);
  FileTap mixed(folder.file("radio.pcapng", ng.section() + ng.interface(127) + ng.interface(12) + ng.packet(0, "radio") + ng.packet(1, query)));
  PacketView packet;
  while (mixed.next(packet) == Tap::Read::packet) reassembler.feed(packet);
  CHECK(reassembler.stats().segments == 1);
  CHECK(reassembler.stats().not_segments[static_cast<std::size_t>(NotSegment::unsupported_link)] == 1);
  const std::string alone = failure_of(folder.file("alone.pcapng", ng.section() + ng.interface(127) + ng.packet(0, "radio")));
  CHECK(alone.find("127") != std::string::npos);
  CHECK(alone.find("Ethernet") != std::string::npos);
}

TEST_CASE("a filter is compiled for each link type") {
  const TemporaryFolder folder;
  const Pcapng ng;
  const std::string other = ip_packet({.destination = v4(2, 80), .options{}}, "GET");
  FileTap tap(folder.file("filter.pcapng", ng.section() + ng.interface(1) + ng.interface(113) + ng.packet(0, ethernet(0x0800, other)) +
                                               ng.packet(1, with_link(link_type::linux_sll, other)) + ng.packet(0, ethernet(0x0800, query)) +
                                               ng.packet(1, with_link(link_type::linux_sll, query))),
              "tcp port 3306");
  PacketView packet;
  REQUIRE(tap.next(packet) == Tap::Read::packet);
  CHECK(packet.number == PacketNumber{3});
  REQUIRE(tap.next(packet) == Tap::Read::packet);
  CHECK(packet.number == PacketNumber{4});
  CHECK(tap.next(packet) == Tap::Read::end);
}

TEST_CASE("more interfaces than the limit are damage, not memory") {
  const TemporaryFolder folder;
  const Pcapng ng;
  constexpr std::uint32_t most_interfaces = 4096;
  for (const std::uint32_t count : {most_interfaces - 1, most_interfaces, most_interfaces + 1}) {
    std::string file = ng.section();
    for (std::uint32_t i = 0; i < count; ++i) file += ng.interface(12);
    FileTap tap(folder.file("many.pcapng", file + ng.packet(count - 1, query)));
    CHECK(read_all(tap).size() == (count > most_interfaces ? 0 : 1));
    CHECK(tap.truncated().has_value() == (count > most_interfaces));
  }
}
