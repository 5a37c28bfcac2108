#include "client/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/expected.h"

namespace darktap::client {
namespace {

constexpr std::size_t events_a_round = 256;

[[noreturn]] void no_descriptors(const char* what) {
  throw Failure(FailureKind::environment, std::string(what) + ": " + std::strerror(errno) +
                                              "; expected a free file descriptor: raise the limit (ulimit -n)");
}

std::uint32_t epoll_events(Interest interest) {
  return (wants(interest, Interest::read) ? std::uint32_t{EPOLLIN | EPOLLRDHUP} : 0U) |
         (wants(interest, Interest::write) ? std::uint32_t{EPOLLOUT} : 0U);
}

// epoll_pwait2 waits in nanoseconds (Linux 5.11); older kernels get milliseconds, rounded down so that no timer is late.
int wait_for_events(int epoll, epoll_event* events, std::chrono::nanoseconds longest) {
  static std::atomic<bool> has_pwait2{true};
  if (has_pwait2.load(std::memory_order_relaxed)) {
    timespec limit{static_cast<time_t>(longest.count() / 1'000'000'000), static_cast<long>(longest.count() % 1'000'000'000)};
    int count = epoll_pwait2(epoll, events, events_a_round, &limit, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    has_pwait2 = false;
  }
  return epoll_wait(epoll, events, events_a_round, static_cast<int>(std::min<std::int64_t>(longest.count() / 1'000'000, 60'000)));
}

}  // namespace

struct EventLoop::State {
  struct Slot {
    Watcher* watcher = nullptr;
    std::uint32_t generation = 0;  // tells an event for an earlier owner of the same number apart
    Interest interest = Interest::none;
  };
  using TimerKey = std::pair<Clock::time_point, std::uint64_t>;

  int epoll = -1, wake = -1;
  std::vector<Slot> slots;  // by file descriptor
  std::map<TimerKey, Callback> timers;
  std::unordered_map<std::uint64_t, Clock::time_point> timer_times;
  std::uint64_t last_timer = 0;
  std::mutex posted_mutex;
  std::vector<Callback> posted;
  std::atomic<bool> stopping{false};

  void apply(int operation, int fd) {
    Slot& slot = slots[static_cast<std::size_t>(fd)];
    epoll_event event{};
    event.events = epoll_events(slot.interest);
    event.data.u64 = std::uint64_t{slot.generation} << 32 | static_cast<std::uint32_t>(fd);
    if (epoll_ctl(epoll, operation, fd, &event) != 0 && operation == EPOLL_CTL_ADD) no_descriptors("epoll");
  }

  void drain_wake() {
    std::uint64_t count;
    [[maybe_unused]] ssize_t got = ::read(wake, &count, sizeof count);
  }
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  state_->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (state_->epoll < 0) no_descriptors("epoll");
  state_->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (state_->wake < 0) {
    ::close(state_->epoll);
    no_descriptors("eventfd");
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<std::uint32_t>(state_->wake);
  if (epoll_ctl(state_->epoll, EPOLL_CTL_ADD, state_->wake, &event) != 0) no_descriptors("epoll");
}

EventLoop::~EventLoop() {
  ::close(state_->wake);
  ::close(state_->epoll);
}

void EventLoop::watch(int fd, Interest interest, Watcher& watcher) {
  auto index = static_cast<std::size_t>(fd);
  if (index >= state_->slots.size()) state_->slots.resize(std::max<std::size_t>(index + 1, state_->slots.size() * 2));
  State::Slot& slot = state_->slots[index];
  slot.watcher = &watcher;
  slot.interest = interest;
  ++slot.generation;
  state_->apply(EPOLL_CTL_ADD, fd);
}

void EventLoop::change(int fd, Interest interest) {
  State::Slot& slot = state_->slots.at(static_cast<std::size_t>(fd));
  if (slot.interest == interest) return;
  slot.interest = interest;
  state_->apply(EPOLL_CTL_MOD, fd);
}

void EventLoop::unwatch(int fd) {
  State::Slot& slot = state_->slots.at(static_cast<std::size_t>(fd));
  slot.watcher = nullptr;
  ++slot.generation;
  state_->apply(EPOLL_CTL_DEL, fd);
}

EventLoop::TimerId EventLoop::at(Clock::time_point time, Callback callback) {
  std::uint64_t id = ++state_->last_timer;
  state_->timers.emplace(State::TimerKey{time, id}, std::move(callback));
  state_->timer_times.emplace(id, time);
  return {id};
}

void EventLoop::cancel(TimerId timer) {
  auto found = state_->timer_times.find(timer.value);
  if (found == state_->timer_times.end()) return;
  state_->timers.erase({found->second, timer.value});
  state_->timer_times.erase(found);
}

void EventLoop::post(Callback callback) {
  {
    std::lock_guard lock(state_->posted_mutex);
    state_->posted.push_back(std::move(callback));
  }
  wake();
}

void EventLoop::wake() noexcept {
  int saved = errno;  // a signal handler may not disturb it
  std::uint64_t one = 1;
  [[maybe_unused]] ssize_t sent = ::write(state_->wake, &one, sizeof one);
  errno = saved;
}

void EventLoop::run_once(std::chrono::nanoseconds longest) {
  if (!state_->timers.empty())
    longest = std::min<std::chrono::nanoseconds>(longest, state_->timers.begin()->first.first - Clock::now());
  std::array<epoll_event, events_a_round> events;
  int count = wait_for_events(state_->epoll, events.data(), std::max(longest, std::chrono::nanoseconds{0}));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto fd = static_cast<int>(event.data.u64 & 0xffffffff);
    if (fd == state_->wake) {
      state_->drain_wake();
      continue;
    }
    const State::Slot& slot = state_->slots[static_cast<std::size_t>(fd)];
    if (slot.watcher == nullptr || slot.generation != event.data.u64 >> 32) continue;
    bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    bool readable = broken || (event.events & (EPOLLIN | EPOLLRDHUP)) != 0;
    bool writable = broken || (event.events & EPOLLOUT) != 0;
    slot.watcher->on_ready(readable && writable ? Interest::both : writable ? Interest::write : Interest::read);
  }

  std::vector<Callback> posted;
  {
    std::lock_guard lock(state_->posted_mutex);
    posted.swap(state_->posted);
  }
  for (Callback& callback : posted) callback();

  // A timer set by a timer for right now waits for the next round, so that sockets get their turn.
  std::uint64_t newest = state_->last_timer;
  Clock::time_point now = Clock::now();
  while (!state_->timers.empty()) {
    auto first = state_->timers.begin();
    if (first->first.first > now || first->first.second > newest) break;
    Callback callback = std::move(first->second);
    state_->timer_times.erase(first->first.second);
    state_->timers.erase(first);
    callback();
  }
}

void EventLoop::run() {
  state_->stopping = false;
  while (!state_->stopping) run_once(std::chrono::hours{1});
}

void EventLoop::stop() {
  state_->stopping = true;
  wake();
}

}  // namespace darktap::client
