// Pairs what two sides have left over where "the same" is no exact matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace darktap::compare {

// As many pairs as there can be of elements that agree, each once; what is paired leaves both lists. An element that agrees with several
// is given up to one that has no other (augmenting paths). Up to n³ in the worst case: bound the sides.
template <class T, class Agree>
void pair_as_many(std::vector<T>& a, std::vector<T>& b, Agree agree, std::vector<std::pair<T, T>>& pairs) {
  constexpr std::size_t none = ~std::size_t{0};
  enum class Known : std::uint8_t { nothing, pair, no_pair };
  std::vector<Known> known(a.size() * b.size());
  auto agrees = [&](std::size_t x, std::size_t y) {
    Known& one = known[x * b.size() + y];
    if (one == Known::nothing) one = agree(a[x], b[y]) ? Known::pair : Known::no_pair;
    return one == Known::pair;
  };
  std::vector<std::size_t> partner_of_a(a.size(), none), partner_of_b(b.size(), none), reached_from(b.size());
  for (std::size_t start = 0; start < a.size(); ++start) {
    // Breadth first over elements of b, until one is free: from start, or from one whose partner would have to change.
    std::vector<bool> seen(b.size());
    std::vector<std::size_t> queue;
    std::size_t found = none;
    auto reach = [&](std::size_t x) {
      for (std::size_t y = 0; y < b.size() && found == none; ++y) {
        if (seen[y] || !agrees(x, y)) continue;
        seen[y] = true;
        reached_from[y] = x;
        queue.push_back(y);
        if (partner_of_b[y] == none) found = y;
      }
    };
    reach(start);
    for (std::size_t next = 0; next < queue.size() && found == none; ++next) reach(partner_of_b[queue[next]]);
    // Back along the path: each takes what it reached, and gives up what it had.
    while (found != none) {
      std::size_t x = reached_from[found], given_up = partner_of_a[x];
      partner_of_b[found] = x;
      partner_of_a[x] = found;
      found = given_up;
    }
  }
  std::vector<T> rest_a, rest_b;
  for (std::size_t x = 0; x < a.size(); ++x) {
    if (partner_of_a[x] == none) rest_a.push_back(a[x]);
    else pairs.emplace_back(a[x], b[partner_of_a[x]]);
  }
  for (std::size_t y = 0; y < b.size(); ++y)
    if (partner_of_b[y] == none) rest_b.push_back(b[y]);
  a = std::move(rest_a);
  b = std::move(rest_b);
}

}  // namespace darktap::compare
