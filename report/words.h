// How numbers, times and statements read in the reports for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/model.h"

namespace darktap::report {

std::string grouped(std::uint64_t number);                             // 12,345
std::string counted(std::uint64_t number, std::string_view thing);     // "1 finding", "2 findings"
std::string share(std::uint64_t part, std::uint64_t whole);            // "91.4 %"; "–" of nothing
std::string milliseconds(std::uint64_t microseconds);                  // "0.31 ms", "1.25 s"
std::string elapsed(std::chrono::nanoseconds duration);                // "12.3 s", "1 h 05 min"

// One line without control characters, at most `width` characters; the cut shows as "…".
std::string one_line(std::string_view text, std::size_t width);

// All statements together, one row a side and vantage.
struct SideLatency {
  compare::Side side;
  store::Vantage vantage;
  Histogram histogram;
};
std::vector<SideLatency> by_side(const std::vector<store::LatencyRow>& rows);

// The findings of one cause, biggest first.
struct CauseGroup {
  compare::Cause cause;
  std::uint64_t events = 0;
  std::vector<const store::Finding*> findings;
};
// Defects first, then as the contract lists the causes; empty ones are left out.
std::vector<CauseGroup> by_cause(const store::RunReport& report);

}  // namespace darktap::report
