// What counts against the cutover, and what is new against another run.
#include <algorithm>
#include <set>

#include "report/report.h"

namespace darktap::report {

namespace {

template <class Enum>
constexpr std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

constexpr std::size_t cause_count = index(compare::Cause::unexamined) + 1;
constexpr std::size_t difference_count = index(compare::Difference::timeout) + 1;

std::string known_words() {
  std::string words;
  for (std::size_t i = 0; i < cause_count; ++i) words += std::string(to_string(static_cast<compare::Cause>(i))) + ", ";
  for (std::size_t i = 0; i < difference_count; ++i) words += std::string(to_string(static_cast<compare::Difference>(i))) + ", ";
  return words + "or none alone";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

Counting::Counting() {
  for (std::size_t i = 0; i < cause_count; ++i) {
    // A difference that never counts by itself leaves the cause to decide.
    causes_[i] = compare::counts_by_default(compare::Difference::row_values, static_cast<compare::Cause>(i));
  }
  for (std::size_t i = 0; i < difference_count; ++i) {
    differences_[i] = compare::counts_by_default(static_cast<compare::Difference>(i), compare::Cause::unexamined);
  }
}

Counting Counting::parse(std::string_view names) {
  Counting counting;
  counting.causes_.reset();
  counting.differences_.reset();
  if (trimmed(names) == "none") return counting;
  for (std::size_t begin = 0; begin <= names.size();) {
    std::size_t end = std::min(names.find(',', begin), names.size());
    std::string_view name = trimmed(names.substr(begin, end - begin));
    begin = end + 1;
    if (auto cause = compare::parse_cause(name)) counting.causes_.set(index(*cause));
    else if (auto difference = compare::parse_difference(name)) counting.differences_.set(index(*difference));
    else throw Failure(FailureKind::usage, "--fail-on: '" + std::string(name) + "' is neither a cause nor a difference; there are " + known_words());
  }
  return counting;
}

bool Counting::counts(const store::Finding& finding) const {
  if (accepted(finding)) return false;
  return causes_[index(finding.cause)] || differences_[index(finding.difference)];
}

std::vector<const store::Finding*> Counting::of(const store::RunReport& report) const {
  std::vector<const store::Finding*> found;
  for (const store::Finding& finding : report.findings) {
    if (counts(finding)) found.push_back(&finding);
  }
  return found;
}

store::RunReport new_against(store::RunReport report, const store::RunReport& baseline) {
  std::set<std::string_view> known;
  for (const store::Finding& finding : baseline.findings) known.insert(finding.id);
  std::erase_if(report.findings, [&](const store::Finding& finding) { return known.contains(finding.id); });
  return report;
}

}  // namespace darktap::report
