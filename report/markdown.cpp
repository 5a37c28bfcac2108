// For a pull request: what counts in full, the rest as a table.
#include <algorithm>

#include "report/report.h"
#include "words.h"

namespace darktap::report {

namespace {

// Nothing in a table cell may start markup: what Markdown or HTML could read as such is escaped.
std::string cell(std::string_view text, std::size_t width) {
  std::string escaped;
  for (char c : one_line(text, width)) {
    if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else if (c == '&') escaped += "&amp;";
    else if (std::string_view("\\`*_{}[]()#+-.!|~@:").find(c) != std::string_view::npos) escaped += std::string("\\") + c;
    else escaped += c;
  }
  return escaped;
}

// A code block whose fence is longer than any run of backticks in it.
std::string code(std::string_view language, const std::string& text) {
  std::size_t longest = 2, run = 0;
  for (char c : text) longest = std::max(longest, run = c == '`' ? run + 1 : 0);
  std::string fence(longest + 1, '`');
  return fence + std::string(language) + "\n" + text + "\n" + fence + "\n\n";
}

std::string table_row(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& text : cells) row += " " + text + " |";
  return row + "\n";
}

std::string in_full(const store::Finding& finding) {
  std::string text = "### " + std::string(to_string(finding.cause)) + ": " + std::string(to_string(finding.difference)) + " in " +
                     grouped(finding.events) + " of " + counted(finding.executions, "execution") + "\n\n";
  text += "Finding `" + cell(finding.id, 40) + "`, " + std::string(to_string(finding.level)) + ", triage: " + std::string(to_string(finding.status)) + ".\n\n";
  if (finding.examples.empty()) return text + code("sql", one_line(finding.normalized, 2000));
  const store::Example& example = finding.examples.front();
  text += code("sql", one_line(example.sql, 2000));
  text += "Session " + std::to_string(example.exchange.session.value) + ", statement " + std::to_string(example.exchange.seq) + ", " +
          to_rfc3339(example.time) + "; source, then target, then the evidence:\n\n";
  return text + code("json", one_line(example.source_answer, 2000) + "\n" + one_line(example.target_answer, 2000) + "\n" + one_line(example.evidence, 2000));
}

// What is said of one run under its heading.
std::string body(const store::RunReport& report, const Counting& counting) {
  std::vector<const store::Finding*> counted_findings = counting.of(report);
  const store::Coverage& c = report.coverage;
  std::string text = "Run " + std::to_string(report.run.id) + (report.run.finished ? "" : " (**not finished**)") + ": " + grouped(c.compared) + " of " +
          counted(c.exchanges, "exchange") + " compared (" + share(c.compared, c.exchanges) + "), " + grouped(c.fingerprints_compared) + " of " +
          counted(c.fingerprints, "distinct statement") + ".\n\n";
  text += table_row({"ledger", "exchanges"}) + table_row({"---", "---:"});
  for (std::size_t i = 0; i < store::bin_count; ++i) {
    auto bin = static_cast<store::Bin>(i);
    if (report.ledger.of(bin) > 0) text += table_row({cell(to_string(bin), 40), grouped(report.ledger.of(bin))});
  }
  text += "\n";
  for (const store::Finding* finding : counted_findings) text += in_full(*finding);
  if (!report.staleness.empty()) {
    text += "### How far behind reads were\n\n" + table_row({"table", "cause", "reads", "after the write (p50, p95)", "behind for at least (p50, p95)", "agreed within (p50, max)"}) +
            table_row({"---", "---", "---:", "---:", "---:", "---:"});
    for (const store::StalenessRow& row : report.staleness) {
      auto two = [](const Histogram& h, std::uint64_t second) { return h.count() == 0 ? std::string("–") : milliseconds(h.quantile(0.5)) + ", " + milliseconds(second); };
      text += table_row({cell(row.table, 80), cell(to_string(row.cause), 40), grouped(row.events), two(row.age, row.age.quantile(0.95)), two(row.stale, row.stale.quantile(0.95)), two(row.agreed, row.agreed.max())});
    }
    text += "\n";
  }
  if (report.findings.size() > counted_findings.size()) {
    text += "### Explained or not counted\n\n" + table_row({"cause", "difference", "events", "executions", "statement"}) +
            table_row({"---", "---", "---:", "---:", "---"});
    for (const CauseGroup& group : by_cause(report)) {
      for (const store::Finding* finding : group.findings) {
        if (counting.counts(*finding)) continue;
        text += table_row({cell(std::string(to_string(finding->cause)) + (counting.accepted(*finding) ? " (accepted)" : ""), 40), cell(to_string(finding->difference), 40), grouped(finding->events),
                           grouped(finding->executions), cell(finding->normalized, 120)});
      }
    }
  }
  return text;
}

std::string outcome(const store::RunReport& report, const Counting& counting) {
  std::size_t findings = counting.of(report).size();
  return findings == 0 ? "nothing that counts" : counted(findings, "finding") + " to look at";
}

}  // namespace

std::string to_markdown(const store::RunReport& report, const Counting& counting) {
  return "## darktap: " + outcome(report, counting) + "\n\n" + body(report, counting);
}

std::string to_markdown(std::span<const Suite> suites, const Counting& counting) {
  std::string table = table_row({"recording", "result", "compared", "exchanges", "findings", "accepted"}) + table_row({"---", "---", "---:", "---:", "---:", "---:"});
  std::string bodies;
  std::size_t fine = 0;
  for (const Suite& suite : suites) {
    std::string name = cell(suite.name, 120);
    std::string result = suite.report == nullptr ? "" : outcome(*suite.report, counting);
    if (!suite.error.empty()) result += (result.empty() ? "" : "; ") + suite.error;
    else if (counting.of(*suite.report).empty()) ++fine;
    if (suite.report == nullptr) {
      table += table_row({name, cell(result, 300), "–", "–", "–", "–"});
      continue;
    }
    const store::RunReport& report = *suite.report;
    auto accepted = std::ranges::count_if(report.findings, [&](const store::Finding& finding) { return counting.accepted(finding); });
    table += table_row({name, cell(result, 300), grouped(report.coverage.compared), grouped(report.coverage.exchanges), grouped(report.findings.size()), grouped(static_cast<std::uint64_t>(accepted))});
    bodies += "## " + name + ": " + outcome(report, counting) + "\n\n" + body(report, counting);
  }
  return "# darktap: " + std::to_string(fine) + " of " + counted(suites.size(), "recording") + " without findings that count\n\n" + table + "\n" + bodies;
}

}  // namespace darktap::report
