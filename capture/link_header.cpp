#include "link_header.h"

namespace darktap::capture {

LinkHeader link_header_of(LinkType type) {
  switch (type.value) {
    case 0: case 108: return LinkHeader::address_family;
    case 1: return LinkHeader::ethernet;
    case 12: case 14: case 101: case 228: case 229: return LinkHeader::raw_ip;  // 14 is OpenBSD's raw, 101 the number in files
    case 113: return LinkHeader::sll;
    case 276: return LinkHeader::sll2;
    default: return LinkHeader::unsupported;
  }
}

namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800, ethertype_ipv6 = 0x86dd;
constexpr std::uint16_t ethertype_vlan = 0x8100, ethertype_qinq = 0x88a8, ethertype_qinq_old = 0x9100;
constexpr int max_vlan_tags = 4;

}  // namespace

NetworkLayer by_ethertype(std::uint16_t type, ByteReader& reader) {
  for (int tags = 0; type == ethertype_vlan || type == ethertype_qinq || type == ethertype_qinq_old; ++tags) {
    if (tags == max_vlan_tags) return NetworkLayer::other;
    reader.skip(2);  // priority and VLAN id
    type = reader.u16be();
  }
  if (!reader.ok()) return NetworkLayer::truncated;
  if (type == ethertype_ipv4) return NetworkLayer::ipv4;
  if (type == ethertype_ipv6) return NetworkLayer::ipv6;
  return NetworkLayer::other;
}

NetworkLayer by_version(const ByteReader& reader) {
  if (reader.at_end()) return NetworkLayer::truncated;
  const auto version = reader.peek() >> 4;
  return version == 4 ? NetworkLayer::ipv4 : version == 6 ? NetworkLayer::ipv6 : NetworkLayer::other;
}

namespace {

// The family comes in the byte order of the capturing host (null) or of the network (loop): a small number either way.
NetworkLayer by_address_family(ByteReader& reader) {
  std::uint32_t family = reader.u32le();
  if (!reader.ok()) return NetworkLayer::truncated;
  if (family > 0xffff) family = family >> 24 | (family >> 8 & 0xff00);
  switch (family) {
    case 2: return NetworkLayer::ipv4;
    case 10: case 24: case 28: case 30: return NetworkLayer::ipv6;  // Linux, NetBSD and OpenBSD, FreeBSD, macOS
    default: return NetworkLayer::other;
  }
}

}  // namespace

NetworkLayer read_link_header(LinkHeader header, ByteReader& reader) {
  switch (header) {
    case LinkHeader::ethernet:
      reader.skip(12);  // destination and source
      return by_ethertype(reader.u16be(), reader);
    case LinkHeader::sll:
      reader.skip(14);  // packet type, ARPHRD, address length, address
      return by_ethertype(reader.u16be(), reader);
    case LinkHeader::sll2: {
      const std::uint16_t type = reader.u16be();
      reader.skip(18);  // reserved, interface, ARPHRD, packet type, address length, address
      return by_ethertype(type, reader);
    }
    case LinkHeader::address_family: return by_address_family(reader);
    case LinkHeader::raw_ip: return by_version(reader);
    case LinkHeader::unsupported: break;
  }
  return NetworkLayer::other;
}

}  // namespace darktap::capture
