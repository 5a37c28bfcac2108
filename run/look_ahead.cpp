#include "look_ahead.h"

#include "session/request_order.h"

namespace darktap::run {

void LookAhead::announce(const Arrival& arrival) {
  if (const auto* info = std::get_if<std::unique_ptr<session::SessionInfo>>(&arrival)) sessions_[(*info)->id] = **info;
  if (const auto* ended = std::get_if<SessionEnded>(&arrival)) {
    sessions_.erase(ended->session);
    understanding_.forget(ended->session);
  }
  const auto* box = std::get_if<session::ExchangePtr>(&arrival);
  if (box == nullptr) return;
  const session::Exchange* exchange = box->get();
  auto meaning = understanding_.of(sessions_[exchange->id.session], *exchange);
  order_->announce(*exchange, *meaning, replay::decide(*exchange, *meaning, policy_));
}

Arrival* LookAhead::front() {
  if (order_ == nullptr) return inbox_.front();
  while (bytes_ < limit_bytes) {
    Arrival* next = inbox_.front();
    if (next == nullptr) break;
    const auto* exchange = std::get_if<session::ExchangePtr>(next);
    std::size_t bytes = exchange != nullptr ? session::memory_of(**exchange) : sizeof(Arrival);
    announce(*next);
    held_.emplace_back(std::move(*next), bytes);
    bytes_ += bytes;
    inbox_.pop();
  }
  if (!is_whole_ && inbox_.drained()) {
    is_whole_ = true;
    order_->announced_all();
  }
  return held_.empty() ? nullptr : &held_.front().first;
}

void LookAhead::pop() {
  if (order_ == nullptr) return inbox_.pop();
  bytes_ -= held_.front().second;
  held_.pop_front();
}

std::uint64_t LookAhead::abandon() {
  std::uint64_t exchanges = 0;
  for (const auto& [arrival, bytes] : held_) exchanges += std::holds_alternative<session::ExchangePtr>(arrival) ? 1 : 0;
  held_.clear();
  bytes_ = 0;
  return exchanges;
}

}  // namespace darktap::run
