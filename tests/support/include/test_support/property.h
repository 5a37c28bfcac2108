// Properties by rapidcheck inside a Catch2 test case. rapidcheck's own Catch header needs Catch2 2, so we call rc::check.
#pragma once

#include <rapidcheck.h>

#include "test_support/catch.h"

// Checks the callable for many generated arguments; on failure rapidcheck prints the shrunken counterexample and the seed.
template <class Testable>
void require_property(const char* fact, Testable&& testable) {
  REQUIRE(rc::check(fact, std::forward<Testable>(testable)));
}
