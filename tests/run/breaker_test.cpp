// When a run eases off, and when it stops.
#include "run/breaker.h"

#include "test_support/catch.h"

using namespace darktap::run;
using namespace std::chrono_literals;
using Advice = Breaker::Advice;

namespace {
const Breaker::Time start{1000s};
}

TEST_CASE("A limit of the user's eases the run off, and stops it where that doesn't help for as long as the patience lasts") {
  BreakerLimits limits;
  limits.threads_running = 40;
  limits.patience = 30s;
  Breaker breaker(limits);
  Breaker::Look look;
  look.commands = 100;
  look.threads_running = 40;
  CHECK(breaker.look(look, start) == Advice::go_on);
  look.threads_running = 41;
  CHECK(breaker.look(look, start + 1s) == Advice::ease_off);
  CHECK(breaker.reason().find("--max-threads-running") != std::string::npos);
  CHECK(breaker.look(look, start + 30s) == Advice::ease_off);
  CHECK(breaker.look(look, start + 31s) == Advice::stop);
  look.threads_running = 39;
  CHECK(breaker.look(look, start + 32s) == Advice::go_on);
  look.threads_running = 41;
  CHECK(breaker.look(look, start + 33s) == Advice::ease_off);  // patience begins anew
}

TEST_CASE("Errors count from enough commands on; the default limit never stops a run") {
  Breaker by_default{BreakerLimits{}};
  Breaker::Look look;
  look.commands = look.errors = Breaker::enough_commands - 1;
  CHECK(by_default.look(look, start) == Advice::go_on);
  look.commands = look.errors = Breaker::enough_commands;
  CHECK(by_default.look(look, start) == Advice::ease_off);
  CHECK(by_default.look(look, start + 1h) == Advice::ease_off);

  BreakerLimits limits;
  limits.error_percent = 10;
  limits.error_limit = BreakerLimits::ErrorLimit::by_user;
  Breaker by_user(limits);
  look = {.commands = 100, .errors = 10};
  CHECK(by_user.look(look, start) == Advice::go_on);
  look.errors = 11;
  CHECK(by_user.look(look, start) == Advice::ease_off);
  CHECK(by_user.look({}, start + 10s) == Advice::go_on);  // nothing was sent: no news
  CHECK(by_user.look(look, start + 30s) == Advice::stop);
}

TEST_CASE("Latency, lag and memory have limits; what the target doesn't tell breaks none") {
  BreakerLimits limits;
  limits.latency_p95 = 10ms;
  limits.replication_lag = 5s;
  limits.memory_bytes = 1000;
  Breaker breaker(limits);
  CHECK(breaker.look({.commands = 1000}, start) == Advice::go_on);
  CHECK(breaker.look({.commands = 1000, .latency_p95 = 10'000us}, start) == Advice::go_on);
  CHECK(breaker.look({.commands = 1000, .latency_p95 = 10'001us}, start) == Advice::ease_off);
  CHECK(breaker.look({.replication_lag = 5s}, start) == Advice::go_on);
  CHECK(breaker.look({.replication_lag = 6s}, start) == Advice::ease_off);
  CHECK(breaker.look({.memory_bytes = 1001}, start) == Advice::ease_off);
}
