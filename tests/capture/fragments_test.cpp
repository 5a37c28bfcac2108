// Fragmented packets, through the decoder and into the reassembler.
#include <algorithm>
#include <numeric>

#include "capture/fragments.h"
#include "capture/reassembler.h"
#include "capture/segment.h"
#include "test_support/catch.h"
#include "test_support/packets.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using namespace std::chrono_literals;

namespace {

const TcpFields tcp{.sequence = 9, .acknowledgement = 8, .flags = ack};
const TcpFields tcp_v6{.source = v6(1, 40000), .destination = v6(2, 3306), .sequence = 9, .acknowledgement = 8, .flags = ack};
const std::string text = "select one, two, three from a table whose name is long enough for pieces";

// The packet's transport part in pieces of `size` bytes (a multiple of eight).
std::vector<std::string> pieces_v4(const TcpFields& fields, const std::string& transport, std::size_t size, std::uint16_t id = 7, std::uint8_t protocol = 6) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < transport.size(); at += size) {
    const bool last = at + size >= transport.size();
    const auto fragment = static_cast<std::uint16_t>(at / 8 | (last ? 0 : 0x2000));
    out.push_back(ethernet(0x0800, ipv4_packet(fields, transport.substr(at, size), {.fragment = fragment, .protocol = protocol, .id = id})));
  }
  return out;
}
std::vector<std::string> pieces_v6(const TcpFields& fields, const std::string& transport, std::size_t size) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < transport.size(); at += size) {
    const bool last = at + size >= transport.size();
    const std::string header = std::string{6, 0} + be16(at | (last ? 0 : 1)) + be32(77);
    out.push_back(ethernet(0x86dd, ipv6_packet(fields, transport.substr(at, size), 44, header)));
  }
  return out;
}

// How many segments came out, and the last one's payload.
struct Outcome {
  int segments = 0;
  std::string payload;
  std::uint32_t cut = 0;
};
Outcome decode_all(SegmentDecoder& decoder, const std::vector<std::string>& packets, std::chrono::nanoseconds step = 1ms) {
  Outcome outcome;
  CaptureTime time{};
  for (const std::string& packet : packets) {
    const auto segment = decoder.decode(packet_view(packet, link_type::ethernet, 1, time += step));
    if (!segment) {
      CHECK(segment.error() == NotSegment::fragment);
      continue;
    }
    ++outcome.segments;
    outcome.payload = as_text(segment->payload);
    outcome.cut = segment->cut;
  }
  return outcome;
}

Fragments::Piece piece(std::uint32_t id, std::size_t offset, Bytes bytes, bool last, CaptureTime time = {}) {
  return {.key = {{}, {}, id, 6}, .offset = offset, .place = last ? Fragments::Piece::Place::last : Fragments::Piece::Place::more_follow, .protocol = 6, .bytes = bytes, .time = time};
}

}  // namespace

TEST_CASE("a fragmented packet is one segment, whatever the order of its pieces") {
  for (const bool is_v6 : {false, true}) {
    const TcpFields& fields = is_v6 ? tcp_v6 : tcp;
    const std::string segment = tcp_segment(fields, text);
    std::vector<std::string> pieces = is_v6 ? pieces_v6(fields, segment, 32) : pieces_v4(fields, segment, 32);
    REQUIRE(pieces.size() == 3);
    std::sort(pieces.begin(), pieces.end());
    do {
      SegmentDecoder decoder;
      const Outcome outcome = decode_all(decoder, pieces);
      CHECK(outcome.segments == 1);
      CHECK(outcome.payload == text);
      CHECK(decoder.fragments().whole == 1);
      CHECK(decoder.fragments().pieces == 3);
    } while (std::next_permutation(pieces.begin(), pieces.end()));
  }
}

TEST_CASE("doubled pieces are copies: one segment, and none is mixed into the next packet of the same id") {
  std::vector<std::string> doubled;
  for (const std::string& one : pieces_v4(tcp, tcp_segment(tcp, text), 32)) doubled.insert(doubled.end(), 2, one);
  SegmentDecoder decoder;
  CHECK(decode_all(decoder, doubled).segments == 1);
  CHECK(decoder.fragments().copies == 3);
  CHECK(decoder.fragments().overlapping == 0);
}

TEST_CASE("a tunnel whose packets were fragmented is unwrapped, also with fragments inside") {
  const std::string frame = ethernet(0x0800, ip_packet(tcp, text));
  SegmentDecoder decoder;
  CHECK(decode_all(decoder, pieces_v4(tcp, udp_datagram(4789, vxlan(frame)), 48, 9, 17)).payload == text);
  std::vector<std::string> packets;
  std::uint16_t id = 100;
  for (const std::string& inner : pieces_v4(tcp, tcp_segment(tcp, text), 32)) {
    for (const std::string& piece : pieces_v4(tcp, udp_datagram(4789, vxlan(inner)), 40, ++id, 17)) packets.push_back(piece);
  }
  const Outcome outcome = decode_all(decoder, packets);
  CHECK(outcome.segments == 1);
  CHECK(outcome.payload == text);
}

TEST_CASE("pieces that overlap or contradict each other end the packet, counted once") {
  const std::string bytes(64, 'x');
  const Bytes all = as_bytes(bytes);
  const std::vector<std::vector<Fragments::Piece>> attacks = {
      {piece(1, 0, all.first(16), false), piece(1, 8, all.first(16), false), piece(1, 24, all.first(8), true)},   // tail in head
      {piece(1, 8, all.first(16), false), piece(1, 0, all.first(16), false), piece(1, 24, all.first(8), true)},   // head in tail
      {piece(1, 0, all.first(32), false), piece(1, 8, all.first(8), false), piece(1, 32, all.first(8), true)},    // inside
      {piece(1, 8, all.first(8), false), piece(1, 0, all.first(32), false), piece(1, 32, all.first(8), true)},    // around
      {piece(1, 0, all.first(16), false), piece(1, 0, all.first(24), false), piece(1, 24, all.first(8), true)},   // same start
      {piece(1, 16, all.first(8), true), piece(1, 24, all.first(8), false), piece(1, 0, all.first(16), false)},   // beyond the end
      {piece(1, 16, all.first(8), true), piece(1, 32, all.first(8), true), piece(1, 0, all.first(16), false)},    // two ends
      {piece(1, 32, all.first(8), false), piece(1, 16, all.first(8), true), piece(1, 0, all.first(16), false)},   // the end cuts one off
  };
  for (const auto& attack : attacks) {
    Fragments fragments;
    for (const Fragments::Piece& one : attack) CHECK_FALSE(fragments.add(one));
    CHECK(fragments.stats().overlapping == 1);
    CHECK(fragments.buffered() == 0);
  }
}

TEST_CASE("pieces that IP doesn't allow end the packet") {
  const std::string bytes(70'000, 'x');
  for (const Fragments::Piece& bad : {piece(1, 8, as_bytes(bytes).first(12), false), piece(1, 0, {}, false), piece(1, 65'528, as_bytes(bytes).first(16), true)}) {
    Fragments fragments;
    CHECK_FALSE(fragments.add(bad));
    CHECK(fragments.stats().malformed == 1);
  }
  Fragments fragments;
  CHECK_FALSE(fragments.add(piece(1, 65'520, as_bytes(bytes).first(15), true)));
  CHECK(fragments.add(piece(1, 0, as_bytes(bytes).first(65'520), false)));
}

TEST_CASE("what the snapshot length cut from a piece is cut from the segment, with all behind it") {
  const std::vector<std::string> pieces = pieces_v4(tcp, tcp_segment(tcp, text), 32);
  SegmentDecoder decoder;
  PacketView first = packet_view(pieces[0]);
  first.data = first.data.first(first.data.size() - 4);
  CHECK_FALSE(decoder.decode(first));
  CHECK_FALSE(decoder.decode(packet_view(pieces[1])));
  const auto segment = decoder.decode(packet_view(pieces[2]));
  REQUIRE(segment);
  CHECK(as_text(segment->payload) == text.substr(0, 8));
  CHECK(segment->cut == text.size() - 8);
}

TEST_CASE("memory for fragments is limited: in packets, in bytes and in pieces, each counted") {
  const std::string bytes(64, 'x');
  for (const std::uint32_t packets : {3u, 4u, 5u}) {  // the limit is four
    Fragments fragments(FragmentLimits{.packets = 4});
    for (std::uint32_t id = 1; id <= packets; ++id) fragments.add(piece(id, 0, as_bytes(bytes), false));
    CHECK(fragments.stats().evicted == (packets > 4 ? 1 : 0));
    CHECK(fragments.add(piece(1, 64, as_bytes(bytes), true)).has_value() == (packets <= 4));  // the oldest is the one that goes
  }
  for (const std::size_t size : {std::size_t{56}, std::size_t{64}, std::size_t{72}}) {  // the limit is 128 with the 64 before
    Fragments fragments(FragmentLimits{.bytes = 128});
    const std::string other(size, 'y');
    fragments.add(piece(1, 0, as_bytes(bytes), false));
    fragments.add(piece(2, 0, as_bytes(other), false));
    CHECK(fragments.stats().evicted == (size > 64 ? 1 : 0));
    CHECK(fragments.buffered() <= 128);
  }
  for (const std::size_t count : {3u, 4u, 5u}) {
    Fragments fragments(FragmentLimits{.pieces = 4});
    for (std::size_t i = 0; i + 1 < count; ++i) fragments.add(piece(1, i * 8, as_bytes(bytes).first(8), false));
    CHECK(fragments.add(piece(1, (count - 1) * 8, as_bytes(bytes).first(8), true)).has_value() == (count <= 4));
    CHECK(fragments.stats().evicted == (count > 4 ? 1 : 0));
  }
}

TEST_CASE("pieces wait as long as the limit says, and copies are known as long") {
  const std::string bytes(8, 'x');
  for (const auto wait : {999ms, 1000ms, 1001ms}) {
    Fragments fragments(FragmentLimits{.time = 1s});
    fragments.add(piece(1, 0, as_bytes(bytes), false, CaptureTime(5s)));
    CHECK(fragments.add(piece(1, 8, as_bytes(bytes), true, CaptureTime(5s + wait))).has_value() == (wait < 1000ms));
    CHECK(fragments.stats().incomplete == (wait < 1000ms ? 0 : 1));
  }
  Fragments fragments(FragmentLimits{.remembered = 1s});
  fragments.add(piece(1, 0, as_bytes(bytes), false, CaptureTime(5s)));
  CHECK(fragments.add(piece(1, 8, as_bytes(bytes), true, CaptureTime(5s))));
  fragments.add(piece(1, 0, as_bytes(bytes), false, CaptureTime(5s + 500ms)));
  CHECK(fragments.stats().copies == 1);
  fragments.add(piece(1, 0, as_bytes(bytes), false, CaptureTime(6s + 500ms)));  // the id is used again
  CHECK(fragments.add(piece(1, 8, as_bytes(bytes), true, CaptureTime(6s + 500ms))));
}

TEST_CASE("a piece that never comes is a gap") {
  StreamLog log;
  Reassembler reassembler(log);
  std::uint64_t number = 0;
  const auto feed = [&](const std::string& packet) {
    ++number;
    reassembler.feed(packet_view(packet, link_type::ethernet, number, CaptureTime(std::chrono::milliseconds(number))));
  };
  TcpFields next = tcp;
  feed(ethernet(0x0800, ip_packet(next, "first")));
  next.sequence += 5;
  const auto pieces = pieces_v4(next, tcp_segment(next, text), 32);
  feed(pieces[0]);
  feed(pieces[2]);
  next.sequence += static_cast<std::uint32_t>(text.size());
  feed(ethernet(0x0800, ip_packet(next, "last")));
  reassembler.finish(CaptureTime(10s));
  CHECK(reassembler.stats().lost_bytes == text.size());
  CHECK(reassembler.stats().gaps == 1);
  CHECK(reassembler.fragments().pieces == 2);
  CHECK(reassembler.stats().not_segments[static_cast<std::size_t>(NotSegment::fragment)] == 2);
}
