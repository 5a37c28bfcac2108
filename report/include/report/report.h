// A run as text for a person, a pull request, a CI server or a program. All pure: the same run gives the same bytes.
#pragma once

#include <bitset>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "store/model.h"

namespace darktap::report {

// Which findings count against the cutover: those whose cause or difference is named.
class Counting {
 public:
  // Causes defect, order_violated, stale_read, unsupported; differences latency_regression, timeout.
  Counting();
  // "defect,timeout", names of causes and differences, or "none" alone. Throws Failure(usage) that names the word and
  // the words there are.
  static Counting parse(std::string_view names);
  // Findings of these ids don't count, whatever their cause.
  void accept(std::set<std::string, std::less<>> ids) { accepted_ = std::move(ids); }
  bool accepted(const store::Finding& finding) const { return accepted_.contains(finding.id); }

  bool counts(const store::Finding& finding) const;
  // Sorted as in the report.
  std::vector<const store::Finding*> of(const store::RunReport& report) const;
  bool any(const store::RunReport& report) const { return !of(report).empty(); }

 private:
  std::bitset<32> causes_, differences_;
  std::set<std::string, std::less<>> accepted_;
};

// The run with only those findings that the baseline has not (by id); all else is the run's own.
store::RunReport new_against(store::RunReport report, const store::RunReport& baseline);

// One JSON object on one line, without its end; the keys are a contract (docs/store.md, "The report as JSON").
std::string to_json(const store::RunReport& report);
// One screen: the ledger, coverage, findings by cause with a sample each, latency of both sides. Statements are cut to the
// width and hold no control characters, so a capture can't drive the reader's terminal.
std::string to_text(const store::RunReport& report, const Counting& counting);
std::string to_markdown(const store::RunReport& report, const Counting& counting);
// One test case a finding: failed where it counts, skipped where it does not.
std::string to_junit(const store::RunReport& report, const Counting& counting);

// A recording that was checked: the run's report, or why there is none. Borrows the report.
struct Suite {
  std::string name;                          // the recording
  const store::RunReport* report = nullptr;  // nullptr: nothing was run
  std::string error;                         // empty where the run reached the recording's end
};
// Many recordings in one file: a test suite each.
std::string to_junit(std::span<const Suite> suites, const Counting& counting);
std::string to_markdown(std::span<const Suite> suites, const Counting& counting);

}  // namespace darktap::report
