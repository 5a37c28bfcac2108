#include "capture/tap.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "capture/reassembler.h"
#include "capture_files.h"
#include "test_support/catch.h"
#include "test_support/corpus.h"
#include "test_support/packets.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string query = ethernet(0x0800, ip_packet({.options{}}, "query"));

int count_packets(FileTap& tap) {
  PacketView packet;
  int count = 0;
  while (tap.next(packet) == Tap::Read::packet) ++count;
  return count;
}

// The line of the failure that the action ends with.
std::string failure_of(FailureKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    CHECK(failure.kind() == kind);
    CHECK(std::string(failure.what()).find('\n') == std::string::npos);
    return failure.what();
  }
  FAIL("expected a failure");
  return {};
}
std::string environment_failure(const std::string& path) {
  return failure_of(FailureKind::environment, [&] {
    FileTap tap(path);
    count_packets(tap);
  });
}
bool mentions(const std::string& line, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (line.find(part) == std::string::npos) {
      UNSCOPED_INFO("'" << line << "' lacks '" << part << "'");
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("nanosecond and microsecond files give exact times, numbers and bytes") {
  const TemporaryFolder folder;
  FileTap nano(folder.file("n.pcap", pcap_header() + record(query) + record(query, 1700000001, 5)));
  PacketView packet;
  REQUIRE(nano.next(packet) == Tap::Read::packet);
  CHECK(to_rfc3339(packet.time) == "2023-11-14T22:13:20.123456789Z");
  CHECK(packet.number == PacketNumber{1});
  CHECK(packet.link == link_type::ethernet);
  CHECK(packet.wire_length == query.size());
  CHECK(as_text(packet.data) == query);
  REQUIRE(nano.next(packet) == Tap::Read::packet);
  CHECK(to_rfc3339(packet.time) == "2023-11-14T22:13:21.000000005Z");
  CHECK(packet.number == PacketNumber{2});
  CHECK(nano.next(packet) == Tap::Read::end);
  CHECK_FALSE(nano.truncated());
  CHECK(nano.counts().packets == 2);

  FileTap micro(folder.file("u.pcap", pcap_header(1, 0xa1b2c3d4) + record(query, 1700000000, 123456)));
  REQUIRE(micro.next(packet) == Tap::Read::packet);
  CHECK(to_rfc3339(packet.time) == "2023-11-14T22:13:20.123456000Z");

  FileTap next_generation(folder.file("ng.pcapng", Pcapng().section() + Pcapng().interface(1) + Pcapng().packet(0, query)));
  CHECK(count_packets(next_generation) == 1);
}

TEST_CASE("a file that ends inside a packet is read to its end and says so") {
  const TemporaryFolder folder;
  const std::string whole = pcap_header() + record(query) + record(query);
  for (const std::size_t missing : {std::size_t{1}, query.size(), query.size() + 15}) {
    FileTap tap(folder.file("cut.pcap", whole.substr(0, whole.size() - missing)));
    CHECK(count_packets(tap) == 1);
    REQUIRE(tap.truncated());
    CHECK(mentions(*tap.truncated(), {"cut.pcap", "after packet 1"}));
  }
  FileTap broken(folder.file("broken.pcap", pcap_header() + record(query) + std::string(40, '\xff')));
  CHECK(count_packets(broken) == 1);
  CHECK(broken.truncated());
  FileTap exact(folder.file("exact.pcap", whole));
  CHECK(count_packets(exact) == 2);
  CHECK_FALSE(exact.truncated());
}

TEST_CASE("a capture without packets is fine, and empty") {
  const TemporaryFolder folder;
  FileTap tap(folder.file("none.pcap", pcap_header()));
  CHECK(count_packets(tap) == 0);
  CHECK_FALSE(tap.truncated());
}

TEST_CASE("what can't be read at all fails with one line that names the file and the remedy") {
  const TemporaryFolder folder;
  CHECK(mentions(environment_failure(folder.path / "missing.pcap"), {"missing.pcap", "no such file"}));
  CHECK(mentions(environment_failure(folder.path), {"folder"}));
  CHECK(mentions(environment_failure(folder.file("empty.pcap", "")), {"empty.pcap", "empty file"}));
  CHECK(mentions(environment_failure(folder.file("text.pcap", "SELECT 1;\n and more text than a header has")), {"text.pcap", "expected a pcap"}));
  CHECK(mentions(environment_failure(folder.file("short.pcap", pcap_header().substr(0, 11))), {"short.pcap", "ends before its first packet"}));
  CHECK(mentions(environment_failure(folder.file("half.pcap", pcap_header() + record(query).substr(0, 30))), {"half.pcap", "before its first packet"}));
  CHECK(mentions(environment_failure(folder.file("headers.pcap", pcap_header() + record(query).substr(0, 16))),
                 {"headers.pcap", "before its first packet"}));
  CHECK(mentions(environment_failure(folder.file("zipped.pcap", "\x1f\x8b\x08 zipped")), {"zipped.pcap", "gzip", "gunzip"}));
  CHECK(mentions(environment_failure(folder.file("wifi.pcap", pcap_header(127) + record(query))), {"wifi.pcap", "127", "IEEE802_11_RADIO", "Ethernet"}));
  if (geteuid() != 0) {
    const std::string secret = folder.file("secret.pcap", pcap_header());
    fs::permissions(secret, fs::perms::none);
    CHECK(mentions(environment_failure(secret), {"secret.pcap", "permission denied"}));
  }
}

TEST_CASE("a filter drops packets but not their numbers; a bad one is the user's mistake") {
  const TemporaryFolder folder;
  const std::string other = ethernet(0x0800, ip_packet({.destination = v4(2, 80), .options{}}, "GET"));
  const std::string path = folder.file("f.pcap", pcap_header() + record(other) + record(query) + record(other));
  FileTap tap(path, "tcp port 3306");
  PacketView packet;
  REQUIRE(tap.next(packet) == Tap::Read::packet);
  CHECK(packet.number == PacketNumber{2});
  CHECK(tap.next(packet) == Tap::Read::end);
  CHECK(mentions(failure_of(FailureKind::usage, [&] { FileTap(path, "tcp prot 3306"); }), {"f.pcap", "tcp prot 3306", "pcap-filter"}));
}

TEST_CASE("a stopped file tap ends") {
  const TemporaryFolder folder;
  FileTap tap(folder.file("s.pcap", pcap_header() + record(query) + record(query)));
  PacketView packet;
  REQUIRE(tap.next(packet) == Tap::Read::packet);
  tap.stop();
  CHECK(tap.next(packet) == Tap::Read::end);
  CHECK_FALSE(tap.truncated());
}

TEST_CASE("standard input is a capture file like any other") {
  const TemporaryFolder folder;
  const std::string path = folder.file("in.pcap", pcap_header() + record(query));
  const int kept = dup(0);
  REQUIRE(std::freopen(path.c_str(), "rb", stdin) != nullptr);
  {
    FileTap tap("-");
    CHECK(tap.name() == "standard input");
    CHECK(count_packets(tap) == 1);
  }
  dup2(kept, 0);
  close(kept);
}

TEST_CASE("hostile time stamps stay within what a capture time can tell") {
  const TemporaryFolder folder;
  FileTap tap(folder.file("t.pcap", pcap_header() + record(query, 0xffffffff, 0xffffffff) + record(query, 0, 0)));
  CHECK(count_packets(tap) == 2);
}

TEST_CASE("every capture of the corpus is read, and its stream bytes add up") {
  const auto root = corpus_path("captures");
  if (!root) DARKTAP_SKIP("no captures: set DARKTAP_CORPUS to the folder that holds captures/");
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(*root)) {
    const std::string extension = entry.path().extension();
    if (extension != ".pcap" && extension != ".pcapng") continue;
    CAPTURE(entry.path().string());
    ++files;
    StreamLog log;
    log.keep_lines = false;
    Reassembler reassembler(log);
    FileTap tap(entry.path().string());
    PacketView packet;
    std::uint64_t payload = 0;
    while (tap.next(packet) == Tap::Read::packet) {
      reassembler.feed(packet);
      if (const auto segment = decode_segment(packet)) payload += segment->payload.size() + segment->cut;
    }
    reassembler.finish(packet.time);
    const ReassemblerStats& stats = reassembler.stats();
    std::uint64_t delivered = 0, gap_bytes = 0;
    for (const auto& [id, connection] : log.connections) {
      CHECK(connection.end.has_value());
      for (const auto& side : connection.sides) gap_bytes += side.gap_bytes;
      for (const auto& side : connection.sides) delivered += side.bytes.size();
    }
    CHECK(stats.packets == tap.counts().packets);
    CHECK(stats.segments > 0);
    CHECK(stats.buffered == 0);
    CHECK(delivered == stats.payload_bytes + gap_bytes);
    CHECK(stats.lost_bytes <= gap_bytes);
    // Bytes that were cut count on both sides: as payload of a segment and as a gap.
    CHECK(stats.payload_bytes + stats.duplicate_bytes <= payload);
    if (gap_bytes == 0) CHECK(stats.payload_bytes + stats.duplicate_bytes == payload);
  }
  CHECK(files > 80);
}
