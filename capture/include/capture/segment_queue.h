// The bounded ring between a tap's thread and a decoder's: one producer, one consumer, no lock while both are busy. The
// producer never waits; what doesn't fit is refused.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "capture/segment.h"

namespace darktap::capture {

class SegmentQueue {
 public:
  // A segment takes its payload and segment_overhead; one longer than a quarter of the ring is refused.
  explicit SegmentQueue(std::size_t bytes);
  static constexpr std::size_t segment_overhead = sizeof(SegmentView) + 2 * sizeof(std::uint64_t);

  // The producer's side. A copy is taken; false where there is no room.
  bool push(const SegmentView& segment);
  // Shows the consumer what was pushed, and wakes it if it sleeps and at least so much waits: else it comes by itself when
  // its own wait is over. Call it when nothing more is at hand, and now and then.
  void publish(std::size_t wake_bytes = 0);
  // Nothing more comes.
  void close();
  std::size_t used() const;  // bytes; an estimate

  // The consumer's side.
  enum class Take : std::uint8_t { segment, timeout, closed };
  // The segment and its payload live until the next call.
  Take next(SegmentView& segment, std::chrono::milliseconds wait);

 private:
  struct Entry {
    std::uint64_t size = 0;  // of all of it, in the ring
    std::uint64_t skips = 0; // 1: nothing here, the next entry is at the ring's begin
    SegmentView segment;
  };
  bool refill(std::chrono::milliseconds wait);

  const std::size_t size_;
  const std::unique_ptr<std::byte[]> ring_;
  // Positions only grow; each side has a copy of its own, and what it knows of the other's.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
  alignas(64) std::uint64_t producer_written_ = 0, producer_read_ = 0;
  bool rewinds_ = false;  // the producer goes on at the ring's begin
  alignas(64) std::uint64_t consumer_written_ = 0, consumer_read_ = 0, consumer_next_ = 0;
  alignas(64) std::atomic<bool> sleeping_{false}, closed_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace darktap::capture
