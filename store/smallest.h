// Which examples a finding keeps: the N smallest by hash(session, seq) over distinct parameters. The choice depends only
// on the set of events, never on their order, so the same recording gives the same report.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "session/exchange.h"

namespace darktap::store {

// A fixed mixing function (splitmix64's finaliser, https://prng.di.unimi.it/splitmix64.c): the same on every machine.
std::uint64_t rank_of(session::ExchangeId exchange);
// Of what makes two examples the same to a reader: the text with its literals, and the bound parameters (FNV-1a).
std::uint64_t values_of(std::string_view sql, std::string_view parameters);

class SmallestExamples {
 public:
  // The slot (0 … N−1) that the event shall take, replacing what is there; nullopt where it is not among the smallest.
  std::optional<int> admit(std::uint64_t rank, std::uint64_t values);

 private:
  struct Kept {
    std::uint64_t rank, values;
  };
  std::vector<Kept> kept_;  // by slot
};

}  // namespace darktap::store
