#include "replay/schedule.h"

#include <charconv>
#include <cstdio>

namespace darktap::replay {
namespace {

constexpr double slowest = 0.001, fastest = 1000;

CaptureClock::duration scaled(CaptureClock::duration duration, double factor) {
  return CaptureClock::duration(static_cast<CaptureClock::rep>(static_cast<double>(duration.count()) * factor));
}

}  // namespace

Expected<Pace, std::string> parse_pace(std::string_view text) {
  if (text == "recorded") return Pace{};
  if (text == "max") return Pace{Pace::Kind::flat_out, 1};
  double factor = 0;
  bool has_unit = text.ends_with('x');
  const char* end = text.data() + text.size() - (has_unit ? 1 : 0);
  auto [parsed, error] = std::from_chars(text.data(), end, factor);
  if (!has_unit || error != std::errc{} || parsed != end || !(factor >= slowest && factor <= fastest))
    return Unexpected("--pace " + std::string(text) + ": expected recorded, max, or a factor from 0.001x to 1000x, such as 2x");
  return Pace{factor == 1 ? Pace::Kind::recorded : Pace::Kind::multiplied, factor};
}

std::string to_string(const Pace& pace) {
  switch (pace.kind) {
    case Pace::Kind::recorded: return "recorded";
    case Pace::Kind::flat_out: return "max";
    case Pace::Kind::multiplied: break;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%gx", pace.factor);
  return text;
}

Expected<Order, std::string> parse_order(std::string_view text) {
  if (text == "session") return Order::session;
  if (text == "none") return Order::none;
  if (text == "commit") return Order::commit;
  return Unexpected("--order " + std::string(text) + ": expected session, commit or none");
}

std::string_view to_string(Order order) {
  switch (order) {
    case Order::session: return "session";
    case Order::commit: return "commit";
    case Order::none: return "none";
  }
  return "";
}

CaptureTime Schedule::due(CaptureTime request) {
  if (request > latest_) {
    if (request - latest_ > longest_idle_) left_out_ += request - latest_ - longest_idle_;
    latest_ = request;
  }
  request -= left_out_;
  switch (pace_.kind) {
    case Pace::Kind::flat_out: return run_start_;
    case Pace::Kind::recorded: return run_start_ + (request - recording_start_);
    case Pace::Kind::multiplied: return run_start_ + scaled(request - recording_start_, 1 / pace_.factor);
  }
  return run_start_;
}

CaptureTime Schedule::recorded_time(CaptureTime now) const {
  if (pace_.kind == Pace::Kind::multiplied) return recording_start_ + scaled(now - run_start_, pace_.factor);
  return recording_start_ + (now - run_start_);
}

}  // namespace darktap::replay
