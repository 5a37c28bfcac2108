// A date and time as a server prints it, and whether it can be the moment at which a captured statement ran: whatever the session's
// time zone is, which shifts it by whole quarters of an hour.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace darktap::session {

inline constexpr auto zone_step = std::chrono::minutes(15);
// The tap's clock and the server's are the same machine's or are kept alike; a statement's time may seem a little early.
inline constexpr auto clock_skew = std::chrono::milliseconds(2);

struct PrintedTime {
  CaptureTime time;            // as if it were UTC
  CaptureClock::duration step;  // how exactly its digits tell it
};
// "2026-11-21 13:33:53.254914"; nothing for other text.
std::optional<PrintedTime> parse_printed_time(std::string_view text);

// The moment that was printed, where it can be one between the request and the answer: the one closest to the request.
std::optional<CaptureTime> time_within(const PrintedTime& printed, CaptureTime request, CaptureTime answer);

}  // namespace darktap::session
