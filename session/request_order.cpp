#include "session/request_order.h"

#include <algorithm>

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
  hold({exchange.request_first, arrivals_++, memory_of(exchange), std::move(exchange)});
}

void RequestOrder::on_session_end(SessionId session, CaptureTime time) { hold({time, arrivals_++, sizeof(Held), session}); }

void RequestOrder::hold(Held&& held) {
  bytes_ += held.bytes;
  heap_.push_back(std::move(held));
  std::push_heap(heap_.begin(), heap_.end(), Later());
  while (bytes_ > limit_bytes_ && !heap_.empty()) release_first();
}

void RequestOrder::release_first() {
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  Held first = std::move(heap_.back());
  heap_.pop_back();
  bytes_ -= first.bytes;
  if (first.time < released_) ++out_of_order_;
  released_ = std::max(released_, first.time);
  if (auto* exchange = std::get_if<Exchange>(&first.what)) next_.on_exchange(*exchange);
  else next_.on_session_end(std::get<SessionId>(first.what), first.time);
}

void RequestOrder::finish() {
  while (!heap_.empty()) release_first();
}

}  // namespace darktap::session
