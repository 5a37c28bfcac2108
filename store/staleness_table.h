// One run's histograms of how far behind reads were, by table: sums that merge by addition. A flush adds to what is stored.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "compare/verdict.h"
#include "database.h"
#include "store/model.h"

namespace darktap::store {

class StalenessTable {
 public:
  void add(compare::Cause cause, const compare::Staleness& staleness);
  // Inside the caller's transaction; forgets what was added since the last time.
  void write(Database& database, std::int64_t run);
  // The tables that a resumed run has.
  void load(Database& database, std::int64_t run);
  static std::vector<StalenessRow> read(const Database& database, std::int64_t run);

 private:
  std::set<std::string> known_;  // at most staleness_table_cap
  std::map<std::pair<std::string, compare::Cause>, StalenessRow> added_;
};

}  // namespace darktap::store
