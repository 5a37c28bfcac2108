// room: base; forbidden: a packet's time can't be subtracted from the steady clock
#include <chrono>

#include "base/time.h"

auto elapsed(darktap::CaptureTime seen, darktap::CaptureTime now) {
#ifdef FORBIDDEN
  return std::chrono::steady_clock::now() - seen;
#else
  return now - seen;
#endif
}
