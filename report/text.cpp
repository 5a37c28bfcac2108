// One screen for a terminal.
#include <algorithm>
#include <array>

#include "report/report.h"
#include "words.h"

namespace darktap::report {

namespace {

constexpr std::size_t width = 110;
constexpr std::size_t samples_of_what_counts = 3;

std::string padded(std::string text, std::size_t columns) {
  if (text.size() < columns) text.append(columns - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t columns) {
  return text.size() < columns ? std::string(columns - text.size(), ' ') + text : text;
}

std::string heading(const store::RunInfo& run) {
  std::string line = "Run " + std::to_string(run.id) + " · " + one_line(run.mode, 20);
  line += run.finished ? " · finished " + to_rfc3339(*run.finished).substr(0, 19) + "Z after " + elapsed(*run.finished - run.started)
                       : " · not finished (running, or interrupted)";
  line += "\n" + padded("", 12) + one_line(run.source, 60) + " → " + one_line(run.target, 60);
  if (!run.reference.empty()) line += ", reference " + one_line(run.reference, 60);
  if (run.examples_left_out > 0) line += "\n" + padded("", 12) + grouped(run.examples_left_out) + " events without an example: the store had grown to --store-limit";
  return line + "\n";
}

std::string ledger_lines(const store::RunReport& report) {
  std::string line = padded("Ledger", 12) + counted(report.ledger.total(), "exchange") + " =";
  bool first = true;
  for (std::size_t i = 0; i < store::bin_count; ++i) {
    auto bin = static_cast<store::Bin>(i);
    if (report.ledger.of(bin) == 0) continue;
    line += (first ? " " : " + ") + grouped(report.ledger.of(bin)) + " " + std::string(to_string(bin));
    first = false;
  }
  if (first) line += " 0";
  line += "\n";
  for (const auto& [bin, counts] : report.ledger.reasons()) {
    std::vector<std::pair<std::string, std::uint64_t>> reasons(counts.begin(), counts.end());
    std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string text;
    for (const auto& [reason, n] : reasons) text += (text.empty() ? "" : " · ") + reason + " " + grouped(n);
    line += padded("", 14) + padded(std::string(to_string(bin)), 15) + one_line(text, width - 29) + "\n";
  }
  return line;
}

std::string coverage_lines(const store::RunReport& report) {
  const store::Coverage& c = report.coverage;
  std::string line = padded("Coverage", 12) + share(c.compared, c.exchanges) + " of exchanges compared (" + grouped(c.compared) + " of " +
                     grouped(c.exchanges) + "), " + grouped(c.fingerprints_compared) + " of " + counted(c.fingerprints, "distinct statement") + "\n";
  if (c.server_questions) line += padded("", 12) + "the source itself counted " + counted(*c.server_questions, "statement") + "\n";
  return line;
}

std::string finding_line(const store::Finding& finding) {
  std::string what = padded("", 6) + padded(std::string(to_string(finding.difference)), 18) +
                     right(grouped(finding.events) + " of " + grouped(finding.executions), 16) + "  ";
  return what + one_line(finding.normalized, width - what.size()) + "\n";
}

std::string finding_lines(const store::RunReport& report, const Counting& counting) {
  std::size_t counted_findings = counting.of(report).size();
  std::string text = padded("Findings", 12);
  if (report.findings.empty()) return text + "none\n";
  text += counted(report.findings.size(), "finding") + ", " + (counted_findings == 0 ? "none counts" : grouped(counted_findings) + (counted_findings == 1 ? " counts" : " count")) + "\n";
  for (const CauseGroup& group : by_cause(report)) {
    bool counts = std::any_of(group.findings.begin(), group.findings.end(), [&](const auto* finding) { return counting.counts(*finding); });
    text += (counts ? "  ! " : "    ") + padded(std::string(to_string(group.cause)), 20) + counted(group.findings.size(), "finding") + ", " +
            counted(group.events, "event") + "\n";
    std::size_t shown = std::min(group.findings.size(), counts ? samples_of_what_counts : std::size_t{1});
    for (std::size_t i = 0; i < shown; ++i) text += finding_line(*group.findings[i]);
    if (counts && group.findings.size() > shown) text += padded("", 6) + "… and " + grouped(group.findings.size() - shown) + " more\n";
  }
  return text;
}

// What the application's owners have to live with, or to mend: how soon after a write each table's reads came, how long they were behind.
std::string staleness_lines(const store::RunReport& report) {
  if (report.staleness.empty()) return "";
  std::string text = padded("Staleness", 46) + right("reads", 8) + right("after write", 22) + right("behind for", 22) + right("at most", 11) + "\n";
  for (const store::StalenessRow& row : report.staleness) {
    auto two = [](const Histogram& h) { return h.count() == 0 ? std::string("–") : milliseconds(h.quantile(0.5)) + " · " + milliseconds(h.quantile(0.95)); };
    std::string what = padded("", 4) + one_line(row.table, 40) + (row.cause == compare::Cause::stale_read ? ", no write seen" : "");
    // The dash and the dots are two bytes of one column, or three.
    auto wide = [](const std::string& value, std::size_t columns) {
      auto shown = static_cast<std::size_t>(std::count_if(value.begin(), value.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
      return (shown < columns ? std::string(columns - shown, ' ') : std::string()) + value;
    };
    text += padded(one_line(what, 46), 46) + right(grouped(row.events), 8) + wide(two(row.age), 22) + wide(two(row.stale), 22);
    text += right(row.agreed.count() == 0 ? "unknown" : milliseconds(row.agreed.max()), 11) + "\n";
  }
  return text + padded("", 12) + "p50 · p95, from the write's OK (no write seen: from the source's answer).\n";
}

std::string latency_lines(const store::RunReport& report) {
  std::vector<SideLatency> sides = by_side(report.latency);
  if (sides.empty()) return "";
  std::string text = padded("Latency", 36) + right("n", 10);
  for (const char* name : {"p50", "p95", "p99", "max"}) text += right(name, 12);
  text += "\n";
  bool tap = false, client = false;
  for (const SideLatency& side : sides) {
    (side.vantage == store::Vantage::tap ? tap : client) = true;
    const Histogram& h = side.histogram;
    text += padded("", 12) + padded(std::string(to_string(side.side)) + ", at the " + std::string(to_string(side.vantage)), 24) + right(grouped(h.count()), 10);
    for (double q : {0.5, 0.95, 0.99}) text += right(milliseconds(h.quantile(q)), 12);
    text += right(milliseconds(h.max()), 12) + "\n";
  }
  const store::RoundTripFigures& trips = report.run.round_trips;
  auto known = [](const std::optional<std::uint64_t>& microseconds) { return microseconds ? milliseconds(*microseconds) : std::string("unknown"); };
  text += padded("", 12) + "Round trips: tap to server " + known(trips.tap_to_server) + ", tap to client " + known(trips.tap_to_client) + ", darktap to target " + known(trips.target) + "\n";
  if (tap && client) text += padded("", 12) + "A tap measures beside the server, a client over its own connection: not the same thing.\n";
  return text;
}

}  // namespace

std::string to_text(const store::RunReport& report, const Counting& counting) {
  return heading(report.run) + ledger_lines(report) + coverage_lines(report) + finding_lines(report, counting) + staleness_lines(report) + latency_lines(report);
}

}  // namespace darktap::report
