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
  std::size_t place = places_.size();
  if (free_places_.empty()) {
    places_.emplace_back();
  } else {
    place = free_places_.back();
    free_places_.pop_back();
  }
  const CaptureTime time = exchange.request_first;
  const std::size_t bytes = memory_of(exchange);
  swap(places_[place], exchange);
  ++taken_;
  hold({time, arrivals_++, bytes, place, {}});
}

void RequestOrder::on_session_end(SessionId session, CaptureTime time) { hold({time, arrivals_++, sizeof(Held), no_place, session}); }

void RequestOrder::hold(const Held& what) {
  bytes_ += what.bytes;
  heap_.push_back(what);
  std::push_heap(heap_.begin(), heap_.end(), Later());
  auto settled = [&] { return horizon_ != nullptr && heap_.front().time <= horizon_->earliest_from(taken_); };
  while (!heap_.empty() && (bytes_ > limit_bytes_ || settled())) release_first();
}

void RequestOrder::release_first() {
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  Held first = heap_.back();
  heap_.pop_back();
  bytes_ -= first.bytes;
  if (first.time < released_) ++out_of_order_;
  released_ = std::max(released_, first.time);
  if (first.place == no_place) return next_.on_session_end(first.ended, first.time);
  next_.on_exchange(places_[first.place]);
  free_places_.push_back(first.place);
}

void RequestOrder::finish() {
  while (!heap_.empty()) release_first();
}

}  // namespace darktap::session
