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

std::string test_case(const store::Finding& finding, bool counts) {
  std::string cause(to_string(finding.cause)), difference(to_string(finding.difference));
  std::string message = difference + " in " + grouped(finding.events) + " of " + counted(finding.executions, "execution") + ", " + std::string(to_string(finding.level));
  std::string xml = "    <testcase classname=\"darktap." + cause + "\" name=\"" + escaped(finding.id) + " " + difference + ": " + escaped(one_line(finding.normalized, 200)) + "\">\n";
  if (!counts) return xml + "      <skipped message=\"" + escaped(message) + "\"/>\n    </testcase>\n";
  xml += "      <failure type=\"" + cause + "\" message=\"" + escaped(message) + "\">";
  if (!finding.examples.empty()) {
    const store::Example& example = finding.examples.front();
    xml += escaped(example.sql) + "\nparams: " + escaped(example.parameters) + "\nsource: " + escaped(example.source_answer) +
           "\ntarget: " + escaped(example.target_answer) + "\nevidence: " + escaped(example.evidence);
  }
  return xml + "</failure>\n    </testcase>\n";
}

}  // namespace

std::string to_junit(const store::RunReport& report, const Counting& counting) {
  std::size_t failures = counting.of(report).size();
  bool finished = report.run.finished.has_value();
  std::string seconds = finished ? std::to_string(std::chrono::duration<double>(*report.run.finished - report.run.started).count()) : "0";
  std::string totals = "tests=\"" + std::to_string(report.findings.size() + 1) + "\" failures=\"" + std::to_string(failures) +
                       "\" errors=\"" + (finished ? "0" : "1") + "\" skipped=\"" + std::to_string(report.findings.size() - failures) +
                       "\" time=\"" + seconds + "\"";
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + totals + ">\n  <testsuite name=\"darktap run " +
                    std::to_string(report.run.id) + "\" timestamp=\"" + to_rfc3339(report.run.started).substr(0, 19) + "\" " + totals + ">\n";
  xml += "    <testcase classname=\"darktap\" name=\"the run was finished\">";
  if (!finished) xml += "<error message=\"the run was interrupted, or is still running\"/>";
  xml += "</testcase>\n";
  for (const store::Finding& finding : report.findings) xml += test_case(finding, counting.counts(finding));
  return xml + "  </testsuite>\n</testsuites>\n";
}

}  // namespace darktap::report
