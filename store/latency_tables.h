// One run's latencies in the store: a total a series, for reading at once, and time windows, for judging. A flush adds to the
// windows that just ended; a series that has gathered many is joined to WindowedHistogram's bound in passing, so that rows
// stay bounded however long the run is.
#pragma once

#include <functional>
#include <map>
#include <tuple>

#include "database.h"
#include "store/model.h"

namespace darktap::store {

class LatencyTables {
 public:
  using Series = std::tuple<std::uint64_t, compare::Side, Vantage>;

  // Inside the caller's transaction.
  enum class Windows : std::uint8_t { kept, left_out };  // left out: the totals alone
  void add(Database& database, std::int64_t run, const std::map<Series, WindowedHistogram>& buffered, Windows which = Windows::kept);
  void each(Database& database, std::int64_t run,
            const std::function<void(std::uint64_t fingerprint, const LatencyWindows& windows)>& visit) const;

 private:
  void join(Database& database, std::int64_t run, const Series& series);

  std::map<Series, std::size_t> rows_;  // written since the series was joined
};

}  // namespace darktap::store
