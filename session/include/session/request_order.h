// Exchanges close when their answer ends, so a slow one comes after those that began later. This puts them back in order of
// request time, in bounded memory: only beyond the limit is the oldest let go early, and counted.
#pragma once

#include <deque>
#include <tuple>
#include <vector>

#include "session/exchange.h"
#include "session/request_horizon.h"

namespace darktap::session {

class RequestOrder final : public ExchangeSink {
 public:
  static constexpr std::size_t default_limit_bytes = 32U << 20;

  // `horizon`, where the input was read before: what no later exchange can come before is let go at once. It must outlive the order.
  explicit RequestOrder(ExchangeSink& next, std::size_t limit_bytes = default_limit_bytes, const RequestHorizon* horizon = nullptr)
      : next_(next), limit_bytes_(limit_bytes), horizon_(horizon) {}

  void on_session(const SessionInfo& info) override { next_.on_session(info); }
  void on_exchange(Exchange& exchange) override;
  void on_session_end(SessionId session, CaptureTime time) override;
  // Hands over what is held; call it when nothing more comes.
  void finish();
  // Exchanges that came so late that a later one had been handed over before.
  std::uint64_t out_of_order() const { return out_of_order_; }

 private:
  struct Held {
    CaptureTime time;
    std::uint64_t arrival;
    std::size_t bytes;
    std::size_t place;  // of the exchange, or no_place: the heap moves these few words, never an exchange
    SessionId ended;    // where there is none
  };
  static constexpr std::size_t no_place = static_cast<std::size_t>(-1);
  struct Later {
    bool operator()(const Held& a, const Held& b) const { return std::tie(a.time, a.arrival) > std::tie(b.time, b.arrival); }
  };
  void hold(const Held& what);
  void release_first();

  ExchangeSink& next_;
  std::size_t limit_bytes_;
  const RequestHorizon* horizon_;
  std::uint64_t taken_ = 0;  // exchanges
  std::vector<Held> heap_;
  std::deque<Exchange> places_;  // one that is free keeps its storage for the next
  std::vector<std::size_t> free_places_;
  std::size_t bytes_ = 0;
  std::uint64_t arrivals_ = 0, out_of_order_ = 0;
  CaptureTime released_;
};

// About how much memory an exchange takes.
std::size_t memory_of(const Exchange& exchange);

}  // namespace darktap::session
