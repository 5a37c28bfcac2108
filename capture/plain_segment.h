// The shape that nearly all packets have, read without detours: one link header, IPv4 without options or IPv6 without extension
// headers, no fragment, no tunnel, TCP, captured whole. Whatever is not of it is the general decoder's business.
#pragma once

#include <cstring>

#include "base/header_fields.h"
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
inline void write_v4(std::uint32_t number, IpAddress& address) {
  constexpr std::uint64_t mapped = 0xffff'0000;  // ::ffff:0:0, its last eight bytes
  write_address(0, mapped | std::uint64_t{number} << 32, address);
}

inline constexpr std::size_t ipv4_bytes = 20, ipv6_bytes = 40, tcp_bytes = 20;

// The payload's length that the IP header tells; 0 where the packet is not plain.
inline std::size_t read_ipv4(HeaderFields<ipv4_bytes> header, SegmentView& segment) {
  write_v4(header.u32le<12>(), segment.source.address);
  write_v4(header.u32le<16>(), segment.destination.address);
  const bool no_options = header.u8<0>() == 0x45, whole = (header.u16be<6>() & 0x3fff) == 0, tcp = header.u8<9>() == 6;
  const std::size_t total_length = header.u16be<2>();
  return no_options && whole && tcp && total_length > ipv4_bytes ? total_length - ipv4_bytes : 0;
}
inline std::size_t read_ipv6(HeaderFields<ipv6_bytes> header, SegmentView& segment) {
  write_address(header.u64le<8>(), header.u64le<16>(), segment.source.address);
  write_address(header.u64le<24>(), header.u64le<32>(), segment.destination.address);
  const bool version_6 = header.u8<0>() >> 4 == 6, tcp = header.u8<6>() == 6;
  return version_6 && tcp ? header.u16be<4>() : 0;
}

}  // namespace plain

// Fills the segment and answers true, or answers false; the segment is then half filled.
inline bool read_plain_segment(const PacketView& packet, SegmentView& segment) {
  using namespace plain;
  const Link link = link_of(packet.link);
  if (link.length == 0 || packet.wire_length > packet.data.size() || packet.data.size() < link.length + ipv4_bytes + tcp_bytes) return false;
  const std::uint16_t type = HeaderFields<2>(packet.data.subspan(link.type_at)).u16be<0>();
  const bool v4 = type == 0x0800;
  if (!v4 && type != 0x86dd) return false;
  const std::size_t tcp_at = link.length + (v4 ? ipv4_bytes : ipv6_bytes);
  if (packet.data.size() < tcp_at + tcp_bytes) return false;
  const Bytes network = packet.data.subspan(link.length);
  const std::size_t length = v4 ? read_ipv4(HeaderFields<ipv4_bytes>(network), segment) : read_ipv6(HeaderFields<ipv6_bytes>(network), segment);
  if (length < tcp_bytes || length > packet.data.size() - tcp_at) return false;

  const HeaderFields<tcp_bytes> tcp(packet.data.subspan(tcp_at));
  segment.source.port = tcp.u16be<0>();
  segment.destination.port = tcp.u16be<2>();
  segment.sequence = tcp.u32be<4>();
  segment.acknowledgement = tcp.u32be<8>();
  const std::size_t header_length = std::size_t{tcp.u8<12>()} / 16 * 4;
  segment.flags.bits = tcp.u8<13>();
  segment.window = tcp.u16be<14>();
  if (header_length < tcp_bytes || header_length > length) return false;
  segment.payload = packet.data.subspan(tcp_at + header_length, length - header_length);
  segment.cut = 0;
  segment.time = packet.time;
  segment.packet = packet.number;
  return true;
}

}  // namespace darktap::capture
