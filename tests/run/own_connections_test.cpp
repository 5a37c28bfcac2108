#include "run/own_connections.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace std::chrono_literals;

TEST_CASE("an application that was given our local port for another server is not taken for us") {
  auto at = [](std::uint16_t port) { return Endpoint{IpAddress::from_v4({127, 0, 0, 1}), port}; };
  CaptureTime now{1000s};
  run::OwnConnections own({{at(40000), at(3307)}}, now);
  CHECK(own.contains({at(40000), at(3307)}, now));
  CHECK_FALSE(own.contains({at(40000), at(3306)}, now));
  CHECK_FALSE(own.contains({at(40001), at(3307)}, now));
}

TEST_CASE("a port that we have closed belongs to whoever opens it next") {
  FlowKey flow{Endpoint{IpAddress::from_v4({127, 0, 0, 1}), 40000}, Endpoint{IpAddress::from_v4({127, 0, 0, 1}), 3306}};
  CaptureTime now{1000s};
  run::OwnConnections own({}, now);
  own.note(flow, now);
  CHECK(own.contains(flow, now + 500ms));
  CHECK_FALSE(own.contains(flow, now + 2s));
}
