// When exchanges are due.
#include "replay/schedule.h"

#include "replay/ramp.h"

#include <cmath>

#include "test_support/catch.h"
#include "test_support/property.h"

using namespace darktap;
using namespace darktap::replay;
using namespace std::chrono_literals;

namespace {
const CaptureTime recorded = CaptureTime(1'700'000'000s), run = CaptureTime(1'800'000'000s);
}

TEST_CASE("Paces and orders are read as the command line writes them") {
  CHECK(parse_pace("recorded")->kind == Pace::Kind::recorded);
  CHECK(parse_pace("max")->kind == Pace::Kind::flat_out);
  CHECK(parse_pace("2x")->factor == 2);
  CHECK(parse_pace("0.5x")->factor == 0.5);
  CHECK(parse_pace("1x")->kind == Pace::Kind::recorded);
  CHECK(parse_pace("0.001x"));
  CHECK(parse_pace("1000x"));
  for (const char* wrong : {"", "x", "2", "0x", "-1x", "0.0009x", "1001x", "nanx", "infx", "2xx", "2 x"}) {
    INFO(wrong);
    CHECK_FALSE(parse_pace(wrong));
  }
  for (const char* text : {"recorded", "max", "2x", "0.5x"}) CHECK(to_string(*parse_pace(text)) == text);
  CHECK(parse_order("session") == Order::session);
  CHECK(parse_order("none") == Order::none);
  CHECK(parse_order("commit") == Order::commit);
  CHECK_FALSE(parse_order("random"));
}

TEST_CASE("At the recorded pace the distances are the recording's") {
  Schedule schedule(*parse_pace("recorded"), recorded, run);
  CHECK(schedule.due(recorded) == run);
  CHECK(schedule.due(recorded + 1234567ns) == run + 1234567ns);
}

TEST_CASE("At a factor the distances shrink or grow by it, and flat out there are none") {
  CHECK(Schedule(*parse_pace("4x"), recorded, run).due(recorded + 10s) == run + 2500ms);
  CHECK(Schedule(*parse_pace("0.5x"), recorded, run).due(recorded + 10s) == run + 20s);
  CHECK(Schedule(*parse_pace("max"), recorded, run).due(recorded + 10s) == run);
  CHECK(Schedule(*parse_pace("4x"), recorded, run).recorded_time(run + 1s) == recorded + 4s);
  CHECK(Schedule(*parse_pace("max"), recorded, run).recorded_time(run + 1s) == recorded + 1s);
}

TEST_CASE("A later request is never due before an earlier one") {
  require_property("due is monotonic", [](std::uint32_t a, std::uint32_t b) {
    for (const char* pace : {"recorded", "3x", "0.7x", "max"}) {
      Schedule schedule(*parse_pace(pace), recorded, run);
      std::chrono::nanoseconds early(std::min(a, b)), late(std::max(a, b));
      RC_ASSERT(schedule.due(recorded + early) <= schedule.due(recorded + late));
    }
  });
}

TEST_CASE("A silence longer than the limit is cut to it, at any pace, and asking twice changes nothing") {
  Schedule schedule(*parse_pace("2x"), recorded, run, 10s);
  CHECK(schedule.due(recorded + 10s) == run + 5s);
  CHECK(schedule.due(recorded + 20s + 1ns) == run + 10s);
  CHECK(schedule.due(recorded + 120s) == run + 15s);
  CHECK(schedule.due(recorded + 120s) == run + 15s);
  CHECK(schedule.due(recorded + 122s) == run + 16s);
}

TEST_CASE("Ramps are read as the command line writes them") {
  auto ramp = parse_ramp("1%..100%/10m");
  REQUIRE(ramp);
  CHECK(ramp->from == 1);
  CHECK(ramp->to == 100);
  CHECK(ramp->over == 10min);
  CHECK(parse_ramp("0.5%..2.5%/30s"));
  for (const char* wrong : {"", "1..100/10m", "1%..100%", "0%..100%/1m", "1%..101%/1m", "50%..10%/1m", "1%..100%/10", "x%..100%/1m", "1%-100%/1m"}) {
    INFO(wrong);
    CHECK_FALSE(parse_ramp(wrong));
  }
}

TEST_CASE("A ramp takes in whole sessions, the share rises with time, and a session that is in stays in") {
  Ramp ramp = *parse_ramp("10%..50%/100s");
  auto admitted = [&](std::chrono::seconds at) {
    std::size_t count = 0;
    for (std::uint64_t id = 1; id <= 10'000; ++id) count += ramp.admits(SessionId{id}, at) ? 1 : 0;
    return static_cast<double>(count) / 100;
  };
  CHECK(std::abs(admitted(0s) - 10) < 1.5);
  CHECK(std::abs(admitted(50s) - 30) < 2);
  CHECK(std::abs(admitted(100s) - 50) < 2);
  CHECK(admitted(1000s) == admitted(100s));
  for (std::uint64_t id = 1; id <= 1'000; ++id)
    for (int second = 0; second < 100; second += 10)
      if (ramp.admits(SessionId{id}, std::chrono::seconds(second))) CHECK(ramp.admits(SessionId{id}, std::chrono::seconds(second + 10)));
  CHECK(parse_ramp("100%..100%/0s")->admits(SessionId{7}, 0s));
}
