#include "replay/ramp.h"

#include <charconv>
#include <optional>

#include "base/time.h"

namespace darktap::replay {

namespace {

std::optional<double> percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size() - 1;
  auto [parsed, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || parsed != end || !(value > 0 && value <= 100)) return std::nullopt;
  return value;
}

// Spreads numbers that follow one another over all values (SplitMix64's finaliser).
std::uint64_t scattered(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace

double Ramp::share(std::chrono::nanoseconds since_begin) const {
  if (since_begin >= over) return to;
  double part = static_cast<double>(since_begin.count()) / static_cast<double>(over.count());
  return from + (to - from) * (part < 0 ? 0 : part);
}

bool Ramp::admits(SessionId session, std::chrono::nanoseconds since_begin) const {
  constexpr double steps = 1'000'000;
  double place = static_cast<double>(scattered(session.value) % 1'000'000) * (100 / steps);
  return place < share(since_begin);
}

Expected<Ramp, std::string> parse_ramp(std::string_view text) {
  auto refuse = [&] { return Unexpected("--ramp " + std::string(text) + ": expected rising shares and a duration, such as 1%..100%/10m"); };
  auto dots = text.find("..");
  auto slash = text.rfind('/');
  if (dots == std::string_view::npos || slash == std::string_view::npos || slash < dots) return refuse();
  auto from = percent(text.substr(0, dots));
  auto to = percent(text.substr(dots + 2, slash - dots - 2));
  auto over = parse_duration(text.substr(slash + 1));
  if (!from || !to || !over || *from > *to || over->count() < 0) return refuse();
  return Ramp{*from, *to, *over};
}

}  // namespace darktap::replay
