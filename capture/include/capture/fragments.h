// Fragmented IP packets put together again, within limits; tunnels make them where nobody else does any more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/stream.h"
#include "base/time.h"

namespace darktap::capture {

struct FragmentLimits {
  std::size_t packets = 1024;                  // waiting for their other pieces, or just put together
  std::size_t bytes = std::size_t{4} << 20;    // of all pieces that wait
  std::size_t pieces = 256;                    // of one packet
  std::chrono::nanoseconds time = std::chrono::seconds(5);         // from the first piece
  std::chrono::nanoseconds remembered = std::chrono::seconds(1);   // after it was whole: doubled pieces are its copies
};

// Each packet that is given up ends in exactly one of the last four.
struct FragmentStats {
  std::uint64_t pieces = 0;       // seen
  std::uint64_t copies = 0;       // of them, seen before
  std::uint64_t whole = 0;        // packets put together
  std::uint64_t overlapping = 0;  // packets whose pieces contradict each other: nobody sends such, but to deceive
  std::uint64_t malformed = 0;    // packets longer than IP allows, or of broken pieces
  std::uint64_t evicted = 0;      // packets left incomplete because a limit on memory was reached
  std::uint64_t incomplete = 0;   // packets left incomplete because time was over
};

class Fragments {
 public:
  explicit Fragments(const FragmentLimits& limits = {}) : limits_(limits) {}

  struct Key {
    IpAddress source, destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // 0 for IPv6
    auto operator<=>(const Key&) const = default;
  };
  struct Piece {
    Key key;
    std::size_t offset = 0;  // in the packet's payload
    enum class Place : std::uint8_t { more_follow, last } place = Place::last;
    std::uint8_t protocol = 0;  // of the payload
    Bytes bytes;                // captured
    std::size_t missing = 0;    // bytes behind them that the snapshot length cut
    CaptureTime time;
  };
  // The payload of the whole packet, up to the first cut; lives until the next add().
  struct Whole {
    Bytes bytes;
    std::size_t missing = 0;
    std::uint8_t protocol = 0;
  };
  // Copies the piece. An answer where it was the last one missing.
  std::optional<Whole> add(const Piece& piece);

  const FragmentStats& stats() const { return stats_; }
  std::size_t buffered() const { return buffered_; }

 private:
  struct Stretch {
    std::size_t length = 0;  // on the wire
    std::vector<std::byte> bytes;
  };
  struct Packet {
    enum class State : std::uint8_t { waiting, done } state = State::waiting;  // done: put together, or given up
    CaptureTime since;
    std::map<std::size_t, Stretch> stretches;  // by offset, none overlapping
    std::size_t seen = 0;                      // bytes of them
    std::optional<std::size_t> length;         // known once the last piece is there
    std::uint8_t protocol = 0;
    std::list<Key>::iterator age;
  };
  using Packets = std::map<Key, Packet>;

  void expire(CaptureTime now);
  void make_room(const Key& keep, std::size_t bytes);
  void give_up(Packet& packet, std::uint64_t& reason);
  void free_bytes(Packet& packet);
  void forget(Packets::iterator packet);

  FragmentLimits limits_;
  FragmentStats stats_;
  Packets packets_;
  std::list<Key> by_age_;  // oldest first
  std::size_t buffered_ = 0;
  std::vector<std::byte> whole_;
};

}  // namespace darktap::capture
