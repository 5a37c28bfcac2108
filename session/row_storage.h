// Storage for the rows of exchanges that are decoded one over the other. They come back to be written over in any order, and from many hands
// (a replay has thousands on their way): what is large is taken from them and lent to those alone that need it, the one used last first,
// while it is still in the processor's cache. Else each of them would end up with as much as the largest answer takes.
#pragma once

#include <utility>
#include <vector>

#include "session/exchange.h"

namespace darktap::session {

class RowStorage {
 public:
  static constexpr std::size_t least = 2U << 10, largest = 64U << 10;  // of what is taken, in bytes
  static constexpr std::size_t most = 256;

  void take_from(Exchange& spent) {
    for (mysql::Result& result : spent.answer.results) {
      auto* set = std::get_if<mysql::ResultSet>(&result);
      if (set == nullptr || set->rows.capacity() < least || set->rows.capacity() > largest || kept_.size() >= most) continue;
      kept_.push_back(std::exchange(set->rows, {}));
      kept_.back().clear();
    }
  }
  // For about so many bytes of rows; a few are soon allocated.
  void lend(mysql::RowBatch& rows, std::size_t bytes) {
    if (bytes < least || rows.capacity() >= bytes || kept_.empty()) return;
    rows = std::move(kept_.back());
    kept_.pop_back();
  }

 private:
  std::vector<mysql::RowBatch> kept_;
};

}  // namespace darktap::session
