// The TCP ports that database servers listen on, as the user named them.
#pragma once

#include <bitset>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "base/stream.h"

namespace darktap::capture {

class ServerPorts {
 public:
  // No port named: every TCP connection is tracked.
  ServerPorts() = default;
  explicit ServerPorts(std::span<const std::uint16_t> ports);
  ServerPorts(std::initializer_list<std::uint16_t> ports) : ServerPorts(std::span(ports.begin(), ports.size())) {}

  bool any() const { return ports_.empty(); }
  bool contains(std::uint16_t port) const { return any() || named_[port]; }
  // Ascending, each once; empty for any().
  const std::vector<std::uint16_t>& list() const { return ports_; }

  // Which end of a connection whose handshake was not seen is the server? A named port, else one of the usual ports
  // (3306, 4000 TiDB, 6033 ProxySQL, 15306 vtgate), else the lower port.
  bool second_is_server(const Endpoint& first, const Endpoint& second) const;

 private:
  std::vector<std::uint16_t> ports_;
  std::bitset<65536> named_;
};

}  // namespace darktap::capture
