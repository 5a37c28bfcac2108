// One thread's event loop: sockets (epoll), timers, and a wake from other threads. A run drives its replay, its questions
// and its store from one such loop; nothing here locks but post() and wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/ids.h"
#include "base/time.h"

namespace darktap::client {

enum class Interest : std::uint8_t { none = 0, read = 1, write = 2, both = 3 };
constexpr bool wants(Interest interest, Interest part) {
  return (static_cast<unsigned>(interest) & static_cast<unsigned>(part)) != 0;
}

// What a file descriptor belongs to. It may unwatch, close or destroy anything inside on_ready, itself included.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // `ready` is read, write or both; an error or hang-up counts as both, so that the next read or write tells it.
  virtual void on_ready(Interest ready) = 0;
};

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using TimerId = Named<struct TimerIdTag, std::uint64_t>;  // 0 is never given out
  using Callback = std::function<void()>;

  EventLoop();  // throws Failure(environment) where the system has no descriptors left
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // One watcher a descriptor; the descriptor stays the caller's and must be unwatched before it is closed.
  void watch(int fd, Interest interest, Watcher& watcher);
  void change(int fd, Interest interest);
  void unwatch(int fd);

  // Runs once at or after the given time, in order of time. Never runs late because of rounding: waits are in nanoseconds.
  TimerId at(Clock::time_point time, Callback callback);
  TimerId after(std::chrono::nanoseconds delay, Callback callback) { return at(Clock::now() + delay, std::move(callback)); }
  // The same for a time on the tap's clock, mapped once, now.
  TimerId at(CaptureTime time, Callback callback) { return after(time - CaptureClock::now(), std::move(callback)); }
  // Does nothing for a timer that has run or was never set.
  void cancel(TimerId timer);

  // Runs in the loop's thread, soon; may be called from any thread.
  void post(Callback callback);
  // Makes a waiting run_once return; may be called from any thread and from a signal handler.
  void wake() noexcept;

  // Waits at most `longest` for something to do, then does all that is due: sockets, posted calls, timers.
  void run_once(std::chrono::nanoseconds longest);
  // Until stop() is called from a callback or another thread.
  void run();
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::client
