// Pairs what two sides have left over where "the same" is no exact matter: by the surest rule first.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace darktap::compare {

// One pass a rule, each element of a with the first of b that is left. Nothing where one stays alone. Quadratic: bound the
// sides.
template <class T>
std::optional<std::vector<std::pair<T, T>>> pair_greedily(std::vector<T> a, std::vector<T> b,
                                                          const std::vector<std::function<bool(const T&, const T&)>>& rules) {
  if (a.size() != b.size()) return std::nullopt;
  std::vector<std::pair<T, T>> pairs;
  for (const auto& rule : rules) {
    std::erase_if(a, [&](const T& x) {
      auto found = std::find_if(b.begin(), b.end(), [&](const T& y) { return rule(x, y); });
      if (found == b.end()) return false;
      pairs.emplace_back(x, *found);
      b.erase(found);
      return true;
    });
  }
  if (!a.empty()) return std::nullopt;
  return pairs;
}

}  // namespace darktap::compare
