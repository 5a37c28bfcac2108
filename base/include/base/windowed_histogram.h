// A histogram a time window, for comparing latencies over time. Windows begin at whole multiples of their length since the
// epoch, so those of two machines line up and merge by addition. Lengths are powers of two of a second: where more than
// window_limit windows are filled, two neighbours become one, so memory is bounded however long a run is, and what is left
// depends on the set of values alone, never on their order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/histogram.h"
#include "base/time.h"

namespace darktap {

class WindowedHistogram {
 public:
  static constexpr std::size_t window_limit = 64;
  static constexpr unsigned longest = 40;  // 2^40 s; a level above it is damage

  void record(CaptureTime time, std::uint64_t microseconds, std::uint64_t count = 1);
  void merge(const WindowedHistogram& other);
  // Joins neighbours until windows are 2^level seconds long; nothing happens where they are that long already.
  void coarsen(unsigned level);

  unsigned level() const { return level_; }
  std::chrono::seconds window_length() const { return std::chrono::seconds(std::int64_t{1} << level_); }
  const std::map<std::int64_t, Histogram>& windows() const { return windows_; }  // by number: start / length
  Histogram total() const;
  std::uint64_t count() const;

  // A compact text, for storage; parse gives an equal value, and an empty one for bad text.
  std::string serialize() const;
  static WindowedHistogram parse(std::string_view text);
  bool operator==(const WindowedHistogram&) const = default;

 private:
  void bound();

  unsigned level_ = 0;
  std::map<std::int64_t, Histogram> windows_;
};

}  // namespace darktap
