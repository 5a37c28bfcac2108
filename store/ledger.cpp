// The ledger: bins that always add up.
#include "store/model.h"

#include <numeric>

namespace darktap::store {

void Ledger::add(Bin bin, std::uint64_t count) { counts_[static_cast<std::size_t>(bin)] += count; }

void Ledger::add(Bin bin, const std::string& reason, std::uint64_t count) {
  add(bin, count);
  if (!reason.empty() && count > 0) reasons_[bin][reason] += count;
}

void Ledger::move(Bin from, Bin to, const std::string& reason) {
  std::uint64_t& source = counts_[static_cast<std::size_t>(from)];
  if (source == 0) return;
  --source;
  add(to, reason, 1);
}

std::uint64_t Ledger::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

}  // namespace darktap::store
