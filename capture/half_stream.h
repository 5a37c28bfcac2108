// One direction of a connection: where its sequence numbers stand, and what waits behind a hole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

namespace darktap::capture {

// A position counts bytes from where the direction was anchored; bytes from before that have negative ones.
using Position = std::int64_t;

// A segment that can't go to the sink yet: bytes in front of it are missing, or it acknowledges bytes of the other
// direction that are.
struct HeldSegment {
  std::vector<std::byte> bytes;
  std::uint32_t cut = 0;
  Position needs = 0;         // of the other direction, which comes first
  std::uint64_t arrival = 0;  // the connection's packet count when it came
  CaptureTime time;
  PacketNumber packet;
};

struct HalfStream {
  bool anchored = false;  // are sequence numbers known?
  bool certain = false;   // anchored by a handshake, so that position 0 is the direction's first byte
  bool seen = false;      // has a byte gone to the sink?
  std::uint32_t initial_sequence = 0;  // of position 0
  std::uint32_t next_sequence = 0;     // of `position`
  Position position = 0;               // of the next byte for the sink
  Position origin = 0;                 // of the byte that the sink knows as position 0
  Position acknowledged = 0;           // by the peer
  std::optional<Position> fin;         // behind the last byte
  std::uint64_t uncounted_gap = 0;     // gaps at `position` that count as a hole once a byte follows
  std::map<Position, HeldSegment> held;  // by first byte; no overlaps; all at or behind `position`

  void anchor(std::uint32_t sequence, bool by_handshake) {
    anchored = true;
    certain = by_handshake;
    initial_sequence = next_sequence = sequence;
  }
  // Nothing but the peer's acknowledgements has told where this direction stands.
  bool floating() const { return !certain && !seen; }

  // Unwraps a sequence number: up to 3 GiB ahead of the next byte (bytes that the tap lost), else behind it.
  Position position_of(std::uint32_t sequence) const {
    const std::uint32_t ahead = sequence - next_sequence;
    return ahead < 0xc0000000u ? position + Position{ahead} : position - Position{0u - ahead};
  }
  // Has everything before `needs` gone to the sink? One byte beyond is the FIN, whether it was seen yet or not.
  bool covers(Position needs) const {
    return needs <= position || (needs == position + 1 && held.empty() && (!fin || *fin == position));
  }
  bool complete() const { return fin && position >= *fin; }
  void advance(Position length) {
    position += length;
    next_sequence += static_cast<std::uint32_t>(length);
  }
};

}  // namespace darktap::capture
