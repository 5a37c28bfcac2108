#include "run/inbox.h"

#include <thread>

#include "session/request_order.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::run;

namespace {

session::Exchange exchange(std::uint64_t session, std::uint32_t seq) {
  session::Exchange e;
  e.id = {SessionId{session}, seq};
  e.command.text = "SELECT 1";
  return e;
}

std::size_t weight() { return session::memory_of(exchange(1, 0)) + sizeof(Arrival); }

std::vector<session::ExchangeId> drain(Inbox& inbox) {
  std::vector<session::ExchangeId> ids;
  while (Arrival* next = inbox.front()) {
    if (auto* e = std::get_if<session::ExchangePtr>(next)) ids.push_back((*e)->id);
    inbox.pop();
  }
  return ids;
}

}  // namespace

TEST_CASE("a live inbox that is full drops the rest of that session, counts it, and lets others in once there is room") {
  Inbox inbox(2 * weight(), Inbox::WhenFull::shed_session, [] {});
  auto push = [&](std::uint64_t session, std::uint32_t seq) {
    session::Exchange e = exchange(session, seq);
    inbox.on_exchange(e);
  };
  push(1, 0);
  push(2, 0);
  push(1, 1);  // full
  CHECK(inbox.shed_exchanges() == 1);
  CHECK(drain(inbox).size() == 2);
  push(1, 2);  // there is room again, but the session has a hole
  push(2, 1);
  CHECK(inbox.shed_exchanges() == 2);
  CHECK(drain(inbox) == std::vector<session::ExchangeId>{{SessionId{2}, 1}});
  inbox.on_session_end(SessionId{1}, {});
  CHECK_FALSE(inbox.drained());
  inbox.close();
  drain(inbox);
  CHECK(inbox.drained());
}

TEST_CASE("a recording's reader waits for room, and nothing is lost") {
  Inbox inbox(2 * weight(), Inbox::WhenFull::wait, [] {});
  constexpr std::uint32_t count = 500;
  std::thread reader([&] {
    for (std::uint32_t i = 0; i < count; ++i) {
      session::Exchange e = exchange(1, i);
      inbox.on_exchange(e);
    }
    inbox.close();
  });
  std::uint32_t next = 0;
  while (!inbox.drained())
    for (session::ExchangeId id : drain(inbox)) REQUIRE(id.seq == next++);
  reader.join();
  CHECK(next == count);
  CHECK(inbox.shed_exchanges() == 0);
}

TEST_CASE("a reader that waits is let go when the run is abandoned, and what it brought is counted") {
  Inbox inbox(1, Inbox::WhenFull::wait, [] {});
  std::thread reader([&] {
    for (std::uint32_t i = 0; i < 5; ++i) {
      session::Exchange e = exchange(1, i);
      inbox.on_exchange(e);
    }
  });
  while (inbox.front() == nullptr) std::this_thread::yield();
  inbox.abandon();
  reader.join();
  CHECK(inbox.abandoned_exchanges() == 5);
  CHECK(inbox.drained());
}
