#include "compare/latency.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <random>

namespace darktap::compare {

namespace {

constexpr std::array<double, 4> quantiles = {0.5, 0.95, 0.99, 0.999};
constexpr int draws = 200;  // of the bootstrap: the standard error is known to 5 %

// The windows that both sides have, as counts by bucket, so that a draw is one pass over them.
class Sample {
 public:
  void add(const Histogram& histogram, std::size_t window) {
    for (auto [bucket, count] : histogram.buckets()) cells_.push_back({bucket, static_cast<std::uint32_t>(window), static_cast<double>(count)});
  }
  void sort() {
    std::sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) { return a.bucket < b.bucket; });
  }
  bool empty() const { return cells_.empty(); }

  // The quantile where each window counts as often as its weight says, interpolated within its bucket; 0 for nothing.
  std::array<double, quantiles.size()> quantiles_of(const std::vector<double>& weights) const {
    double total = 0;
    for (const Cell& cell : cells_) total += cell.count * weights[cell.window];
    std::array<double, quantiles.size()> result{};
    double seen = 0;
    std::size_t next = 0;
    for (std::size_t at = 0; at < cells_.size() && next < quantiles.size();) {
      std::uint32_t bucket = cells_[at].bucket;
      double here = 0;
      for (; at < cells_.size() && cells_[at].bucket == bucket; ++at) here += cells_[at].count * weights[cells_[at].window];
      while (next < quantiles.size() && here > 0 && seen + here >= quantiles[next] * total) {
        double bottom = bucket == 0 ? 0 : static_cast<double>(Histogram::top_of_bucket(bucket - 1));
        double top = static_cast<double>(Histogram::top_of_bucket(bucket));
        result[next] = bottom + (top - bottom) * (quantiles[next] * total - seen) / here;
        ++next;
      }
      seen += here;
    }
    return result;
  }

 private:
  struct Cell {
    std::uint32_t bucket, window;
    double count;
  };
  std::vector<Cell> cells_;
};

struct Aligned {
  Sample source, target, control;
  Histogram source_total, target_total, control_total;
  std::size_t windows = 0;
  std::int64_t window_seconds = 1;
};

Aligned align(const LatencyPair& pair) {
  WindowedHistogram source = pair.source, target = pair.target;
  WindowedHistogram control = pair.control != nullptr ? *pair.control : WindowedHistogram();
  unsigned level = std::max({source.level(), target.level(), control.level()});
  source.coarsen(level);
  target.coarsen(level);
  control.coarsen(level);
  Aligned result;
  result.window_seconds = source.window_length().count();
  for (const auto& [number, histogram] : source.windows()) {
    auto beside = target.windows().find(number);
    if (beside == target.windows().end()) continue;
    result.source.add(histogram, result.windows);
    result.target.add(beside->second, result.windows);
    result.source_total.merge(histogram);
    result.target_total.merge(beside->second);
    if (auto at = control.windows().find(number); at != control.windows().end()) {
      result.control.add(at->second, result.windows);
      result.control_total.merge(at->second);
    }
    ++result.windows;
  }
  result.source.sort();
  result.target.sort();
  result.control.sort();
  return result;
}

std::array<double, quantiles.size()> shifts_of(const Aligned& sample, const std::vector<double>& weights) {
  auto source = sample.source.quantiles_of(weights);
  auto target = sample.target.quantiles_of(weights);
  auto control = sample.control.quantiles_of(weights);
  for (std::size_t i = 0; i < quantiles.size(); ++i) target[i] -= source[i] + control[i];
  return target;
}

}  // namespace

LatencyVerdict judge_latency(const LatencyPair& pair, const LatencyPolicy& policy, std::uint64_t seed) {
  LatencyVerdict verdict;
  Aligned sample = align(pair);
  verdict.source_n = sample.source_total.count();
  verdict.target_n = sample.target_total.count();
  verdict.windows = sample.windows;
  verdict.window_seconds = sample.window_seconds;
  std::uint64_t n = std::min(verdict.source_n, verdict.target_n);
  if (n < policy.least_executions) {
    verdict.cannot_evaluate = std::to_string(n) + " executions on both sides, " + std::to_string(policy.least_executions) + " are needed";
  } else if (sample.windows < policy.least_windows) {
    verdict.cannot_evaluate = std::to_string(sample.windows) + " time windows with executions on both sides, " + std::to_string(policy.least_windows) + " are needed";
  }
  if (!verdict.cannot_evaluate.empty()) return verdict;

  // Blocks of about the cube root's square of the windows: long enough for noise that lasts, with enough of them to draw from.
  std::size_t block = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(sample.windows)) / 2)));
  std::size_t blocks = (sample.windows + block - 1) / block;
  auto whole = shifts_of(sample, std::vector<double>(sample.windows, 1.0));
  bool beyond_any = false;
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    double allowed = std::max(policy.budget_us, policy.least_effect * static_cast<double>(sample.source_total.quantile(quantiles[i])));
    beyond_any = beyond_any || whole[i] > allowed;
  }
  std::array<double, quantiles.size()> sum{}, squares{};
  std::mt19937_64 random(seed);
  // Most statements are no slower at all; their intervals are worth no draws.
  for (int draw = 0; beyond_any && draw < draws; ++draw) {
    std::vector<double> weights(sample.windows, 0.0);
    for (std::size_t i = 0; i < blocks; ++i) {
      std::size_t start = static_cast<std::size_t>(random() % sample.windows);
      for (std::size_t k = 0; k < block; ++k) weights[(start + k) % sample.windows] += 1;
    }
    auto drawn = shifts_of(sample, weights);
    for (std::size_t i = 0; i < quantiles.size(); ++i) {
      sum[i] += drawn[i];
      squares[i] += drawn[i] * drawn[i];
    }
  }
  // Few blocks know their own spread badly: Student's t with one degree of freedom less than there are blocks.
  boost::math::students_t spread(static_cast<double>(std::max<std::size_t>(blocks, 2) - 1));
  double within = boost::math::quantile(boost::math::complement(spread, 0.025));
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    if (static_cast<double>(n) * (1 - quantiles[i]) < static_cast<double>(policy.least_tail) && i > 0) break;
    QuantileShift shift;
    shift.quantile = quantiles[i];
    shift.source_us = sample.source_total.quantile(quantiles[i]);
    shift.target_us = sample.target_total.quantile(quantiles[i]);
    shift.control_us = sample.control_total.quantile(quantiles[i]);
    shift.shift_us = whole[i];
    shift.allowed_us = std::max(policy.budget_us, policy.least_effect * static_cast<double>(shift.source_us));
    double mean = sum[i] / draws;
    double error = std::sqrt(std::max(0.0, squares[i] / draws - mean * mean) * static_cast<double>(blocks) / static_cast<double>(std::max<std::size_t>(blocks, 2) - 1));
    shift.low_us = shift.shift_us - within * error;  // the shift itself where nothing was drawn
    shift.high_us = shift.shift_us + within * error;
    double beyond = shift.shift_us - shift.allowed_us;
    if (error > 0) shift.p_value = boost::math::cdf(boost::math::complement(spread, beyond / error));
    else shift.p_value = beyond > 0 ? 0.0 : 1.0;
    verdict.shifts.push_back(shift);
  }
  return verdict;
}

double threshold_of(std::vector<double> p_values, double rate) {
  std::sort(p_values.begin(), p_values.end());
  for (std::size_t i = p_values.size(); i > 0; --i) {
    if (p_values[i - 1] <= rate * static_cast<double>(i) / static_cast<double>(p_values.size())) return p_values[i - 1];
  }
  return -1;
}

}  // namespace darktap::compare
