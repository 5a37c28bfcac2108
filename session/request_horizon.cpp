#include "session/request_horizon.h"

#include <algorithm>

namespace darktap::session {

void RequestHorizon::note(CaptureTime request) {
  std::size_t number = static_cast<std::size_t>(noted_ / stretch_);
  if (number >= most_stretches) {
    for (std::size_t i = 0; i < most_stretches / 2; ++i) earliest_[i] = std::min(earliest_[2 * i], earliest_[2 * i + 1]);
    earliest_.resize(most_stretches / 2);
    stretch_ *= 2;
    number = static_cast<std::size_t>(noted_ / stretch_);
  }
  if (number == earliest_.size()) earliest_.push_back(request);
  earliest_[number] = std::min(earliest_[number], request);
  ++noted_;
}

void RequestHorizon::end() {
  for (std::size_t i = earliest_.size(); i-- > 1;) earliest_[i - 1] = std::min(earliest_[i - 1], earliest_[i]);
}

CaptureTime RequestHorizon::earliest_from(std::uint64_t place) const {
  const std::uint64_t number = place / stretch_;
  return number < earliest_.size() ? earliest_[static_cast<std::size_t>(number)] : CaptureTime::max();
}

}  // namespace darktap::session
