// Orders of requests that know what is still to come.
#include "session/request_order.h"

#include <algorithm>

#include "recording_support.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::session;

namespace {

CaptureTime at(std::int64_t microseconds) { return CaptureTime(std::chrono::microseconds(microseconds)); }

RequestHorizon horizon_of(const std::vector<std::int64_t>& times) {
  RequestHorizon horizon;
  for (std::int64_t time : times) horizon.note(at(time));
  horizon.end();
  return horizon;
}

}  // namespace

TEST_CASE("with a horizon, one slow exchange holds those behind its request, and no other") {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 1000; ++i) times.push_back(10 * i);
  std::rotate(times.begin() + 300, times.begin() + 301, times.begin() + 601);  // the request of 3000 is answered behind that of 6000
  const RequestHorizon horizon = horizon_of(times);
  Collected collected;
  RequestOrder order(collected, RequestOrder::default_limit_bytes, &horizon);
  std::size_t longest = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    Exchange e = query(1, static_cast<std::uint32_t>(i), "SELECT 1");
    e.request_first = at(times[i]);
    order.on_exchange(e);
    std::size_t held = i + 1 - collected.exchanges.size();
    longest = std::max(longest, held);
    if (i < 299 || i > 640) CHECK(held <= 32);  // a stretch
  }
  order.finish();
  CHECK(longest >= 300);
  CHECK(longest <= 332);
  REQUIRE(collected.exchanges.size() == times.size());
  CHECK(order.out_of_order() == 0);
  CHECK(std::is_sorted(collected.exchanges.begin(), collected.exchanges.end(), [](const Exchange& a, const Exchange& b) { return a.request_first < b.request_first; }));
}

TEST_CASE("a horizon beyond its memory's limit tells no time too late") {
  constexpr std::uint64_t limit = RequestHorizon::most_stretches * 32;
  for (std::uint64_t count : {limit - 1, limit, limit + 1}) {
    RequestHorizon horizon;
    for (std::uint64_t i = 0; i < count; ++i) horizon.note(at(static_cast<std::int64_t>(i)));
    horizon.end();
    for (std::uint64_t place : {std::uint64_t{0}, std::uint64_t{100}, count / 2, count - 1}) {
      CHECK(horizon.earliest_from(place) <= at(static_cast<std::int64_t>(place)));
      CHECK(horizon.earliest_from(place) > at(static_cast<std::int64_t>(place) - 64));
    }
    CHECK(horizon.earliest_from(count + 64) == CaptureTime::max());
  }
}

TEST_CASE("with a horizon, an order hands over a session's end behind its last exchange") {
  const RequestHorizon horizon = horizon_of({10, 20, 15});
  struct Log final : ExchangeSink {
    std::vector<std::string> lines;
    void on_session(const SessionInfo&) override {}
    void on_exchange(Exchange& e) override { lines.push_back("exchange " + std::to_string(e.id.seq)); }
    void on_session_end(SessionId, CaptureTime) override { lines.push_back("end"); }
  } log;
  RequestOrder order(log, RequestOrder::default_limit_bytes, &horizon);
  std::uint32_t seq = 0;
  for (std::int64_t time : {10, 20, 15}) {
    Exchange e = query(1, seq++, "SELECT 1");
    e.request_first = at(time);
    order.on_exchange(e);
  }
  order.on_session_end(SessionId{1}, at(30));
  order.finish();
  CHECK(log.lines == std::vector<std::string>{"exchange 0", "exchange 2", "exchange 1", "end"});
}
