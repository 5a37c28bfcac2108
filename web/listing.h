// The list of findings as the page draws it: filtered, what counts first, and how many each filter value would leave.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "report/report.h"

namespace darktap::web {

struct Filters {
  std::optional<compare::Cause> cause;
  std::optional<compare::Difference> difference;
  std::optional<store::TriageStatus> status;
  std::string text;  // in the statement or the id, whatever the case
  std::size_t limit = 0;
};

// The error names the parameter and the value.
Expected<Filters, std::string> parse_filters(const std::map<std::string, std::string>& query);

struct Listing {
  std::vector<const store::Finding*> findings;  // at most limit of the matching ones
  std::size_t matching = 0;
  // A filter's own facet ignores that filter: it says what choosing another value would show.
  std::map<std::string, std::uint64_t> causes, differences, statuses;
};
Listing list_findings(const store::RunReport& run, const report::Counting& counting, const Filters& filters);

}  // namespace darktap::web
