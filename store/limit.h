// Keeps a store within the size that the user gave it (--store-limit): older runs that have ended go first, as a whole; where none is
// left, the run at hand keeps on counting and leaves out what is large (examples, latency by window).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "database.h"

namespace darktap::store {

class StoreLimit {
 public:
  enum class Details : std::uint8_t { kept, left_out };

  explicit StoreLimit(std::uint64_t bytes = 0) : bytes_(bytes) {}  // 0: none
  Details details() const { return details_; }
  std::uint64_t bytes() const { return bytes_; }
  // Inside a flush's transaction. tell: each run that was dropped, or that details are left out from now on.
  void enforce(Database& database, std::int64_t run, const std::function<void(const std::string&)>& tell);

 private:
  std::uint64_t bytes_ = 0;
  Details details_ = Details::kept;
};

}  // namespace darktap::store
