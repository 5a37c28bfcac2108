// Ids and offsets as distinct types: a session can't be passed where a connection is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace darktap {

template <class Tag, class Rep>
struct Named {
  Rep value{};
  auto operator<=>(const Named&) const = default;
};

using PacketNumber = Named<struct PacketNumberTag, std::uint64_t>;  // from 1, in the capture file's order
using ConnectionId = Named<struct ConnectionIdTag, std::uint64_t>;  // from 1, a TCP connection in order of its first packet
using SessionId = Named<struct SessionIdTag, std::uint64_t>;        // from 1, a MySQL session in order of its first packet
using StreamPosition = Named<struct StreamPositionTag, std::uint64_t>;  // bytes since the first byte of a direction

// Where an exchange came from: a capture file's index in the recording's list, and the packet that ended the request.
struct Provenance {
  std::uint32_t file = 0;
  PacketNumber packet;
  auto operator<=>(const Provenance&) const = default;
};

}  // namespace darktap

template <class Tag, class Rep>
struct std::hash<darktap::Named<Tag, Rep>> {
  std::size_t operator()(const darktap::Named<Tag, Rep>& id) const noexcept { return std::hash<Rep>{}(id.value); }
};
