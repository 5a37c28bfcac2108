#include "run/inbox.h"

#include <algorithm>
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

TEST_CASE("an exchange that was given back lends its storage to the next, and nothing of what it held") {
  Inbox inbox(1 << 20, Inbox::WhenFull::wait, [] {});
  session::Exchange first = exchange(1, 0);
  first.command.text = std::string(1000, 'x');
  first.why = "of the first";
  inbox.on_exchange(first);
  session::ExchangePtr box = std::move(std::get<session::ExchangePtr>(*inbox.front()));
  inbox.pop();
  const session::Exchange* storage = box.get();
  std::vector<session::ExchangePtr> spent;
  spent.push_back(std::move(box));
  inbox.give_back(spent);
  for (std::uint32_t seq : {1U, 2U}) {  // spares are looked for when one is handed over: for the one after it
    session::Exchange next = exchange(1, seq);
    inbox.on_exchange(next);
  }
  auto* second = std::get_if<session::ExchangePtr>(inbox.front());
  REQUIRE(second != nullptr);
  inbox.pop();
  auto* third = std::get_if<session::ExchangePtr>(inbox.front());
  REQUIRE(third != nullptr);
  CHECK(third->get() == storage);
  CHECK((*third)->id.seq == 2);
  CHECK((*third)->command.text == "SELECT 1");
  CHECK((*third)->why.empty());
}

TEST_CASE("no more than most_spares exchanges are kept for their storage") {
  Inbox inbox(1 << 20, Inbox::WhenFull::wait, [] {});
  std::vector<session::ExchangePtr> spent;
  for (std::size_t i = 0; i < Inbox::most_spares + 1; ++i) spent.push_back(std::make_unique<session::Exchange>());
  inbox.give_back(spent);
  auto left = std::count_if(spent.begin(), spent.end(), [](const session::ExchangePtr& box) { return box != nullptr; });
  CHECK(left == 1);
}
