#include "base/windowed_histogram.h"

#include <algorithm>
#include <charconv>

namespace darktap {

void WindowedHistogram::record(CaptureTime time, std::uint64_t microseconds, std::uint64_t count) {
  if (count == 0) return;
  std::int64_t second = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  windows_[second >> level_].record(microseconds, count);
  bound();
}

void WindowedHistogram::merge(const WindowedHistogram& other) {
  coarsen(other.level_);
  for (const auto& [number, histogram] : other.windows_) windows_[number >> (level_ - other.level_)].merge(histogram);
  bound();
}

void WindowedHistogram::coarsen(unsigned level) {
  if (level <= level_) return;
  std::map<std::int64_t, Histogram> joined;
  for (const auto& [number, histogram] : windows_) joined[number >> (level - level_)].merge(histogram);
  windows_ = std::move(joined);
  level_ = level;
}

void WindowedHistogram::bound() {
  while (windows_.size() > window_limit && level_ < longest) coarsen(level_ + 1);
}

Histogram WindowedHistogram::total() const {
  Histogram total;
  for (const auto& [number, histogram] : windows_) total.merge(histogram);
  return total;
}

std::uint64_t WindowedHistogram::count() const {
  std::uint64_t count = 0;
  for (const auto& [number, histogram] : windows_) count += histogram.count();
  return count;
}

// "LEVEL;NUMBER=HISTOGRAM;NUMBER=HISTOGRAM…"
std::string WindowedHistogram::serialize() const {
  std::string text = std::to_string(level_);
  for (const auto& [number, histogram] : windows_) text += ";" + std::to_string(number) + "=" + histogram.serialize();
  return text;
}

WindowedHistogram WindowedHistogram::parse(std::string_view text) {
  WindowedHistogram result;
  auto next_part = [&text] {
    std::size_t end = std::min(text.find(';'), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
  };
  auto number = [](std::string_view digits, auto& value) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (!number(next_part(), result.level_) || result.level_ > longest) return {};
  while (!text.empty()) {
    std::string_view part = next_part();
    std::size_t equals = part.find('=');
    std::int64_t window = 0;
    if (equals == std::string_view::npos || !number(part.substr(0, equals), window)) return {};
    Histogram histogram = Histogram::parse(part.substr(equals + 1));
    if (histogram.count() == 0) return {};
    result.windows_[window].merge(histogram);
  }
  result.bound();
  return result;
}

}  // namespace darktap
