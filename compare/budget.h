// Questions are polite: so many a second in all, so many a fingerprint a minute.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "base/time.h"

namespace darktap::compare {

class QuestionBudget {
 public:
  QuestionBudget(double per_second, std::uint32_t per_fingerprint_minute) : per_second_(per_second), per_minute_(per_fingerprint_minute) {}

  // The first time at or after now when a question about the fingerprint may be put.
  CaptureTime next_slot(std::uint64_t fingerprint, CaptureTime now);
  // The same for any fingerprint: what the rate in all allows.
  CaptureTime next_slot(CaptureTime now) const;
  // Has the fingerprint used more than half of its minute?
  bool is_scarce(std::uint64_t fingerprint) const;
  void spend(std::uint64_t fingerprint, CaptureTime now);

 private:
  double per_second_;
  std::uint32_t per_minute_;
  CaptureTime next_{};  // tokens are spaced, with a burst of a quarter of a second's worth
  std::map<std::uint64_t, std::deque<CaptureTime>> spent_;
};

}  // namespace darktap::compare
