// Names to addresses, and this machine's own addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/stream.h"

namespace darktap::client {

// All addresses of a host, in the order in which the system would try them; blocks while the name is looked up. One line
// where the host is unknown.
Expected<std::vector<Endpoint>, std::string> resolve(const std::string& host, std::uint16_t port);

// "127.0.0.1" or "::1" as an address; nothing for a name.
std::optional<IpAddress> parse_address(const std::string& text);

// Every address of this machine's interfaces; loopback is always among them.
std::vector<IpAddress> local_addresses();
bool is_loopback(const IpAddress& address);  // 127.0.0.0/8 and ::1

}  // namespace darktap::client
