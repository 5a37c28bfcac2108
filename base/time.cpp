#include "base/time.h"

#include <charconv>
#include <cstdio>

namespace darktap {

using namespace std::chrono;

std::string to_rfc3339(CaptureTime time) {
  auto since_epoch = time.time_since_epoch();
  auto day = floor<days>(since_epoch);
  year_month_day date{sys_days(day)};
  hh_mm_ss<nanoseconds> clock(since_epoch - day);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%09lldZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                static_cast<long long>(clock.subseconds().count()));
  return buffer;
}

std::optional<CaptureTime> parse_rfc3339(std::string_view text) {
  std::string copy(text);
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, used = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6) return std::nullopt;
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(used));
  std::int64_t fraction = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    std::int64_t scale = 100'000'000;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
      fraction += (rest.front() - '0') * scale;
      scale /= 10;
      rest.remove_prefix(1);
    }
  }
  if (rest != "Z") return std::nullopt;
  year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  if (!date.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
  auto since_epoch = sys_days(date).time_since_epoch() + hours(h) + minutes(mi) + seconds(s) + nanoseconds(fraction);
  return CaptureTime(duration_cast<nanoseconds>(since_epoch));
}

namespace {

// Splits "12.5ms" into its number and its unit.
bool number_and_unit(std::string_view& text, double& number, std::string_view& unit) {
  std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string_view::npos) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc() || end != text.data() + digits) return false;
  text.remove_prefix(digits);
  std::size_t letters = text.find_first_of("0123456789");
  unit = text.substr(0, letters);
  text.remove_prefix(unit.size());
  return true;
}

}  // namespace

std::optional<nanoseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    std::string_view unit;
    if (!number_and_unit(text, number, unit)) return std::nullopt;
    if (unit == "ns") total += number;
    else if (unit == "us") total += number * 1e3;
    else if (unit == "ms") total += number * 1e6;
    else if (unit == "s") total += number * 1e9;
    else if (unit == "m") total += number * 60e9;
    else if (unit == "h") total += number * 3600e9;
    else return std::nullopt;
  }
  if (total > 9e18) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(total));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  double number = 0;
  std::string_view unit;
  if (!number_and_unit(text, number, unit) || !text.empty()) return std::nullopt;
  double scale = 0;
  if (unit == "B") scale = 1;
  else if (unit == "KiB") scale = 1024;
  else if (unit == "MiB") scale = 1024.0 * 1024;
  else if (unit == "GiB") scale = 1024.0 * 1024 * 1024;
  else return std::nullopt;
  if (number * scale > 9e18) return std::nullopt;
  return static_cast<std::uint64_t>(number * scale);
}

}  // namespace darktap
