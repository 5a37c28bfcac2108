#include "session/printed_time.h"

#include <algorithm>
#include <charconv>

namespace darktap::session {
namespace {

constexpr auto farthest_zone = std::chrono::hours(15);

}  // namespace

std::optional<PrintedTime> parse_printed_time(std::string_view text) {
  auto number = [&](std::size_t at, std::size_t digits) -> std::optional<int> {
    int value = 0;
    if (at + digits > text.size()) return std::nullopt;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + at + digits, value);
    if (error != std::errc() || end != text.data() + at + digits) return std::nullopt;
    return value;
  };
  auto year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)), std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  auto since = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  CaptureClock::duration step = std::chrono::seconds(1), fraction{};
  if (text.size() > 20 && text[19] == '.') {
    auto digits = std::min<std::size_t>(6, text.size() - 20);
    auto value = number(20, digits);
    if (!value) return std::nullopt;
    for (std::size_t i = 0; i < digits; ++i) step /= 10;
    fraction = step * *value;
  }
  return PrintedTime{CaptureTime(since + fraction), step};
}

std::optional<CaptureTime> time_within(const PrintedTime& printed, CaptureTime request, CaptureTime answer) {
  auto away = printed.time - request;
  auto zone = zone_step * ((away + (away < CaptureClock::duration::zero() ? -zone_step / 2 : zone_step / 2)) / zone_step);
  if (zone > farthest_zone || zone < -farthest_zone) return std::nullopt;
  CaptureTime first = printed.time - zone, last = first + printed.step - std::chrono::microseconds(1);
  if (last < request - clock_skew || first > answer + clock_skew) return std::nullopt;
  return std::clamp(request, first, last);
}

}  // namespace darktap::session
