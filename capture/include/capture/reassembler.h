// Segments of many connections -> each connection's bytes in order, with lost bytes as gaps in their own place.
//
// Bytes go to the sink straight from the packet wherever they come in order; only segments behind a hole are copied.
// A segment that acknowledges bytes which we have not seen is late news of a hole in the other direction: it waits, like
// data behind a hole, for `reorder_packets` more packets of its connection or `reorder_time`, so that packets captured in
// the wrong order still come out in the order in which they caused each other. Then the hole is declared as a StreamGap, in
// front of the segment that proves it. A connection joined midstream waits as long for a handshake captured behind its data,
// and the end after a RST for data captured behind it. Bytes that the snapshot length cut are a gap at once.
// Where bytes overlap, those seen first win.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/round_trips.h"
#include "base/stream.h"
#include "capture/packet.h"
#include "capture/segment.h"
#include "capture/server_ports.h"

namespace darktap::capture {

struct ReassemblerLimits {
  // Memory held for out-of-order segments: payload plus held_segment_overhead each. Where one more would not fit, the
  // connection's oldest hole is declared lost.
  std::size_t buffered_per_connection = std::size_t{4} << 20;
  std::size_t buffered_total = std::size_t{64} << 20;
  // Open connections; above it the least recently active one ends as evicted (give or take a sixteenth of them in packets).
  std::size_t connections = 100'000;
  // How long packets may be captured late, in packets of the same connection and in capture time.
  std::uint32_t reorder_packets = 32;
  std::chrono::nanoseconds reorder_time = std::chrono::seconds(1);
  FragmentLimits fragments{};
};
inline constexpr std::size_t held_segment_overhead = 192;
// Ended connections that are remembered, so that their last packets are not taken for new connections.
inline constexpr std::size_t remembered_connections = 4096;

struct ReassemblerOptions {
  ServerPorts ports{};  // only connections whose server listens on one of these
  ReassemblerLimits limits{};
};

struct ReassemblerStats {
  std::uint64_t packets = 0;         // given by feed(PacketView)
  std::uint64_t bytes = 0;           // their length on the wire
  std::uint64_t captured_bytes = 0;  // what of it the tap has
  std::array<std::uint64_t, not_segment_reasons> not_segments{};  // by NotSegment
  std::uint64_t segments = 0;        // TCP segments, whether tracked or not
  std::uint64_t untracked = 0;       // segments of other ports
  std::uint64_t ignored = 0;         // segments of connections whose handshake is with a server port not asked for
  std::uint64_t after_end = 0;       // segments of connections that had ended
  std::uint64_t connections = 0;     // StreamOpen events
  std::uint64_t midstream = 0;       // of them, without a handshake
  std::uint64_t evicted = 0;         // of them, ended by the limit on connections
  std::uint64_t payload_bytes = 0;   // delivered to the sink
  std::uint64_t duplicates = 0;      // segments with payload that brought nothing new
  std::uint64_t duplicate_bytes = 0; // payload that had been seen, or came after its hole was declared
  std::uint64_t lost_bytes = 0;      // in holes between the first and the last byte seen of a direction
  std::uint64_t gaps = 0;            // such holes
  std::uint64_t forced_gaps = 0;     // gap events made only because a buffer limit was reached
  std::size_t buffered = 0;          // held now (see ReassemblerLimits)
  std::size_t buffered_peak = 0;
};

// Pure and single-threaded. The sink is called from feed(), advance() and finish(), and must not call back.
// ConnectionIds count first packets; a connection joined midstream is announced late, with the id of its first packet.
class Reassembler {
 public:
  // The sink must outlive the reassembler.
  explicit Reassembler(StreamSink& sink, ReassemblerOptions options = {});
  ~Reassembler();
  Reassembler(Reassembler&&) noexcept;
  Reassembler& operator=(Reassembler&&) noexcept;

  // Decodes and counts the packet, and feeds its segment if it holds one.
  void feed(const PacketView& packet);
  // The segment's payload is not needed after the return.
  void feed(const SegmentView& segment);
  // Tells that capture time has passed without packets, so that what waited long enough comes out.
  void advance(CaptureTime now);
  // The capture is over: everything held is delivered, every open connection ends, in order of their ids.
  void finish(CaptureTime time);

  const ReassemblerStats& stats() const;
  const RoundTrips& round_trips() const;    // between the tap and the ends of the connections
  const FragmentStats& fragments() const;  // of feed(PacketView)

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::capture
