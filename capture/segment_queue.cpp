#include "capture/segment_queue.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace darktap::capture {

namespace {

static_assert(std::is_trivially_copyable_v<SegmentView>, "segments are copied as bytes");

constexpr std::size_t aligned(std::size_t size) { return (size + 7) / 8 * 8; }

}  // namespace

SegmentQueue::SegmentQueue(std::size_t bytes) : size_(aligned(std::max<std::size_t>(bytes, 4096))), ring_(std::make_unique_for_overwrite<std::byte[]>(size_)) {
  static_assert(sizeof(Entry) == segment_overhead);
}

bool SegmentQueue::push(const SegmentView& segment) {
  const std::size_t size = aligned(sizeof(Entry) + segment.payload.size());
  if (size > size_ / 4) return false;
  const std::size_t at = static_cast<std::size_t>(producer_written_ % size_);
  const std::size_t to_end = size_ - at;
  // An entry doesn't wrap. All that is skipped counts as used until the consumer comes by, so a producer that goes back to
  // the begin of its own accord needs what it left there to hold the entry: else the same is refused again and again.
  const std::size_t skipped = size <= to_end && !(rewinds_ && size <= at) ? 0 : to_end;
  if (producer_written_ + skipped + size - producer_read_ > size_) {
    producer_read_ = read_.load(std::memory_order_acquire);
    if (producer_written_ + skipped + size - producer_read_ > size_) return false;
  }
  std::byte* to = ring_.get() + at;
  if (skipped > 0) {
    // Where not even the mark fits, the consumer knows by itself.
    if (const std::uint64_t mark[2] = {skipped, 1}; skipped >= sizeof mark) std::memcpy(to, mark, sizeof mark);
    to = ring_.get();
  }
  const Entry entry{size, 0, segment};
  std::memcpy(to, &entry, sizeof entry);
  if (!segment.payload.empty()) std::memcpy(to + sizeof entry, segment.payload.data(), segment.payload.size());
  producer_written_ += skipped + size;
  rewinds_ = false;
  return true;
}

void SegmentQueue::publish(std::size_t wake_bytes) {
  written_.store(producer_written_);
  // While the consumer keeps up, the ring's first part is enough: less memory, and that in the processor's cache.
  if (producer_written_ % size_ > size_ / 8) rewinds_ = read_.load(std::memory_order_acquire) == producer_written_;
  if (!sleeping_.load() || used() < wake_bytes) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void SegmentQueue::close() {
  publish();
  closed_.store(true);
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

std::size_t SegmentQueue::used() const { return static_cast<std::size_t>(written_.load(std::memory_order_relaxed) - read_.load(std::memory_order_relaxed)); }

// Is there something? Waits for it once.
bool SegmentQueue::refill(std::chrono::milliseconds wait) {
  consumer_written_ = written_.load(std::memory_order_acquire);
  if (consumer_read_ != consumer_written_) return true;
  if (wait.count() <= 0) return false;
  std::unique_lock lock(mutex_);
  sleeping_.store(true);
  // What is published from here on is seen here, or its producer sees that we sleep.
  wake_.wait_for(lock, wait, [&] { return (consumer_written_ = written_.load()) != consumer_read_ || closed_.load(); });
  sleeping_.store(false);
  return consumer_written_ != consumer_read_;
}

SegmentQueue::Take SegmentQueue::next(SegmentView& segment, std::chrono::milliseconds wait) {
  if (consumer_next_ != consumer_read_) {  // the last one is done with
    consumer_read_ = consumer_next_;
    read_.store(consumer_read_, std::memory_order_release);
  }
  if (consumer_read_ == consumer_written_ && !refill(wait)) {
    if (!closed_.load()) return Take::timeout;
    if (!refill(std::chrono::milliseconds(0))) return Take::closed;  // what came with the closing
  }
  std::size_t at = static_cast<std::size_t>(consumer_read_ % size_);
  std::uint64_t mark[2] = {size_ - at, 1};
  if (mark[0] >= sizeof mark) std::memcpy(mark, ring_.get() + at, sizeof mark);
  std::uint64_t skipped = 0;
  if (mark[1] == 1) {
    skipped = mark[0];
    at = 0;
  }
  Entry entry;
  std::memcpy(&entry, ring_.get() + at, sizeof entry);
  segment = entry.segment;
  segment.payload = Bytes(ring_.get(), size_).subspan(at + sizeof entry, entry.segment.payload.size());
  consumer_next_ = consumer_read_ + skipped + entry.size;
  return Take::segment;
}

}  // namespace darktap::capture
