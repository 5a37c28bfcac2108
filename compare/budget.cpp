#include "budget.h"

#include <algorithm>

namespace darktap::compare {

namespace {
constexpr std::chrono::nanoseconds burst = std::chrono::milliseconds(250);
constexpr std::chrono::nanoseconds minute = std::chrono::minutes(1);
constexpr std::chrono::nanoseconds never = std::chrono::hours(24 * 365);
}  // namespace

CaptureTime QuestionBudget::next_slot(CaptureTime now) const {
  return per_second_ <= 0 ? now + never : std::max(now, next_ - burst);
}

CaptureTime QuestionBudget::next_slot(std::uint64_t fingerprint, CaptureTime now) {
  if (per_second_ <= 0 || per_minute_ == 0) return now + never;
  CaptureTime slot = next_slot(now);
  auto spent = spent_.find(fingerprint);
  if (spent == spent_.end()) return slot;
  auto& times = spent->second;
  while (!times.empty() && times.front() + minute <= now) times.pop_front();
  if (times.size() >= per_minute_) slot = std::max(slot, times[times.size() - per_minute_] + minute);
  if (times.empty()) spent_.erase(spent);
  return slot;
}

bool QuestionBudget::is_scarce(std::uint64_t fingerprint) const {
  auto spent = spent_.find(fingerprint);
  return spent != spent_.end() && spent->second.size() > per_minute_ / 2;
}

void QuestionBudget::spend(std::uint64_t fingerprint, CaptureTime now) {
  next_ = std::max(next_, now) + std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(1.0 / per_second_));
  spent_[fingerprint].push_back(now);
}

}  // namespace darktap::compare
