// One TCP connection as the reassembler knows it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/stream.h"
#include "capture/segment.h"
#include "half_stream.h"
#include "round_trip_meter.h"

namespace darktap::capture {

// What a segment says, apart from whose it is.
struct Arrival {
  std::uint32_t sequence = 0;  // of the first payload byte
  std::uint32_t acknowledgement = 0;
  TcpFlags flags;
  Bytes payload;
  std::uint32_t cut = 0;
  CaptureTime time;
  PacketNumber packet;
  std::uint64_t number = 0;  // the connection's packet count, this one included
  bool from_first = false;   // sent by Flow::first

  std::uint64_t length() const { return payload.size() + cut; }
};

// A segment kept while it is not clear yet where its direction begins.
struct GatheredSegment {
  Arrival arrival;  // its payload is unset
  std::vector<std::byte> payload;
};

using FlowIndex = std::uint32_t;
inline constexpr FlowIndex no_flow = 0xffffffff;

struct FlowLinks {
  FlowIndex previous = no_flow, next = no_flow;
};

struct Flow {
  enum class Phase : std::uint8_t {
    gathering,  // a side of the handshake is missing and may still come
    running,
    closed,     // ended; remembered for its last packets
    ignored,    // of a port that nobody asked for
  };
  enum class Roles : std::uint8_t { unknown, first_is_server, second_is_server };

  ConnectionId id;
  Endpoint first, second;  // `first` sent the first packet
  std::uint32_t hash = 0;
  Phase phase = Phase::gathering;
  Roles roles = Roles::unknown;
  bool handshake = false;  // SYN or SYN-ACK seen
  bool opened = false;     // StreamOpen sent
  bool waiting = false;    // in the list of flows that time can move on
  CaptureTime first_time;
  PacketNumber first_packet;
  std::uint64_t packets = 0;
  std::uint64_t listed = 0;  // how many segments the tap had seen when the flow took its place in the list of live ones
  std::array<HalfStream, 2> halves;  // by Direction
  std::vector<GatheredSegment> gathered;
  std::size_t buffered = 0;  // as ReassemblerLimits counts
  // Set by a RST or by the second FIN: the connection ends as soon as nothing can be on its way any more.
  std::optional<StreamEnd::Reason> closing;
  std::uint64_t closing_packets = 0;  // `packets` at that time
  CaptureTime closing_time;
  CaptureTime wait_checked;
  RoundTripMeter meter;
  FlowLinks activity, wait;  // lists of the flow table

  HalfStream& half(Direction d) { return halves[index(d)]; }
  bool holds_segments() const { return !halves[0].held.empty() || !halves[1].held.empty(); }
  bool has_to_wait() const { return phase == Phase::gathering || closing || holds_segments(); }
  Direction direction(bool from_first) const {
    return from_first == (roles == Roles::first_is_server) ? Direction::to_client : Direction::to_server;
  }
  FlowKey key() const { return roles == Roles::first_is_server ? FlowKey{second, first} : FlowKey{first, second}; }
};

}  // namespace darktap::capture
