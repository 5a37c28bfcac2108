// The shape that nearly all packets have, read without detours: one link header, IPv4 without options or IPv6 without extension
// headers, no fragment, no tunnel, TCP, captured whole. Whatever is not of it is the general decoder's business.
#pragma once

#include <cstring>

#include "capture/segment.h"

namespace darktap::capture {

namespace plain {

struct Link {
  std::size_t type_at = 0, length = 0;  // where the EtherType stands, and where the IP header begins
};

// No length: not a plain link.
inline Link link_of(LinkType type) {
  if (type == link_type::ethernet) return {12, 14};
  if (type == link_type::linux_sll2) return {0, 20};
  if (type == link_type::linux_sll) return {14, 16};
  return {};
}

// Written as two words: that is how the flow table reads them, at once.
inline void write_address(std::uint64_t first, std::uint64_t second, IpAddress& address) {
  std::memcpy(address.bytes.data(), &first, 8);
  std::memcpy(address.bytes.data() + 8, &second, 8);
}
inline void read_v4(ByteReader& reader, IpAddress& address) {
  constexpr std::uint64_t mapped = 0xffff'0000;  // ::ffff:0:0, its last eight bytes
  write_address(0, mapped | std::uint64_t{reader.u32le()} << 32, address);
}
inline void read_v6(ByteReader& reader, IpAddress& address) {
  const std::uint64_t first = reader.u64le();
  write_address(first, reader.u64le(), address);
}

// The payload's length that the IP header tells; 0 where the packet is not plain.
inline std::size_t read_ipv4(ByteReader& reader, SegmentView& segment) {
  constexpr std::size_t header_bytes = 20;
  const bool no_options = reader.u8() == 0x45;
  reader.skip(1);
  const std::size_t total_length = reader.u16be();
  reader.skip(2);
  const bool whole = (reader.u16be() & 0x3fff) == 0;
  reader.skip(1);
  const bool tcp = reader.u8() == 6;
  reader.skip(2);
  read_v4(reader, segment.source.address);
  read_v4(reader, segment.destination.address);
  return no_options && whole && tcp && total_length > header_bytes ? total_length - header_bytes : 0;
}
inline std::size_t read_ipv6(ByteReader& reader, SegmentView& segment) {
  const bool version_6 = reader.u32be() >> 28 == 6;
  const std::size_t payload_length = reader.u16be();
  const bool tcp = reader.u8() == 6;
  reader.skip(1);
  read_v6(reader, segment.source.address);
  read_v6(reader, segment.destination.address);
  return version_6 && tcp ? payload_length : 0;
}

}  // namespace plain

// Fills the segment and answers true, or answers false; the segment is then half filled.
inline bool read_plain_segment(const PacketView& packet, SegmentView& segment) {
  constexpr std::size_t ipv4_bytes = 20, ipv6_bytes = 40, tcp_bytes = 20;
  const plain::Link link = plain::link_of(packet.link);
  if (link.length == 0 || packet.wire_length > packet.data.size() || packet.data.size() < link.length + ipv6_bytes + tcp_bytes) return false;
  const std::uint16_t type = ByteReader(packet.data.subspan(link.type_at, 2)).u16be();
  const bool v4 = type == 0x0800;
  if (!v4 && type != 0x86dd) return false;
  const std::size_t tcp_at = link.length + (v4 ? ipv4_bytes : ipv6_bytes);
  ByteReader network(packet.data.subspan(link.length, ipv6_bytes));
  const std::size_t length = v4 ? plain::read_ipv4(network, segment) : plain::read_ipv6(network, segment);
  if (length < tcp_bytes || length > packet.data.size() - tcp_at) return false;

  ByteReader tcp(packet.data.subspan(tcp_at, tcp_bytes));
  segment.source.port = tcp.u16be();
  segment.destination.port = tcp.u16be();
  segment.sequence = tcp.u32be();
  segment.acknowledgement = tcp.u32be();
  const std::size_t header_length = std::size_t{tcp.u8()} / 16 * 4;
  segment.flags.bits = tcp.u8();
  segment.window = tcp.u16be();
  if (header_length < tcp_bytes || header_length > length) return false;
  segment.payload = packet.data.subspan(tcp_at + header_length, length - header_length);
  segment.cut = 0;
  segment.time = packet.time;
  segment.packet = packet.number;
  return true;
}

}  // namespace darktap::capture
