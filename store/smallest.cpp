#include "smallest.h"

#include <algorithm>

#include "store/model.h"

namespace darktap::store {

namespace {

constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

std::uint64_t rank_of(session::ExchangeId exchange) { return mix(mix(exchange.session.value) ^ exchange.seq); }

std::uint64_t values_of(std::string_view sql, std::string_view parameters) {
  std::uint64_t hash = 0xcbf29ce484222325;
  auto add = [&](std::string_view text) {
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  };
  add(sql);
  add(parameters);
  return hash;
}

std::optional<int> SmallestExamples::admit(std::uint64_t rank, std::uint64_t values) {
  auto same = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.values == values; });
  if (same != kept_.end()) {
    if (rank >= same->rank) return std::nullopt;
    same->rank = rank;
    return static_cast<int>(same - kept_.begin());
  }
  if (kept_.size() < examples_per_finding) {
    kept_.push_back({rank, values});
    return static_cast<int>(kept_.size()) - 1;
  }
  auto largest = std::max_element(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.rank < b.rank; });
  if (rank >= largest->rank) return std::nullopt;
  *largest = {rank, values};
  return static_cast<int>(largest - kept_.begin());
}

}  // namespace darktap::store
