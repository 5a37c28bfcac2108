// One captured packet, as a tap hands it on: a view, never a copy.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace darktap::capture {

// libpcap's DLT number of the headers in front of the IP packet (https://www.tcpdump.org/linktypes.html).
using LinkType = Named<struct LinkTypeTag, int>;

namespace link_type {
inline constexpr LinkType null{0};        // BSD loopback: the address family in the capturing host's byte order
inline constexpr LinkType ethernet{1};
inline constexpr LinkType raw{12};        // no link header: IPv4 or IPv6 by the version nibble; 14 and 101 are the same
inline constexpr LinkType loop{108};      // OpenBSD loopback: the address family in network byte order
inline constexpr LinkType linux_sll{113};   // Linux cooked, what `-i any` gives
inline constexpr LinkType ipv4{228};
inline constexpr LinkType ipv6{229};
inline constexpr LinkType linux_sll2{276};  // Linux cooked v2
}  // namespace link_type

// Can decode_segment() read packets of this link type?
bool is_supported(LinkType type);
// The supported link types for an error line: "Ethernet, Linux cooked (SLL, SLL2), …".
std::string supported_link_types();

struct PacketView {
  CaptureTime time;
  LinkType link = link_type::ethernet;
  std::uint32_t wire_length = 0;  // bytes on the wire; more than data.size() where the snapshot length cut the packet
  Bytes data;                     // what was captured; lives until the tap's next call
  PacketNumber number;
};

}  // namespace darktap::capture
