// When a captured exchange is due. Open loop: the time follows from the recording alone, never from how fast the target
// answers, so a slow target shows as lateness and not as less load.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "base/time.h"

namespace darktap::replay {

struct Pace {
  enum class Kind : std::uint8_t { recorded, multiplied, flat_out } kind = Kind::recorded;
  double factor = 1;  // of the recorded speed; meaningless for flat_out
};
// "recorded", "2x", "0.5x", "max"; one line where it is none of them, or the factor isn't between 0.001 and 1000.
Expected<Pace, std::string> parse_pace(std::string_view text);
std::string to_string(const Pace& pace);

// session: each session's commands in their order, sessions among themselves by time. none: promises no order at all
// (it is sent as `session` is). commit: as in replay/order_by_commit.h.
enum class Order : std::uint8_t { session, commit, none };
// One line for an unknown name.
Expected<Order, std::string> parse_order(std::string_view text);
std::string_view to_string(Order order);

// Maps the recording's time onto the run's; both on the tap's clock.
class Schedule {
 public:
  // `longest_idle`: where the recording is silent for longer, the rest of the silence is left out.
  Schedule(const Pace& pace, CaptureTime recording_start, CaptureTime run_start, CaptureClock::duration longest_idle = CaptureClock::duration::max())
      : pace_(pace), recording_start_(recording_start), run_start_(run_start), longest_idle_(longest_idle), latest_(recording_start) {}
  // When a request of that time is to be sent; run_start for everything when flat out. To be asked in order of time.
  CaptureTime due(CaptureTime request);
  // The run begins here: a request of that time is due now. For a run that is resumed in the middle of a recording.
  void begin_at(CaptureTime request, CaptureTime now) {
    recording_start_ = latest_ = request;
    run_start_ = now;
    left_out_ = {};
  }
  // The recording's time that corresponds to a moment of the run (for flat out: shifted only).
  CaptureTime recorded_time(CaptureTime now) const;

 private:
  Pace pace_;
  CaptureTime recording_start_, run_start_;
  CaptureClock::duration longest_idle_, left_out_{};
  CaptureTime latest_;
};

}  // namespace darktap::replay
