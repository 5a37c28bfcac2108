#include "capture/segment.h"

#include <random>
#include <tuple>

#include "test_support/catch.h"
#include "test_support/packets.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;

namespace {

constexpr LinkType supported[] = {link_type::null, link_type::ethernet, link_type::raw,  link_type::loop,
                                  link_type::ipv4, link_type::ipv6,     link_type::linux_sll, link_type::linux_sll2,
                                  LinkType{14},    LinkType{101}};

SegmentView decoded(const std::string& bytes, LinkType link = link_type::ethernet) {
  const auto segment = decode_segment(packet_view(bytes, link));
  REQUIRE(segment.has_value());
  return *segment;
}

NotSegment refused(const std::string& bytes, LinkType link = link_type::ethernet) {
  const auto segment = decode_segment(packet_view(bytes, link));
  REQUIRE_FALSE(segment.has_value());
  return segment.error();
}

const TcpFields usual{.sequence = 0xfffffff0, .acknowledgement = 77, .flags = ack | fin};

std::string ethernet_v4(const Ipv4Fields& ip, std::string_view payload = "select 1") {
  return ethernet(0x0800, ipv4_packet(usual, tcp_segment(usual, payload), ip));
}

}  // namespace

TEST_CASE("every supported link type carries IPv4 and IPv6 segments") {
  const TcpFields in_v6{.source = v6(1, 40000), .destination = v6(2, 3306), .sequence = 5, .acknowledgement = 6};
  for (const LinkType link : supported) {
    CAPTURE(link.value);
    REQUIRE(is_supported(link));
    const std::string first = with_link(link, ip_packet(usual, "select 1")), second = with_link(link, ip_packet(in_v6, "select 2"));
    const SegmentView four = decoded(first, link);
    CHECK(four.source == usual.source);
    CHECK(four.destination == usual.destination);
    CHECK(four.sequence == 0xfffffff0);
    CHECK(four.acknowledgement == 77);
    CHECK(four.flags.fin());
    CHECK(four.flags.ack());
    CHECK_FALSE(four.flags.syn());
    CHECK(four.window == 65535);
    CHECK(as_text(four.payload) == "select 1");
    const SegmentView six = decoded(second, link);
    CHECK(to_string(six.destination) == "[2001:db8::2]:3306");
    CHECK(as_text(six.payload) == "select 2");
  }
}

TEST_CASE("an unknown link type is refused") {
  CHECK_FALSE(is_supported(LinkType{127}));
  CHECK(refused(ethernet_v4({}), LinkType{127}) == NotSegment::unsupported_link);
}

TEST_CASE("VLAN tags are stepped over, up to four of them") {
  std::string tagged = be16(1) + be16(0x0800) + ip_packet(usual, "x");
  CHECK(as_text(decoded(ethernet(0x8100, tagged)).payload) == "x");
  CHECK(as_text(decoded(ethernet(0x88a8, be16(9) + be16(0x8100) + tagged)).payload) == "x");
  for (int tags = 1; tags < 4; ++tags) tagged = be16(9) + be16(0x8100) + tagged;
  CHECK(as_text(decoded(ethernet(0x8100, tagged)).payload) == "x");
  CHECK(refused(ethernet(0x8100, be16(9) + be16(0x8100) + tagged)) == NotSegment::not_ip);
}

TEST_CASE("Ethernet padding behind the IP packet is not payload") {
  const std::string padded = ethernet_v4({}, "") + std::string(6, 'P');
  CHECK(decoded(padded).payload.empty());
  CHECK(decoded(padded).cut == 0);
}

TEST_CASE("an IPv4 length of zero means the rest of the packet") {
  const std::string offloaded = ethernet_v4({.total_length = 0}, "big one");
  CHECK(as_text(decoded(offloaded).payload) == "big one");
}

TEST_CASE("IPv4 and TCP options are stepped over") {
  const TcpFields with_options{.options = std::string(12, '\1')};
  const std::string bytes = ethernet(0x0800, ipv4_packet(with_options, tcp_segment(with_options, "x"), {.options = std::string(40, '\1')}));
  CHECK(as_text(decoded(bytes).payload) == "x");
}

TEST_CASE("IPv6 extension headers are stepped over") {
  const TcpFields tcp{.source = v6(1, 1), .destination = v6(2, 2)};
  const std::string hop{60, 0, 1, 4, 0, 0, 0, 0}, destination{51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::string authentication = std::string{44, 4} + std::string(22, '\0');
  const std::string atomic{6, 0, 0, 0, 0, 0, 0, 1};
  const std::string bytes =
      ethernet(0x86dd, ipv6_packet(tcp, tcp_segment(tcp, "x"), 0, hop + destination + authentication + atomic));
  CHECK(as_text(decoded(bytes).payload) == "x");

  const std::string piece{6, 0, 0, 1, 0, 0, 0, 1};
  CHECK(refused(ethernet(0x86dd, ipv6_packet(tcp, tcp_segment(tcp, "x"), 44, piece))) == NotSegment::fragment);
  CHECK(refused(ethernet(0x86dd, ipv6_packet(tcp, tcp_segment(tcp, "x"), 17))) == NotSegment::not_tcp);
  std::string endless;
  for (int i = 0; i < 20; ++i) endless += std::string{60, 0, 1, 4, 0, 0, 0, 0};
  CHECK(refused(ethernet(0x86dd, ipv6_packet(tcp, tcp_segment(tcp, "x"), 60, endless))) == NotSegment::malformed);
}

TEST_CASE("what is not a TCP segment says why") {
  CHECK(refused(ethernet(0x0806, std::string(28, '\0'))) == NotSegment::not_ip);
  CHECK(refused(ethernet(0x0026, std::string(38, '\0'))) == NotSegment::not_ip);  // 802.3 length
  CHECK(refused(ethernet_v4({.protocol = 17})) == NotSegment::not_tcp);
  CHECK(refused(ethernet_v4({.fragment = 0x2000})) == NotSegment::fragment);
  CHECK(refused(ethernet_v4({.fragment = 0x0010})) == NotSegment::fragment);
  CHECK(decoded(ethernet_v4({.fragment = 0x4000})).flags.ack());  // don't fragment
  CHECK(refused(ethernet_v4({.total_length = 10})) == NotSegment::malformed);
  CHECK(refused(ethernet_v4({.total_length = 39})) == NotSegment::malformed);
  std::string short_offset = ethernet_v4({});
  short_offset[14 + 20 + 12] = 0x40;
  CHECK(refused(short_offset) == NotSegment::malformed);
  CHECK(refused("") == NotSegment::truncated);
}

TEST_CASE("bytes behind the snapshot length are counted as cut") {
  const std::string whole = ethernet_v4({}, "0123456789");
  for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
    PacketView packet = packet_view(whole);
    packet.data = packet.data.first(kept);
    const auto segment = decode_segment(packet);
    CAPTURE(kept);
    if (kept < 14 + 20 + 20) {
      REQUIRE_FALSE(segment.has_value());
      CHECK(segment.error() == NotSegment::truncated);
    } else {
      REQUIRE(segment.has_value());
      CHECK(segment->payload.size() == kept - 54);
      CHECK(segment->payload.size() + segment->cut == 10);
    }
  }
}

TEST_CASE("a snapshot that ends in the TCP options leaves a segment without payload") {
  const TcpFields with_options{.options = std::string(12, '\1')};
  const std::string whole = ethernet(0x0800, ipv4_packet(with_options, tcp_segment(with_options, "0123456789")));
  PacketView packet = packet_view(whole);
  packet.data = packet.data.first(14 + 20 + 20 + 4);
  const auto segment = decode_segment(packet);
  REQUIRE(segment.has_value());
  CHECK(segment->payload.empty());
  CHECK(segment->cut == 10);
}

// The decoder has a short way for the shape that nearly all packets have; decode_segment() has not.
TEST_CASE("the short way reads a packet as the long way does, or leaves it alone") {
  std::minstd_rand random(20261121);
  const TcpFields in_v6{.source = v6(1, 40000), .destination = v6(2, 3306), .sequence = 5, .acknowledgement = 6, .options = std::string(12, '\1')};
  std::vector<std::pair<LinkType, std::string>> packets;
  for (const LinkType link : supported) {
    for (const TcpFields& fields : {usual, in_v6}) {
      packets.emplace_back(link, with_link(link, ip_packet(fields, "select 1")));
      packets.emplace_back(link, with_link(link, ip_packet(fields, "")));
      packets.emplace_back(link, with_link(link, ip_packet(fields, "padded")) + std::string(6, '\0'));
    }
  }
  SegmentDecoder decoder;
  std::size_t segments = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto [link, bytes] = packets[random() % packets.size()];
    for (std::size_t flips = random() % 3; flips > 0; --flips) bytes[random() % std::min<std::size_t>(bytes.size(), 80)] = static_cast<char>(random());
    PacketView packet = packet_view(bytes, link);
    if (random() % 4 == 0) packet.data = packet.data.first(random() % (bytes.size() + 1));
    const auto longer = decode_segment(packet), shorter = decoder.decode(packet);
    if (!longer && longer.error() == NotSegment::fragment) continue;  // the decoder puts fragments together
    REQUIRE(shorter.has_value() == longer.has_value());
    if (!longer) {
      CHECK(shorter.error() == longer.error());
      continue;
    }
    ++segments;
    REQUIRE(shorter->source == longer->source);
    REQUIRE(shorter->destination == longer->destination);
    REQUIRE(std::tuple(shorter->sequence, shorter->acknowledgement, shorter->window, shorter->flags.bits, shorter->cut, shorter->time, shorter->packet) ==
            std::tuple(longer->sequence, longer->acknowledgement, longer->window, longer->flags.bits, longer->cut, longer->time, longer->packet));
    REQUIRE(as_text(shorter->payload) == as_text(longer->payload));
  }
  CHECK(segments > 10'000);
}
