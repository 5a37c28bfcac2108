// Tunnels: what stands between an outer IP header and the inner packet. Clouds and switches mirror traffic in them.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "link_header.h"

namespace darktap::capture {

namespace ip_protocol {
inline constexpr std::uint8_t ipv4 = 4, tcp = 6, udp = 17, ipv6 = 41, gre = 47;
}

// What the tunnel's payload is; the reader stands at it.
enum class Inner : std::uint8_t { ethernet, ipv4, ipv6, none, truncated };
// Reads what follows an IP header whose protocol is not TCP. `none`: no tunnel that we know.
Inner read_tunnel(std::uint8_t protocol, ByteReader& reader);

}  // namespace darktap::capture
