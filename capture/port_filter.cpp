// What the kernel lets through. Its filter can't look into tunnels or fragments, so it passes all of those: which connection
// is ours is decided once they are unwrapped.
#include <string>

#include "capture/tap.h"

namespace darktap::capture {

namespace {

// The same ports as tunnel.cpp's; GRE, and IP in IP.
constexpr const char* tunnels =
    "udp dst port 4789 or udp dst port 8472 or udp dst port 4790 or udp dst port 6081 or ip proto 47 or ip6 proto 47 or "
    "ip proto 4 or ip proto 41 or ip6 proto 4 or ip6 proto 41";
// All but the first piece of an IPv4 packet; IPv6 packets whose next header is an extension, fragments among them.
constexpr const char* pieces =
    "(ip[6:2] & 0x1fff != 0) or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51 or ip6[6] = 60 or ip6[6] = 135 or "
    "ip6[6] = 139 or ip6[6] = 140))";

}  // namespace

std::string port_filter(const ServerPorts& ports, LinkType link) {
  std::string wanted;
  for (const std::uint16_t port : ports.list()) wanted += "tcp port " + std::to_string(port) + " or ";
  if (ports.any()) wanted = "tcp or ";
  wanted += std::string(tunnels) + " or " + pieces;
  if (link != link_type::ethernet) return wanted;
  // "vlan" shifts what follows it to the inside of a tag, so it comes last, and again for a second tag.
  return "(" + wanted + ") or (vlan and ((" + wanted + ") or (vlan and (" + wanted + "))))";
}

}  // namespace darktap::capture
