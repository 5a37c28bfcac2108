#include "run/read_ahead.h"

#include "test_support/catch.h"

using darktap::run::ReadAhead;

TEST_CASE("a recording is read no farther while one session in eight waits, and the farther the more of them do") {
  constexpr ReadAhead ahead{1000, 8000};
  CHECK(ahead.wanted(0, 0) == 1000);  // none has begun
  CHECK(ahead.wanted(16, 0) == 1000);
  CHECK(ahead.wanted(16, 1) == 1000);
  CHECK(ahead.wanted(16, 2) == 1000);
  CHECK(ahead.wanted(16, 3) == 1500);
  CHECK(ahead.wanted(16, 16) == 8000);
  CHECK(ahead.wanted(7, 0) == 1000);  // of a few, each counts
  CHECK(ahead.wanted(7, 1) == 2000);
  CHECK(ahead.wanted(1, 1) == 8000);
}

TEST_CASE("the queues' limit holds, whatever is wanted beyond it") {
  constexpr ReadAhead ahead{1000, 300};
  CHECK(ahead.wanted(16, 0) == 300);
  CHECK(ahead.wanted(16, 16) == 300);
}
