// Timers, posts and watchers of the event loop.
#include "client/event_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "test_support/catch.h"

using namespace darktap::client;
using namespace std::chrono_literals;

namespace {

struct Counting final : Watcher {
  std::function<void(Interest)> act;
  int calls = 0;
  void on_ready(Interest ready) override {
    ++calls;
    if (act) act(ready);
  }
};

struct SocketPair {
  std::array<int, 2> fd{};
  SocketPair() { ::socketpair(AF_UNIX, SOCK_STREAM, 0, fd.data()); }
  ~SocketPair() { ::close(fd[0]), ::close(fd[1]); }
};

}  // namespace

TEST_CASE("Timers run in order of their time, and a cancelled one never") {
  EventLoop loop;
  std::vector<int> ran;
  auto now = EventLoop::Clock::now();
  loop.at(now + 2ms, [&] { ran.push_back(2); });
  loop.at(now + 1ms, [&] { ran.push_back(1); });
  auto cancelled = loop.at(now + 1ms, [&] { ran.push_back(9); });
  loop.at(now + 3ms, [&] { ran.push_back(3); loop.stop(); });
  loop.cancel(cancelled);
  loop.cancel(cancelled);
  loop.run();
  CHECK(ran == std::vector{1, 2, 3});
}

TEST_CASE("A timer is never early") {
  EventLoop loop;
  auto due = EventLoop::Clock::now() + 1500us;
  EventLoop::Clock::time_point ran;
  loop.at(due, [&] { ran = EventLoop::Clock::now(); loop.stop(); });
  loop.run();
  CHECK(ran >= due);
}

TEST_CASE("A timer that sets itself for now does not starve the sockets") {
  EventLoop loop;
  SocketPair pair;
  Counting watcher;
  watcher.act = [&](Interest) { loop.stop(); };
  loop.watch(pair.fd[0], Interest::read, watcher);
  std::function<void()> again = [&] { loop.after(0ns, again); };
  again();
  REQUIRE(::write(pair.fd[1], "x", 1) == 1);
  loop.run();
  CHECK(watcher.calls == 1);
  loop.unwatch(pair.fd[0]);
}

TEST_CASE("A post from another thread runs in the loop's thread") {
  EventLoop loop;
  std::thread::id ran_in;
  std::thread other([&] { loop.post([&] { ran_in = std::this_thread::get_id(); loop.stop(); }); });
  loop.run();
  other.join();
  CHECK(ran_in == std::this_thread::get_id());
}

TEST_CASE("A wake ends a long wait") {
  EventLoop loop;
  auto begin = EventLoop::Clock::now();
  loop.wake();
  loop.run_once(10s);
  CHECK(EventLoop::Clock::now() - begin < 5s);
}

TEST_CASE("No wake is lost between two threads that wake each other") {
  constexpr int turns = 20'000;
  EventLoop one, other;
  std::atomic<int> ball{0};
  auto play = [&](EventLoop& mine, EventLoop& theirs, int odd) {
    while (ball < turns) {
      if (ball % 2 == odd) {
        ++ball;
        theirs.wake();
        theirs.wake();  // a second one is the same
      } else {
        mine.run_once(1h);  // for ever, were one lost
      }
    }
    theirs.wake();
  };
  std::thread thread([&] { play(other, one, 1); });
  play(one, other, 0);
  thread.join();
  CHECK(ball == turns);
}

TEST_CASE("A watcher that unwatches another keeps its pending event from it, even where the descriptor's number is used again") {
  EventLoop loop;
  SocketPair pair;
  auto other = std::make_unique<SocketPair>();
  Counting first, second, third;
  int reused = other->fd[0];
  first.act = [&](Interest) {
    loop.unwatch(pair.fd[0]);
    loop.unwatch(reused);
    other.reset();
    int again = ::dup(pair.fd[1]);  // takes the lowest free number
    CHECK(again == reused);
    loop.watch(again, Interest::read, third);
  };
  loop.watch(pair.fd[0], Interest::read, first);
  loop.watch(reused, Interest::read, second);
  REQUIRE(::write(pair.fd[1], "x", 1) == 1);
  REQUIRE(::write(other->fd[1], "x", 1) == 1);
  loop.run_once(1s);
  CHECK(first.calls == 1);
  CHECK(second.calls == 0);
  CHECK(third.calls == 0);
  loop.unwatch(reused);
  ::close(reused);
}
