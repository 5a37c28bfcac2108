// The layer under IP: which family's packet follows, and where (https://www.tcpdump.org/linktypes.html).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "capture/packet.h"

namespace darktap::capture {

enum class LinkHeader : std::uint8_t { ethernet, sll, sll2, address_family, raw_ip, unsupported };
LinkHeader link_header_of(LinkType type);

enum class NetworkLayer : std::uint8_t { ipv4, ipv6, other, truncated };
// What follows an EtherType, VLAN tags read over.
NetworkLayer by_ethertype(std::uint16_t type, ByteReader& reader);
// What an IP header says of itself; nothing is read.
NetworkLayer by_version(const ByteReader& reader);
// Reads the link header; the reader is left at the IP header where the answer is ipv4 or ipv6. The header is not unsupported.
NetworkLayer read_link_header(LinkHeader header, ByteReader& reader);

}  // namespace darktap::capture
