// How long an order of requests must wait: from each place of an input on, the earliest request that is still to come. Noted in a
// first reading, so that in the second one nothing is held that no later exchange can come before.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace darktap::session {

class RequestHorizon {
 public:
  // Its memory: so many times. A longer input is told by longer stretches, and holds a little more.
  static constexpr std::size_t most_stretches = std::size_t{1} << 17;

  // The first reading: each exchange in the order in which it comes, then the end.
  void note(CaptureTime request);
  void end();

  // After end(): no exchange from this place on (counted from 0) was requested earlier.
  CaptureTime earliest_from(std::uint64_t place) const;

 private:
  std::vector<CaptureTime> earliest_;  // of each stretch; after end(), of it and all behind it
  std::uint64_t stretch_ = 32, noted_ = 0;
};

}  // namespace darktap::session
