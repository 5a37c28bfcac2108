#include "session/request_order.h"

#include <algorithm>
#include <utility>

namespace darktap::session {

std::size_t memory_of(const Exchange& exchange) {
  std::size_t bytes = sizeof exchange + exchange.command.text.size() + exchange.user.size() + exchange.schema.size();
  for (const mysql::Parameter& p : exchange.command.parameters) bytes += sizeof p + p.bytes.size();
  for (const mysql::Result& result : exchange.answer.results) {
    bytes += sizeof result;
    if (const auto* set = std::get_if<mysql::ResultSet>(&result)) bytes += set->rows.byte_size() + set->columns.size() * (sizeof(mysql::Column) + 64);
  }
  return bytes;
}

void RequestOrder::on_exchange(Exchange& exchange) {
  std::size_t bytes = memory_of(exchange);
  latest_ = std::max(latest_, exchange.request_first);
  hold(exchange.request_first, bytes, std::move(exchange));
}

void RequestOrder::on_session_end(SessionId session, CaptureTime time) { hold(time, sizeof(Held) + sizeof(What), session); }

void RequestOrder::hold(CaptureTime time, std::size_t bytes, What&& what) {
  std::size_t place = places_.size();
  if (free_places_.empty()) {
    places_.push_back(std::move(what));
  } else {
    place = free_places_.back();
    free_places_.pop_back();
    places_[place] = std::move(what);
  }
  bytes_ += bytes;
  heap_.push_back({time, arrivals_++, bytes, place});
  std::push_heap(heap_.begin(), heap_.end(), Later());
  auto settled = [&] { return disorder_ != CaptureClock::duration::max() && latest_ != CaptureTime::min() && latest_ - heap_.front().time > disorder_; };
  while (!heap_.empty() && (bytes_ > limit_bytes_ || settled())) release_first();
}

void RequestOrder::release_first() {
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  Held first = heap_.back();
  heap_.pop_back();
  bytes_ -= first.bytes;
  if (first.time < released_) ++out_of_order_;
  released_ = std::max(released_, first.time);
  What what = std::exchange(places_[first.place], SessionId{});
  free_places_.push_back(first.place);
  if (auto* exchange = std::get_if<Exchange>(&what)) next_.on_exchange(*exchange);
  else next_.on_session_end(std::get<SessionId>(what), first.time);
}

void RequestOrder::finish() {
  while (!heap_.empty()) release_first();
}

}  // namespace darktap::session
