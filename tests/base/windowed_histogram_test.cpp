// Windows line up, merge and coarsen without regard to order.
#include "base/windowed_histogram.h"
#include "test_support/catch.h"
#include "test_support/property.h"

using namespace darktap;

namespace {
CaptureTime at(std::int64_t seconds) { return CaptureTime(std::chrono::seconds(seconds)); }
}  // namespace

TEST_CASE("64 windows stay a second long; the 65th joins neighbours") {
  WindowedHistogram windows;
  for (std::int64_t second = 0; second < 64; ++second) windows.record(at(second), 10);
  CHECK(windows.windows().size() == 64);
  CHECK(windows.window_length() == std::chrono::seconds(1));
  windows.record(at(64), 10);
  CHECK(windows.windows().size() == 33);
  CHECK(windows.window_length() == std::chrono::seconds(2));
  CHECK(windows.count() == 65);
}

TEST_CASE("what is left depends on the values, not on their order or on how they were merged") {
  require_property("windows keep no order", [](std::uint32_t seed) {
    std::uint64_t state = seed + 1;
    auto random = [&state] { return (state = state * 6364136223846793005ULL + 1442695040888963407ULL) >> 33; };
    std::vector<std::pair<std::int64_t, std::uint64_t>> values;
    for (int i = 0; i < 200; ++i) values.emplace_back(static_cast<std::int64_t>(random() % 400), random() % 100'000);
    WindowedHistogram forwards, backwards, left, right;
    for (std::size_t i = 0; i < values.size(); ++i) {
      forwards.record(at(values[i].first), values[i].second);
      backwards.record(at(values[values.size() - 1 - i].first), values[values.size() - 1 - i].second);
      (i < 37 ? left : right).record(at(values[i].first), values[i].second);
    }
    left.merge(right);
    RC_ASSERT(forwards == backwards);
    RC_ASSERT(forwards == left);
    RC_ASSERT(WindowedHistogram::parse(forwards.serialize()) == forwards);
  });
}

TEST_CASE("bad text parses to nothing") {
  for (const char* text : {"", "x", "1;", "1;5", "1;5=", "1;5=9", "99;5=9 1:1", "1;5=9 1:1;x=9 1:1"}) {
    CHECK(WindowedHistogram::parse(text).count() == 0);
  }
}
