// Latency verdicts against simulated runs whose noise is autocorrelated, as production's is: how often an A/A run alarms, and
// how often a real slowdown is found. Seeded: a failing number can be had again.
#include <cmath>
#include <random>

#include "compare/latency.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::compare;

namespace {

struct Slowdown {
  double added_us = 0;
  double tail_factor = 1;  // of what is above twice the median
};

constexpr int seconds_of_a_run = 60;
constexpr int executions_a_second = 100;

// Log-normal latencies around 1 ms, a noise level that wanders from second to second (AR(1), rho 0.7, 10 % either way) and is
// each side's own.
WindowedHistogram side(std::mt19937_64& random, const Slowdown& slowdown) {
  std::normal_distribution<double> normal;
  WindowedHistogram result;
  double level = 0.1 * normal(random);
  for (int second = 0; second < seconds_of_a_run; ++second) {
    level = 0.7 * level + std::sqrt(1 - 0.7 * 0.7) * 0.1 * normal(random);
    for (int i = 0; i < executions_a_second; ++i) {
      double latency = 1000 * std::exp(level + 0.5 * normal(random));
      if (latency > 2000) latency *= slowdown.tail_factor;
      result.record(CaptureTime(std::chrono::seconds(1000 + second)), static_cast<std::uint64_t>(latency + slowdown.added_us));
    }
  }
  return result;
}

// Of so many runs, those called slower.
int alarms(int runs, const Slowdown& slowdown, std::uint64_t first_seed) {
  int called = 0;
  for (int run = 0; run < runs; ++run) {
    std::mt19937_64 random(first_seed + static_cast<std::uint64_t>(run));
    LatencyPair pair{side(random, {}), side(random, slowdown)};
    LatencyVerdict verdict = judge_latency(pair, {}, 1);
    std::vector<double> p_values;
    for (const QuantileShift& shift : verdict.shifts) p_values.push_back(shift.p_value);
    if (threshold_of(p_values, 0.05) >= 0) ++called;
  }
  return called;
}

WindowedHistogram flat(int seconds, int a_second, std::uint64_t latency_us) {
  WindowedHistogram result;
  for (int second = 0; second < seconds; ++second) {
    result.record(CaptureTime(std::chrono::seconds(second)), latency_us, static_cast<std::uint64_t>(a_second));
  }
  return result;
}

}  // namespace

TEST_CASE("of 200 A/A runs with autocorrelated noise at most 5 % are called slower") {
  int called = alarms(200, {}, 1);
  INFO(called << " of 200");
  CHECK(called <= 10);
}

TEST_CASE("one more round trip, and a tail half as long again, are found in at least 90 % of runs") {
  int added = alarms(100, {.added_us = 200}, 10'000);
  INFO(added << " of 100 with 200 us added");
  CHECK(added >= 90);
  int tail = alarms(100, {.tail_factor = 1.5}, 20'000);
  INFO(tail << " of 100 with the tail x 1.5");
  CHECK(tail >= 90);
}

TEST_CASE("a shift within the budget is none, one beyond it is") {
  LatencyPair pair{flat(20, 10, 1000), flat(20, 10, 1500)};
  CHECK(judge_latency(pair, {.budget_us = 600}, 1).shifts.at(0).p_value > 0.5);
  CHECK(judge_latency(pair, {.budget_us = 300}, 1).shifts.at(0).p_value < 0.01);
}

TEST_CASE("what the control took is not the target's") {
  WindowedHistogram control = flat(20, 10, 450);
  LatencyPair pair{flat(20, 10, 1000), flat(20, 10, 1500), &control};
  LatencyVerdict verdict = judge_latency(pair, {}, 1);
  CHECK(verdict.shifts.at(0).shift_us == Approx(50).margin(20));
  CHECK(verdict.shifts.at(0).control_us >= 450);
}

TEST_CASE("14 executions, or 4 windows, are too few to evaluate; 15 in 5 are enough") {
  CHECK(judge_latency({flat(7, 2, 100), flat(7, 2, 900)}, {}, 1).cannot_evaluate == "14 executions on both sides, 15 are needed");
  CHECK(judge_latency({flat(4, 10, 100), flat(4, 10, 900)}, {}, 1).cannot_evaluate ==
        "4 time windows with executions on both sides, 5 are needed");
  LatencyVerdict enough = judge_latency({flat(5, 3, 100), flat(5, 3, 900)}, {}, 1);
  CHECK(enough.cannot_evaluate.empty());
  CHECK(enough.shifts.size() == 1);  // the tail's quantiles need more
}

TEST_CASE("windows that one side alone has are left out") {
  WindowedHistogram target = flat(6, 5, 100);
  target.record(CaptureTime(std::chrono::seconds(100)), 1'000'000, 1000);
  LatencyVerdict verdict = judge_latency({flat(6, 5, 100), target}, {}, 1);
  CHECK(verdict.target_n == 30);
  CHECK(verdict.shifts.at(0).p_value > 0.5);
}

TEST_CASE("of many tests those stand that keep the false ones among them rare") {
  CHECK(threshold_of({}, 0.05) < 0);
  CHECK(threshold_of({0.04, 0.9, 0.9, 0.9}, 0.05) < 0);
  CHECK(threshold_of({0.01, 0.9, 0.9, 0.9}, 0.05) == 0.01);
  CHECK(threshold_of({0.01, 0.02, 0.03, 0.9}, 0.05) == 0.03);
}
