#include "staleness.h"

#include <array>

namespace darktap::report {

std::vector<DelayBin> delay_bins(const store::StalenessRow& row) {
  constexpr std::array<std::uint64_t, 16> ends{1'000, 2'000, 5'000, 10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 20'000'000, 60'000'000, Histogram::max_value};
  std::vector<DelayBin> bins;
  std::uint64_t age = row.age.count(), stale = row.stale.count(), agreed = row.agreed.count();  // above the bin before
  for (std::uint64_t end : ends) {
    bool last = end == Histogram::max_value;
    auto within = [&](const Histogram& histogram, std::uint64_t& above) {
      std::uint64_t beyond = last ? 0 : histogram.count_above(end), inside = above - beyond;
      above = beyond;
      return inside;
    };
    DelayBin bin{last ? std::nullopt : std::optional(end), within(row.age, age), within(row.stale, stale), within(row.agreed, agreed)};
    bool is_empty = bin.age + bin.stale + bin.agreed == 0;
    if (!is_empty || !bins.empty()) bins.push_back(bin);
    if (age + stale + agreed == 0) break;
  }
  return bins;
}

}  // namespace darktap::report
