#include "run/inbox.h"

#include "session/request_order.h"

namespace darktap::run {

void Inbox::push(Arrival&& arrival, std::size_t bytes) {
  {
    std::unique_lock lock(mutex_);
    if (when_full_ == WhenFull::wait) room_.wait(lock, [&] { return bytes_ < limit_bytes_ || input_ == Input::abandoned; });
    if (input_ == Input::abandoned) {
      if (std::holds_alternative<session::Exchange>(arrival)) ++abandoned_exchanges_;
      return;
    }
    queue_.emplace_back(std::move(arrival), bytes);
    bytes_ += bytes;
    if (queue_.size() > 1) return;  // the loop knows already that something waits
  }
  wake_();
}

void Inbox::on_session(const session::SessionInfo& info) { push(info, sizeof(Arrival)); }

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
  push(std::move(exchange), bytes);
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
  std::lock_guard lock(mutex_);
  return queue_.empty() ? nullptr : &queue_.front().first;
}

void Inbox::pop() {
  {
    std::lock_guard lock(mutex_);
    bytes_ -= queue_.front().second;
    queue_.pop_front();
  }
  room_.notify_one();
}

bool Inbox::drained() {
  std::lock_guard lock(mutex_);
  return queue_.empty() && input_ != Input::open;
}

void Inbox::abandon() {
  {
    std::lock_guard lock(mutex_);
    input_ = Input::abandoned;
    for (const auto& [arrival, bytes] : queue_)
      if (std::holds_alternative<session::Exchange>(arrival)) ++abandoned_exchanges_;
    queue_.clear();
    bytes_ = 0;
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
