// Which share of the sessions takes part at a moment of the run: load that rises by whole sessions.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "base/ids.h"

namespace darktap::replay {

struct Ramp {
  double from = 100, to = 100;  // percent of the sessions
  std::chrono::nanoseconds over{};

  // Of a hundred sessions so many take part, so long after the run's begin.
  double share(std::chrono::nanoseconds since_begin) const;
  // A session that takes part goes on to its end; which ones do is decided by their number alone, so that two runs of a
  // recording ramp up by the same sessions.
  bool admits(SessionId session, std::chrono::nanoseconds since_begin) const;
};

// "1%..100%/10m"; one line where it is none, or the shares aren't rising from above 0 % to at most 100 %.
Expected<Ramp, std::string> parse_ramp(std::string_view text);

}  // namespace darktap::replay
