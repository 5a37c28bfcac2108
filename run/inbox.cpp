#include "run/inbox.h"

#include <algorithm>
#include <iterator>

#include "session/request_order.h"

namespace darktap::run {

void Inbox::push(Arrival&& arrival, std::size_t bytes) {
  {
    std::unique_lock lock(mutex_);
    if (when_full_ == WhenFull::wait && bytes_ >= limit_bytes_ && input_ != Input::abandoned) {
      reader_ = Reader::waits;
      room_.wait(lock, [&] { return bytes_ < limit_bytes_ || input_ == Input::abandoned; });
      reader_ = Reader::runs;
    }
    if (input_ == Input::abandoned) {
      if (std::holds_alternative<session::ExchangePtr>(arrival)) ++abandoned_exchanges_;
      return;
    }
    if (spares_.empty()) spares_.swap(given_back_);
    queue_.emplace_back(std::move(arrival), bytes);
    bytes_ += bytes;
    if (queue_.size() > 1) return;  // the loop knows already that something waits
  }
  wake_();
}

void Inbox::on_session(const session::SessionInfo& info) { push(std::make_unique<session::SessionInfo>(info), sizeof info + sizeof(Arrival)); }

void Inbox::on_exchange(session::Exchange& exchange) {
  if (when_full_ == WhenFull::shed_session) {
    std::lock_guard lock(mutex_);
    if (bytes_ >= limit_bytes_) shed_sessions_.insert(exchange.id.session);
    if (shed_sessions_.contains(exchange.id.session)) {
      ++shed_;
      return;
    }
  }
  std::size_t bytes = session::memory_of(exchange) + sizeof(Arrival);
  session::ExchangePtr box;
  if (spares_.empty()) {
    box = std::make_unique<session::Exchange>();
  } else {
    box = std::move(spares_.back());
    spares_.pop_back();
  }
  swap(*box, exchange);
  push(std::move(box), bytes);
}

void Inbox::give_back(std::vector<session::ExchangePtr>& spent) {
  std::lock_guard lock(mutex_);
  std::size_t room = most_spares - std::min(most_spares, given_back_.size());
  auto last = spent.begin() + static_cast<std::ptrdiff_t>(std::min(room, spent.size()));
  std::move(spent.begin(), last, std::back_inserter(given_back_));
}

void Inbox::on_session_end(SessionId session, CaptureTime time) {
  {
    std::lock_guard lock(mutex_);
    shed_sessions_.erase(session);
  }
  push(SessionEnded{session, time}, sizeof(Arrival));
}

void Inbox::close() {
  {
    std::lock_guard lock(mutex_);
    if (input_ == Input::open) input_ = Input::closed;
  }
  wake_();
}

Arrival* Inbox::front() {
  if (taken_.empty()) {
    std::lock_guard lock(mutex_);
    taken_.swap(queue_);
  }
  return taken_.empty() ? nullptr : &taken_.front().first;
}

void Inbox::pop() {
  handled_bytes_ += taken_.front().second;
  taken_.pop_front();
  auto coming = [&](std::size_t i) {
    auto* box = i < taken_.size() ? std::get_if<session::ExchangePtr>(&taken_[i].first) : nullptr;
    return box != nullptr ? box->get() : nullptr;
  };
  if (const session::Exchange* soon = coming(3)) session::prefetch(*soon);
  if (const session::Exchange* next = coming(1)) session::prefetch_statement(*next);
  if (taken_.empty() || handled_bytes_ > limit_bytes_ / 8) release();
}

// Tells the reader of the room that has become free; now and then, since each time costs a lock.
void Inbox::release() {
  bool waits = false;
  {
    std::lock_guard lock(mutex_);
    bytes_ -= handled_bytes_;
    waits = reader_ == Reader::waits;
  }
  handled_bytes_ = 0;
  if (waits) room_.notify_one();
}

bool Inbox::drained() {
  if (!taken_.empty()) return false;
  std::lock_guard lock(mutex_);
  return queue_.empty() && input_ != Input::open;
}

void Inbox::abandon() {
  {
    std::lock_guard lock(mutex_);
    input_ = Input::abandoned;
    for (const Queue* queue : {&taken_, &queue_})
      for (const auto& [arrival, bytes] : *queue)
        if (std::holds_alternative<session::ExchangePtr>(arrival)) ++abandoned_exchanges_;
    taken_.clear();
    queue_.clear();
    bytes_ = handled_bytes_ = 0;
  }
  room_.notify_all();
}

std::uint64_t Inbox::shed_exchanges() {
  std::lock_guard lock(mutex_);
  return shed_;
}

std::uint64_t Inbox::abandoned_exchanges() {
  std::lock_guard lock(mutex_);
  return abandoned_exchanges_;
}

}  // namespace darktap::run
