#include "tunnel.h"

namespace darktap::capture {

namespace {

namespace ethertype {
constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86dd, ethernet = 0x6558, erspan = 0x88be, erspan_3 = 0x22eb;
}
namespace port {
constexpr std::uint16_t vxlan = 4789, vxlan_of_linux = 8472, vxlan_gpe = 4790, geneve = 6081;
}

Inner by_type(std::uint16_t type, const ByteReader& reader) {
  if (!reader.ok()) return Inner::truncated;
  switch (type) {
    case ethertype::ipv4: return Inner::ipv4;
    case ethertype::ipv6: return Inner::ipv6;
    case ethertype::ethernet: return Inner::ethernet;
    default: return Inner::none;
  }
}

// RFC 7348, and the generic extension (draft-ietf-nvo3-vxlan-gpe) that names its payload.
Inner read_vxlan(ByteReader& reader, bool is_generic) {
  constexpr std::uint8_t has_network_id = 0x08, has_next_protocol = 0x04;
  const std::uint8_t flags = reader.u8();
  reader.skip(2);
  const std::uint8_t next = reader.u8();
  reader.skip(4);  // network id, reserved
  if (!reader.ok()) return Inner::truncated;
  if ((flags & has_network_id) == 0) return Inner::none;
  if (!is_generic || (flags & has_next_protocol) == 0) return Inner::ethernet;
  switch (next) {
    case 1: return Inner::ipv4;
    case 2: return Inner::ipv6;
    case 3: return Inner::ethernet;
    default: return Inner::none;
  }
}

// RFC 8926.
Inner read_geneve(ByteReader& reader) {
  const std::uint8_t version_and_length = reader.u8();
  reader.skip(1);
  const std::uint16_t type = reader.u16be();
  reader.skip(4);  // network id, reserved
  if (version_and_length >> 6 != 0) return Inner::none;
  reader.skip(std::size_t{version_and_length & 0x3fu} * 4);
  return by_type(type, reader);
}

Inner read_udp(ByteReader& reader) {
  reader.skip(2);
  const std::uint16_t to = reader.u16be();
  if (!reader.ok()) return Inner::truncated;
  reader.skip(4);  // length, checksum
  switch (to) {
    case port::vxlan: case port::vxlan_of_linux: return read_vxlan(reader, false);
    case port::vxlan_gpe: return read_vxlan(reader, true);
    case port::geneve: return read_geneve(reader);
    default: return Inner::none;
  }
}

// draft-foschiano-erspan. Type I has no header of its own, and says so by a GRE header without a sequence number.
Inner read_erspan_2(ByteReader& reader, bool has_sequence) {
  if (!has_sequence) return Inner::ethernet;
  reader.skip(8);
  return reader.ok() ? Inner::ethernet : Inner::truncated;
}

Inner read_erspan_3(ByteReader& reader) {
  constexpr std::uint8_t has_subheader = 0x01, frame_type_mask = 0x7c, ip_frames = 2 << 2;
  reader.skip(10);
  const std::uint8_t frame_type = reader.u8() & frame_type_mask;
  const std::uint8_t flags = reader.u8();
  if (flags & has_subheader) reader.skip(8);
  if (!reader.ok()) return Inner::truncated;
  if (frame_type == 0) return Inner::ethernet;
  if (frame_type != ip_frames) return Inner::none;
  switch (by_version(reader)) {
    case NetworkLayer::ipv4: return Inner::ipv4;
    case NetworkLayer::ipv6: return Inner::ipv6;
    case NetworkLayer::truncated: return Inner::truncated;
    case NetworkLayer::other: break;
  }
  return Inner::none;
}

// RFC 2784, 2890 and, for its NVGRE payloads, 7637.
Inner read_gre(ByteReader& reader) {
  constexpr std::uint16_t has_checksum = 0x8000, has_routing = 0x4000, has_key = 0x2000, has_sequence = 0x1000, version = 0x0007;
  const std::uint16_t flags = reader.u16be(), type = reader.u16be();
  if (!reader.ok()) return Inner::truncated;
  if (flags & (version | has_routing)) return Inner::none;
  if (flags & has_checksum) reader.skip(4);
  if (flags & has_key) reader.skip(4);
  if (flags & has_sequence) reader.skip(4);
  if (!reader.ok()) return Inner::truncated;
  if (type == ethertype::erspan) return read_erspan_2(reader, (flags & has_sequence) != 0);
  if (type == ethertype::erspan_3) return read_erspan_3(reader);
  return by_type(type, reader);
}

}  // namespace

Inner read_tunnel(std::uint8_t protocol, ByteReader& reader) {
  switch (protocol) {
    case ip_protocol::udp: return read_udp(reader);
    case ip_protocol::gre: return read_gre(reader);
    case ip_protocol::ipv4: return Inner::ipv4;
    case ip_protocol::ipv6: return Inner::ipv6;
    default: return Inner::none;
  }
}

}  // namespace darktap::capture
