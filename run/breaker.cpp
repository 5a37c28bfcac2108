#include "run/breaker.h"

namespace darktap::run {

namespace {

std::string limited(const std::string& what, const std::string& limit, const char* option) { return what + " (limit " + limit + ": " + option + ")"; }

}  // namespace

std::optional<Breaker::Excess> Breaker::excess(const Look& seen) const {
  bool enough = seen.commands >= enough_commands;
  double percent = seen.commands > 0 ? 100.0 * static_cast<double>(seen.errors) / static_cast<double>(seen.commands) : 0;
  auto text = [](auto value) { return std::to_string(static_cast<long long>(value)); };
  if (enough && percent > limits_.error_percent)
    return Excess{limited(text(percent) + " % of the commands fail", text(limits_.error_percent) + " %", "--max-error-rate"), limits_.error_limit == BreakerLimits::ErrorLimit::by_user};
  if (enough && limits_.latency_p95 && seen.latency_p95 && *seen.latency_p95 > *limits_.latency_p95)
    return Excess{limited("the target's p95 latency is " + text(seen.latency_p95->count() / 1000) + " ms", text(limits_.latency_p95->count() / 1000) + " ms", "--max-latency"), true};
  if (limits_.threads_running && seen.threads_running && *seen.threads_running > *limits_.threads_running)
    return Excess{limited(text(*seen.threads_running) + " threads are running on the target", text(*limits_.threads_running), "--max-threads-running"), true};
  if (limits_.replication_lag && seen.replication_lag && *seen.replication_lag > *limits_.replication_lag)
    return Excess{limited("the target's replication is " + text(seen.replication_lag->count()) + " s behind", text(limits_.replication_lag->count()) + " s", "--max-lag"), true};
  if (limits_.memory_bytes && seen.memory_bytes && *seen.memory_bytes > *limits_.memory_bytes)
    return Excess{limited("the target uses " + text(*seen.memory_bytes >> 20) + " MiB", text(*limits_.memory_bytes >> 20) + " MiB", "--max-target-memory"), true};
  return std::nullopt;
}

Breaker::Advice Breaker::look(const Look& seen, Time now) {
  auto over = excess(seen);
  if (!over) {
    // A second in which nothing was sent, because of easing off, says nothing of errors and latency.
    if (seen.commands > 0 || limits_.asks_the_target()) eased_since_.reset();
    return Advice::go_on;
  }
  reason_ = over->what;
  if (!eased_since_) eased_since_ = now;
  return over->by_user && now - *eased_since_ >= limits_.patience ? Advice::stop : Advice::ease_off;
}

}  // namespace darktap::run
