// Is a statement slower on the target than it may be? Latencies of production are autocorrelated (a busy minute is busy for
// everybody), so a test that takes executions for independent calls most A/A runs a regression. This one lays time windows
// side by side and draws blocks of neighbouring windows (circular block bootstrap, Politis & Romano 1992): what is common to
// a minute stays together. Pure: the same windows give the same verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/windowed_histogram.h"

namespace darktap::compare {

// One statement's latencies on both sides, windowed by when production executed it, and the run's control: the latency of a
// command that costs a server nothing (COM_PING), put to the target through the same loop. It holds what a client's vantage
// adds to a tap's: the round trip and the delays of our own process. Empty where both sides have one vantage.
struct LatencyPair {
  WindowedHistogram source, target;
  const WindowedHistogram* control = nullptr;
};

struct LatencyPolicy {
  double budget_us = 0;        // the target may be slower by so much: a number of round trips, at least the floor
  double least_effect = 0.05;  // and by so much of the source's quantile
  // Below these nothing is said. A quantile also needs least_tail executions above it on each side.
  std::uint64_t least_executions = 15;
  std::size_t least_windows = 5;
  std::uint64_t least_tail = 5;
};

struct QuantileShift {
  double quantile = 0;
  std::uint64_t source_us = 0, target_us = 0, control_us = 0;
  double shift_us = 0;              // target − control − source
  double low_us = 0, high_us = 0;   // two-sided 95 % interval of the shift; the shift twice where no quantile is beyond its allowance
  double allowed_us = 0;            // max(budget, least effect)
  double p_value = 1;               // of a shift that large where the true one is allowed
};

struct LatencyVerdict {
  std::string cannot_evaluate;         // why, or empty
  std::vector<QuantileShift> shifts;   // p50, p95, p99, p99.9: those that have executions enough
  std::uint64_t source_n = 0, target_n = 0;
  std::size_t windows = 0;             // filled on both sides
  std::int64_t window_seconds = 0;
};

LatencyVerdict judge_latency(const LatencyPair& pair, const LatencyPolicy& policy, std::uint64_t seed);

// Which of many tests stand, where the share of false ones among them shall be at most `rate` (Benjamini & Hochberg 1995):
// the largest p-value that does, or a negative number where none stands.
double threshold_of(std::vector<double> p_values, double rate);

}  // namespace darktap::compare
