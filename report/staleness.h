// How far behind reads were, put into few bins that a person reads at a glance.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/model.h"

namespace darktap::report {

// The events whose delay is above the bin before's end, and at most this one's; no end: all the rest.
struct DelayBin {
  std::optional<std::uint64_t> up_to_us;
  std::uint64_t age = 0, stale = 0, agreed = 0;
};

// 1, 2, 5, 10 … ms up to a minute, from the first bin that holds something to the last.
std::vector<DelayBin> delay_bins(const store::StalenessRow& row);

}  // namespace darktap::report
