#include "capture/server_ports.h"

#include <algorithm>

namespace darktap::capture {

ServerPorts::ServerPorts(std::span<const std::uint16_t> ports) : ports_(ports.begin(), ports.end()) {
  std::sort(ports_.begin(), ports_.end());
  ports_.erase(std::unique(ports_.begin(), ports_.end()), ports_.end());
  for (std::uint16_t port : ports_) named_.set(port);
}

bool ServerPorts::second_is_server(const Endpoint& first, const Endpoint& second) const {
  if (!any() && contains(first.port) != contains(second.port)) return contains(second.port);
  const auto is_usual = [](std::uint16_t port) { return port == 3306 || port == 4000 || port == 6033 || port == 15306; };
  if (is_usual(first.port) != is_usual(second.port)) return is_usual(second.port);
  return second.port <= first.port;
}

}  // namespace darktap::capture
