// The tap's side of a live capture: packets in, segments of the wanted ports into the decoder's queue. Where the queue is full,
// the session that wanted room is shed: its whole remainder is left out and counted, so that a slow decoder costs some sessions
// and not a piece of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "capture/packet.h"
#include "capture/segment.h"
#include "capture/segment_queue.h"
#include "capture/server_ports.h"

namespace darktap::capture {

struct FeederCounts {
  std::uint64_t packets = 0, bytes = 0;  // seen, with their length on the wire
  CaptureTime first_time, last_time;
  std::uint64_t shed_sessions = 0;
  std::uint64_t shed_segments = 0, shed_bytes = 0;  // of their payload
  // Requests among them: client segments that begin as a command does. Some miss: the shed part isn't decoded.
  std::uint64_t shed_requests = 0;
  FragmentStats fragments;
};

class SegmentFeeder {
 public:
  // Sessions that are remembered as shed; the one that was shed first is forgotten, and joined midstream if it still goes on.
  static constexpr std::size_t most_shed_sessions = 65'536;

  // The queue's consumer is woken where so many bytes wait (SegmentQueue::publish).
  SegmentFeeder(SegmentQueue& queue, ServerPorts ports, std::size_t wake_bytes = 0) : queue_(queue), ports_(std::move(ports)), wake_bytes_(wake_bytes) {}

  void feed(const PacketView& packet);
  // Shows the queue's consumer, and counts(), what was fed.
  void publish();
  // May be called from any thread.
  FeederCounts counts() const;

 private:
  struct FlowHash {
    std::size_t operator()(const FlowKey& flow) const noexcept;
  };
  FlowKey flow_of(const SegmentView& segment) const;
  void shed(const FlowKey& flow, const SegmentView& segment);
  void count_shed(const SegmentView& segment, bool by_client);
  void send_ends();

  SegmentQueue& queue_;
  ServerPorts ports_;
  std::size_t wake_bytes_;
  SegmentDecoder decoder_;
  FeederCounts fed_;
  std::unordered_map<FlowKey, std::uint64_t, FlowHash> shed_;  // -> its place in the order of shedding
  std::deque<std::pair<FlowKey, std::uint64_t>> shed_order_;
  std::uint64_t last_shed_ = 0;
  std::deque<SegmentView> ends_;  // of shed sessions, not yet in the queue; no payload
  mutable std::mutex mutex_;
  FeederCounts published_;
};

}  // namespace darktap::capture
