// Tunnels, layer by layer: every header that a mirrored packet may be wrapped in, with real bytes.
#include <functional>

#include "capture/reassembler.h"
#include "capture/segment.h"
#include "conversation.h"
#include "test_support/catch.h"
#include "test_support/packets.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;

namespace {

const TcpFields inner_tcp{.source = v4(11, 50000), .destination = v4(12, 3306), .sequence = 9, .acknowledgement = 8, .flags = ack};
const TcpFields inner_tcp_v6{.source = v6(11, 50000), .destination = v6(12, 3306), .sequence = 9, .acknowledgement = 8, .flags = ack};
const std::string inner_ip = ip_packet(inner_tcp, "select 1"), inner_ip_v6 = ip_packet(inner_tcp_v6, "select 1");
const std::string inner_frame = ethernet(0x0800, inner_ip), inner_tagged = ethernet(0x8100, be16(3) + be16(0x0800) + inner_ip);

const TcpFields outer{.source = v4(1, 1), .destination = v4(2, 2)}, outer_v6{.source = v6(1, 1), .destination = v6(2, 2)};

std::string in_ipv4(std::uint8_t protocol, const std::string& payload) { return ethernet(0x0800, ipv4_packet(outer, payload, {.protocol = protocol})); }
std::string in_ipv6(std::uint8_t protocol, const std::string& payload) { return ethernet(0x86dd, ipv6_packet(outer_v6, payload, protocol)); }
std::string gre(std::uint16_t flags, std::uint16_t type, const std::string& payload) {
  std::string header = be16(flags) + be16(type);
  if (flags & 0x8000) header += be32(0xbeef0000);
  if (flags & 0x2000) header += be32(0x00123456);
  if (flags & 0x1000) header += be32(41);
  return header + payload;
}
std::string geneve(std::uint16_t type, const std::string& options, const std::string& payload) {
  return std::string{static_cast<char>(options.size() / 4), 0} + be16(type) + be32(7 << 8) + options + payload;
}
std::string vxlan_gpe(std::uint8_t next, const std::string& payload) { return std::string{0x0c, 0, 0, static_cast<char>(next)} + be32(7 << 8) + payload; }
std::string erspan_2(const std::string& frame) { return be16(0x1005) + be16(0x0064) + be32(1) + frame; }
// Frame type 0: Ethernet, 2: IP; the platform's subheader where its bit is set.
std::string erspan_3(std::uint8_t frame_type, bool has_subheader, const std::string& payload) {
  std::string header = be16(0x2005) + be16(0x0064) + be32(123456) + be16(0);
  header += static_cast<char>(frame_type << 2);
  header += static_cast<char>(has_subheader ? 1 : 0);
  return header + (has_subheader ? std::string(8, '\5') : "") + payload;
}

void check_inner(const std::string& packet) {
  const auto segment = decode_segment(packet_view(packet));
  REQUIRE(segment.has_value());
  CHECK((segment->source == inner_tcp.source || segment->source == inner_tcp_v6.source));
  CHECK(segment->destination.port == 3306);
  CHECK(segment->sequence == 9);
  CHECK(as_text(segment->payload) == "select 1");
  CHECK(segment->cut == 0);
}
NotSegment refused(const std::string& packet) {
  const auto segment = decode_segment(packet_view(packet));
  REQUIRE_FALSE(segment.has_value());
  return segment.error();
}

struct Wrapping {
  const char* name;
  std::string transport;
  std::uint8_t protocol;
};
std::vector<Wrapping> wrappings() {
  return {
      {"VXLAN", udp_datagram(4789, vxlan(inner_frame)), 17},
      {"VXLAN on Linux's old port", udp_datagram(8472, vxlan(inner_frame)), 17},
      {"VXLAN around a VLAN tag", udp_datagram(4789, vxlan(inner_tagged)), 17},
      {"VXLAN with padding behind the inner packet", udp_datagram(4789, vxlan(inner_frame + std::string(6, '\0'))), 17},
      {"VXLAN-GPE around IPv4", udp_datagram(4790, vxlan_gpe(1, inner_ip)), 17},
      {"VXLAN-GPE around IPv6", udp_datagram(4790, vxlan_gpe(2, inner_ip_v6)), 17},
      {"VXLAN-GPE around Ethernet", udp_datagram(4790, vxlan_gpe(3, inner_frame)), 17},
      {"plain VXLAN on the generic port", udp_datagram(4790, vxlan(inner_frame)), 17},
      {"Geneve", udp_datagram(6081, geneve(0x6558, "", inner_frame)), 17},
      {"Geneve with options, around IPv6", udp_datagram(6081, geneve(0x86dd, std::string(12, '\1'), inner_ip_v6)), 17},
      {"GRE around IPv4", gre(0, 0x0800, inner_ip), 47},
      {"GRE around IPv6", gre(0, 0x86dd, inner_ip_v6), 47},
      {"GRE with a checksum", gre(0x8000, 0x0800, inner_ip), 47},
      {"GRE with a key", gre(0x2000, 0x0800, inner_ip), 47},
      {"GRE with a sequence number", gre(0x1000, 0x0800, inner_ip), 47},
      {"GRE with all three", gre(0xb000, 0x0800, inner_ip), 47},
      {"GRE around Ethernet", gre(0, 0x6558, inner_frame), 47},
      {"NVGRE", gre(0x2000, 0x6558, inner_frame), 47},
      {"ERSPAN type I", gre(0, 0x88be, inner_frame), 47},
      {"ERSPAN type I around a VLAN tag", gre(0, 0x88be, inner_tagged), 47},
      {"ERSPAN type II", gre(0x1000, 0x88be, erspan_2(inner_frame)), 47},
      {"ERSPAN type III", gre(0x1000, 0x22eb, erspan_3(0, false, inner_frame)), 47},
      {"ERSPAN type III with a subheader", gre(0x1000, 0x22eb, erspan_3(0, true, inner_frame)), 47},
      {"ERSPAN type III around IP", gre(0x1000, 0x22eb, erspan_3(2, true, inner_ip_v6)), 47},
      {"IP in IP", inner_ip, 4},
      {"IPv6 in IP", inner_ip_v6, 41},
  };
}

}  // namespace

TEST_CASE("every tunnel is unwrapped, in IPv4, in IPv6 and behind a VLAN tag") {
  for (const Wrapping& wrapping : wrappings()) {
    CAPTURE(wrapping.name);
    check_inner(in_ipv4(wrapping.protocol, wrapping.transport));
    check_inner(in_ipv6(wrapping.protocol, wrapping.transport));
    check_inner(ethernet(0x8100, be16(3) + be16(0x0800) + ipv4_packet(outer, wrapping.transport, {.protocol = wrapping.protocol})));
  }
}

TEST_CASE("tunnels inside tunnels are unwrapped, four deep and no deeper") {
  for (const Wrapping& first : wrappings()) {
    for (const Wrapping& second : wrappings()) {
      CAPTURE(first.name, second.name);
      const std::string once = in_ipv4(first.protocol, first.transport);
      const std::string whole = udp_datagram(4789, vxlan(once));
      check_inner(in_ipv4(17, whole));
      check_inner(in_ipv4(47, gre(0x1000, 0x88be, erspan_2(in_ipv6(second.protocol, second.transport)))));
    }
  }
  std::string packet = inner_frame;
  for (int tunnels = 1; tunnels <= most_tunnels + 1; ++tunnels) {
    CAPTURE(tunnels);
    packet = in_ipv4(17, udp_datagram(4789, vxlan(packet)));
    if (tunnels <= most_tunnels) check_inner(packet);
    else CHECK(refused(packet) == NotSegment::too_deep);
  }
}

TEST_CASE("what only looks like a tunnel is none") {
  CHECK(refused(in_ipv4(17, udp_datagram(53, vxlan(inner_frame)))) == NotSegment::not_tcp);
  CHECK(refused(in_ipv4(17, udp_datagram(4789, std::string(8, '\0') + inner_frame))) == NotSegment::not_tcp);  // no network id
  CHECK(refused(in_ipv4(17, udp_datagram(6081, std::string("\x40\0\x65\x58\0\0\0\0", 8) + inner_frame))) == NotSegment::not_tcp);
  CHECK(refused(in_ipv4(17, udp_datagram(4790, vxlan_gpe(4, inner_frame)))) == NotSegment::not_tcp);
  CHECK(refused(in_ipv4(47, gre(0x0001, 0x880b, inner_ip))) == NotSegment::not_tcp);  // PPTP
  CHECK(refused(in_ipv4(47, gre(0x4000, 0x0800, inner_ip))) == NotSegment::not_tcp);  // source routes, long forbidden
  CHECK(refused(in_ipv4(47, gre(0, 0x0806, inner_ip))) == NotSegment::not_tcp);
  CHECK(refused(in_ipv4(47, gre(0x1000, 0x22eb, erspan_3(1, false, inner_frame)))) == NotSegment::not_tcp);
  CHECK(refused(in_ipv4(1, "ping")) == NotSegment::not_tcp);
  CHECK(refused(in_ipv4(17, udp_datagram(4789, vxlan(ethernet(0x0806, std::string(28, '\0')))))) == NotSegment::not_ip);
}

TEST_CASE("a tunnel cut anywhere is truncated, or a segment whose rest is cut") {
  for (const Wrapping& wrapping : wrappings()) {
    CAPTURE(wrapping.name);
    const std::string whole = in_ipv4(wrapping.protocol, wrapping.transport);
    for (std::size_t kept = 0; kept < whole.size(); ++kept) {
      CAPTURE(kept);
      PacketView packet = packet_view(whole);
      packet.data = packet.data.first(kept);
      const auto segment = decode_segment(packet);
      if (segment) CHECK(segment->payload.size() + segment->cut == 8);
      else CHECK(segment.error() == NotSegment::truncated);
    }
  }
}

TEST_CASE("a mirror that cuts the inner frame leaves a gap, although the outer packet is whole") {
  const std::string frame = inner_frame.substr(0, inner_frame.size() - 3);
  const std::string packet = in_ipv4(47, gre(0x1000, 0x88be, erspan_2(frame)));
  const auto segment = decode_segment(packet_view(packet));
  REQUIRE(segment);
  CHECK(as_text(segment->payload) == "selec");
  CHECK(segment->cut == 3);
}

TEST_CASE("a connection seen inside and outside of its tunnel is one connection, each byte once") {
  StreamLog log;
  Reassembler reassembler(log, {.ports = ServerPorts{3306}});
  std::uint64_t number = 0;
  const auto see_twice = [&](const std::string& frame) {
    const std::string wrapped = in_ipv4(17, udp_datagram(8472, vxlan(frame)));
    for (const std::string* copy : {&frame, &wrapped}) {
      ++number;
      reassembler.feed(packet_view(*copy, link_type::ethernet, number, CaptureTime(std::chrono::microseconds(number))));
    }
  };
  TcpFields client{.sequence = 100, .acknowledgement = 0, .flags = syn}, server{.source = client.destination, .destination = client.source, .sequence = 500, .acknowledgement = 101, .flags = syn | ack};
  see_twice(ethernet(0x0800, ip_packet(client, "")));
  see_twice(ethernet(0x0800, ip_packet(server, "")));
  client.flags = server.flags = ack;
  client.sequence = 101, client.acknowledgement = server.sequence = 501;
  for (int i = 0; i < 10; ++i) {
    see_twice(ethernet(0x0800, ip_packet(client, "question")));
    client.sequence += 8;
    server.acknowledgement = client.sequence;
    see_twice(ethernet(0x0800, ip_packet(server, "answer")));
    server.sequence += 6;
    client.acknowledgement = server.sequence;
  }
  client.flags = server.flags = ack | fin;
  see_twice(ethernet(0x0800, ip_packet(client, "")));
  server.acknowledgement = ++client.sequence;
  see_twice(ethernet(0x0800, ip_packet(server, "")));
  reassembler.finish({});
  REQUIRE(log.connections.size() == 1);
  CHECK(log.side(1, Direction::to_server).bytes.size() == 80);
  CHECK(log.side(1, Direction::to_client).bytes.size() == 60);
  CHECK(reassembler.stats().gaps == 0);
  CHECK(reassembler.stats().duplicates == 20);
}
