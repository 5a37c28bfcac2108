// Which exchanges have their bin.
#include "run/positions.h"

#include <set>

#include "test_support/catch.h"
#include "test_support/property.h"

using namespace darktap;
using namespace darktap::run;

TEST_CASE("Positions know exactly what was marked, in any order, and come back whole from what was stored") {
  require_property("what was marked is contained", [](const std::vector<std::uint8_t>& order) {
    Positions positions;
    std::set<std::uint32_t> marked;
    std::vector<store::SessionProgress> stored;
    for (std::uint8_t seq : order) {
      positions.mark({SessionId{3}, seq});
      marked.insert(seq);
      if (seq % 7 == 0)
        if (auto moved = positions.take_changed(); !moved.empty()) stored = std::move(moved);
    }
    if (auto moved = positions.take_changed(); !moved.empty()) stored = std::move(moved);
    Positions again(stored);
    for (std::uint32_t seq = 0; seq < 256; ++seq) {
      if (positions.contains({SessionId{3}, seq}) != marked.contains(seq)) return false;
      if (again.contains({SessionId{3}, seq}) != marked.contains(seq)) return false;
    }
    return !positions.contains({SessionId{4}, 0});
  });
}

TEST_CASE("A session is whole once every exchange below its number is done") {
  Positions positions;
  positions.mark({SessionId{1}, 1});
  CHECK_FALSE(positions.is_whole(SessionId{1}, 2));
  positions.mark({SessionId{1}, 0});
  CHECK(positions.is_whole(SessionId{1}, 2));
  CHECK_FALSE(positions.is_whole(SessionId{1}, 3));
  CHECK(positions.take_changed().size() == 1);
  CHECK(positions.take_changed().empty());
}
