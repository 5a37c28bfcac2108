// JUnit's XML, as CI servers read it: a test case a finding.
#include "report/report.h"
#include "words.h"

namespace darktap::report {

namespace {

std::string escaped(std::string_view text) {
  std::string xml;
  for (char c : one_line(text, 4000)) {
    if (c == '<') xml += "&lt;";
    else if (c == '>') xml += "&gt;";
    else if (c == '&') xml += "&amp;";
    else if (c == '"') xml += "&quot;";
    else xml += c;
  }
  return xml;
}

enum class Weight : std::uint8_t { counts, accepted, explained };

std::string test_case(const store::Finding& finding, Weight weight) {
  std::string cause(to_string(finding.cause)), difference(to_string(finding.difference));
  std::string message = difference + " in " + grouped(finding.events) + " of " + counted(finding.executions, "execution") + ", " + std::string(to_string(finding.level));
  std::string xml = "    <testcase classname=\"darktap." + cause + "\" name=\"" + escaped(finding.id) + " " + difference + ": " + escaped(one_line(finding.normalized, 200)) + "\">\n";
  if (weight != Weight::counts) return xml + "      <skipped message=\"" + (weight == Weight::accepted ? "accepted: " : "") + escaped(message) + "\"/>\n    </testcase>\n";
  xml += "      <failure type=\"" + cause + "\" message=\"" + escaped(message) + "\">";
  if (!finding.examples.empty()) {
    const store::Example& example = finding.examples.front();
    xml += escaped(example.sql) + "\nparams: " + escaped(example.parameters) + "\nsource: " + escaped(example.source_answer) +
           "\ntarget: " + escaped(example.target_answer) + "\nevidence: " + escaped(example.evidence);
  }
  return xml + "</failure>\n    </testcase>\n";
}

struct Totals {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0;

  void add(const Totals& other) {
    tests += other.tests, failures += other.failures, errors += other.errors, skipped += other.skipped;
    seconds += other.seconds;
  }
  std::string attributes() const {
    return "tests=\"" + std::to_string(tests) + "\" failures=\"" + std::to_string(failures) + "\" errors=\"" + std::to_string(errors) +
           "\" skipped=\"" + std::to_string(skipped) + "\" time=\"" + std::to_string(seconds) + "\"";
  }
};

Totals totals_of(const Suite& suite, const Counting& counting) {
  Totals totals{.tests = 1, .failures = 0, .errors = suite.error.empty() ? 0U : 1U, .skipped = 0, .seconds = 0};
  if (suite.report == nullptr) return totals;
  totals.tests += suite.report->findings.size();
  totals.failures = counting.of(*suite.report).size();
  totals.skipped = suite.report->findings.size() - totals.failures;
  if (suite.report->run.finished) totals.seconds = std::chrono::duration<double>(*suite.report->run.finished - suite.report->run.started).count();
  return totals;
}

std::string test_suite(const Suite& suite, const Counting& counting) {
  std::string timestamp = suite.report == nullptr ? "" : " timestamp=\"" + to_rfc3339(suite.report->run.started).substr(0, 19) + "\"";
  std::string xml = "  <testsuite name=\"" + escaped(suite.name) + "\"" + timestamp + " " + totals_of(suite, counting).attributes() + ">\n" +
                    "    <testcase classname=\"darktap\" name=\"the run was finished\">";
  if (!suite.error.empty()) xml += "<error message=\"" + escaped(suite.error) + "\"/>";
  xml += "</testcase>\n";
  if (suite.report != nullptr) {
    for (const store::Finding& finding : suite.report->findings)
      xml += test_case(finding, counting.counts(finding) ? Weight::counts : counting.accepted(finding) ? Weight::accepted : Weight::explained);
  }
  return xml + "  </testsuite>\n";
}

}  // namespace

std::string to_junit(std::span<const Suite> suites, const Counting& counting) {
  Totals totals;
  for (const Suite& suite : suites) totals.add(totals_of(suite, counting));
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + totals.attributes() + ">\n";
  for (const Suite& suite : suites) xml += test_suite(suite, counting);
  return xml + "</testsuites>\n";
}

std::string to_junit(const store::RunReport& report, const Counting& counting) {
  Suite only{.name = "darktap run " + std::to_string(report.run.id), .report = &report,
             .error = report.run.finished ? "" : "the run was interrupted, or is still running"};
  return to_junit(std::span(&only, 1), counting);
}

}  // namespace darktap::report
