// Capture time is a clock of its own: it can't be subtracted from steady_clock by accident.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace darktap {

// Nanoseconds since 1970-01-01 UTC, as the tap's packets are stamped. now() reads the machine's realtime clock, which is
// the one the kernel stamps packets with.
struct CaptureClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CaptureClock>;
  static constexpr bool is_steady = false;
  static time_point now() noexcept {
    return time_point(std::chrono::duration_cast<duration>(std::chrono::system_clock::now().time_since_epoch()));
  }
};
using CaptureTime = CaptureClock::time_point;

// "2026-11-21T03:05:52.123456789Z"
std::string to_rfc3339(CaptureTime time);
std::optional<CaptureTime> parse_rfc3339(std::string_view text);

inline std::int64_t to_microseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// "250ms", "10s", "5m", "1h30m"; a bare number is refused.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// "64MiB", "512KiB", "1GiB", "4096B"; a bare number is refused.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace darktap
