#include "capture/packet.h"

#include "link_header.h"

namespace darktap::capture {

bool is_supported(LinkType type) { return link_header_of(type) != LinkHeader::unsupported; }

std::string supported_link_types() {
  return "Ethernet (1), BSD loopback (0, 108), raw IP (12, 228, 229), Linux cooked SLL (113) or SLL2 (276)";
}

}  // namespace darktap::capture
