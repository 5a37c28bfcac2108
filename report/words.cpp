#include "words.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/json.h"

namespace darktap::report {

namespace {

std::string formatted(const char* format, double value) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

bool is_control(unsigned code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

// The character in front and its length; U+FFFD for a byte that is no UTF-8.
std::pair<std::string_view, unsigned> front_character(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  std::size_t length = byte(0) < 0x80 ? 1 : byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (length > text.size() || !is_utf8(text.substr(0, length))) return {text.substr(0, 1), 0xfffd};
  unsigned code = length == 1 ? byte(0) : byte(0) & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3f);
  return {text.substr(0, length), code};
}

// Marks that reorder what is shown around them.
bool reorders(unsigned code) { return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f; }

// What to look at first: what counts, then what is still open, then what is explained.
constexpr compare::Cause reading_order[] = {
    compare::Cause::defect,          compare::Cause::order_violated,   compare::Cause::stale_read,    compare::Cause::unsupported,
    compare::Cause::unexamined,      compare::Cause::read_after_write, compare::Cause::order_undefined, compare::Cause::nondeterministic,
    compare::Cause::data_moved,      compare::Cause::skipped_write,    compare::Cause::normalization, compare::Cause::replay_artifact,
};

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string counted(std::uint64_t number, std::string_view thing) {
  return grouped(number) + " " + std::string(thing) + (number == 1 ? "" : "s");
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "–";
  double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  // Nearly all is not all.
  if (part < whole && percent > 99.9) return "> 99.9 %";
  if (part > 0 && percent < 0.1) return "< 0.1 %";
  return formatted("%.1f %%", percent);
}

std::string milliseconds(std::uint64_t microseconds) {
  double ms = static_cast<double>(microseconds) / 1000;
  if (ms >= 1000) return formatted("%.2f s", ms / 1000);
  return formatted(ms >= 100 ? "%.0f ms" : ms >= 10 ? "%.1f ms" : "%.2f ms", ms);
}

std::string elapsed(std::chrono::nanoseconds duration) {
  double seconds = std::chrono::duration<double>(duration).count();
  if (seconds < 60) return formatted("%.1f s", seconds);
  auto minutes = static_cast<std::uint64_t>(seconds / 60);
  if (minutes < 60) return std::to_string(minutes) + " min " + std::to_string(static_cast<std::uint64_t>(seconds) % 60) + " s";
  return grouped(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

std::string one_line(std::string_view text, std::size_t width) {
  std::string line;
  std::size_t characters = 0;
  bool after_space = true;
  std::size_t fits = 0;  // bytes that leave room for the mark of a cut
  while (!text.empty()) {
    auto [bytes, code] = front_character(text);
    text.remove_prefix(bytes.size());
    bool space = code == ' ' || code == '\n' || code == '\r' || code == '\t';
    if (space && after_space) continue;
    after_space = space;
    if (characters + 1 == width) fits = line.size();
    if (characters == width) return line.substr(0, fits) + "…";
    if (space) line += ' ';
    else if (code == 0xfffd || is_control(code) || reorders(code)) line += "\xef\xbf\xbd";
    else line += bytes;
    ++characters;
  }
  return line;
}

std::vector<SideLatency> by_side(const std::vector<store::LatencyRow>& rows) {
  std::map<std::pair<compare::Side, store::Vantage>, Histogram> sums;
  for (const store::LatencyRow& row : rows) sums[{row.side, row.vantage}].merge(row.histogram);
  std::vector<SideLatency> sides;
  for (auto& [key, histogram] : sums) sides.push_back({key.first, key.second, std::move(histogram)});
  return sides;
}

std::vector<CauseGroup> by_cause(const store::RunReport& report) {
  std::vector<CauseGroup> groups;
  for (compare::Cause cause : reading_order) {
    CauseGroup group{.cause = cause, .events = 0, .findings = {}};
    for (const store::Finding& finding : report.findings) {
      if (finding.cause != cause) continue;
      group.events += finding.events;
      group.findings.push_back(&finding);
    }
    if (group.findings.empty()) continue;
    std::stable_sort(group.findings.begin(), group.findings.end(), [](const auto* a, const auto* b) { return a->events > b->events; });
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace darktap::report
