// The circuit breaker: decides once a second from what the target shows whether a run goes on, eases off, or stops. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace darktap::run {

struct BreakerLimits {
  double error_percent = 90;  // of a second's commands: failed, or answered by an error where the source had none
  std::optional<std::chrono::microseconds> latency_p95;
  std::optional<std::uint64_t> threads_running;
  std::optional<std::chrono::seconds> replication_lag;
  std::optional<std::uint64_t> memory_bytes;  // that the server says it uses (MariaDB)
  enum class ErrorLimit : std::uint8_t { by_default, by_user } error_limit = ErrorLimit::by_default;
  std::chrono::seconds patience{30};  // of easing off, before a limit that the user set stops the run

  bool asks_the_target() const { return threads_running || replication_lag || memory_bytes; }
};

class Breaker {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t enough_commands = 50;  // in a second, to speak of an error rate or a latency

  // Of the time since the last look. What the target wouldn't tell is nothing.
  struct Look {
    std::uint64_t commands = 0, errors = 0;
    std::optional<std::chrono::microseconds> latency_p95;
    std::optional<std::uint64_t> threads_running, memory_bytes;
    std::optional<std::chrono::seconds> replication_lag;
  };
  enum class Advice : std::uint8_t { go_on, ease_off, stop };

  explicit Breaker(const BreakerLimits& limits) : limits_(limits) {}
  Advice look(const Look& seen, Time now);
  // "61 threads are running (limit 40: --max-threads-running)"; of the last look that wasn't go_on.
  const std::string& reason() const { return reason_; }

 private:
  struct Excess {
    std::string what;
    bool by_user = false;
  };
  std::optional<Excess> excess(const Look& seen) const;

  BreakerLimits limits_;
  std::optional<Time> eased_since_;
  std::string reason_;
};

}  // namespace darktap::run
