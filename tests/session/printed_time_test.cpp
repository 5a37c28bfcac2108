// Times as servers print them, and whether a statement can have written them.
#include "session/printed_time.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::session;
using namespace std::chrono_literals;

TEST_CASE("A printed time is read with as many digits as it has; other text is none") {
  CHECK(parse_printed_time("2023-11-14 22:13:20")->time == CaptureTime(1'700'000'000s));
  CHECK(parse_printed_time("2023-11-14 22:13:20")->step == CaptureClock::duration(1s));
  CHECK(parse_printed_time("2023-11-14 22:13:20.25")->time == CaptureTime(1'700'000'000s + 250ms));
  CHECK(parse_printed_time("2023-11-14 22:13:20.250001")->step == CaptureClock::duration(1us));
  for (const char* text : {"", "soon", "2023-11-14", "2023-13-14 22:13:20", "0000-00-00 00:00:00", "2023-11-14 22:13:2x", "2023-11-14 22:13:20.x"}) CHECK_FALSE(parse_printed_time(text));
}

TEST_CASE("A printed time is within a statement's run in whatever zone, and nowhere else") {
  const CaptureTime request(1'700'000'000s + 100ms), answer = request + 50ms;
  for (const char* text : {"2023-11-14 22:13:20.120000", "2023-11-15 03:43:20.120000", "2023-11-14 10:28:20.120000"})
    CHECK(time_within(*parse_printed_time(text), request, answer) == CaptureTime(1'700'000'000s + 120ms));
  CHECK(time_within(*parse_printed_time("2023-11-14 22:13:20.152000"), request, answer));
  CHECK_FALSE(time_within(*parse_printed_time("2023-11-14 22:13:20.152001"), request, answer));
  CHECK_FALSE(time_within(*parse_printed_time("2023-11-14 22:13:20.097999"), request, answer));
  CHECK_FALSE(time_within(*parse_printed_time("2023-11-16 22:13:20.120000"), request, answer));
  CHECK(time_within(*parse_printed_time("2023-11-14 22:13:20"), request, answer) == request);
}
