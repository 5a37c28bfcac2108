// What the tap has measured of production's round trips so far: told by the thread that reads, asked for by the engine's.
#pragma once

#include <mutex>

#include "base/round_trips.h"

namespace darktap::run {

class RoundTripsSeen {
 public:
  void tell(const RoundTrips& found) {
    const std::lock_guard lock(mutex_);
    found_ = found;
  }
  RoundTrips found() const {
    const std::lock_guard lock(mutex_);
    return found_;
  }

 private:
  mutable std::mutex mutex_;
  RoundTrips found_;
};

}  // namespace darktap::run
