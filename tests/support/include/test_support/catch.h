// The one place that includes Catch2: v3 where it is installed, Debian 12's 2.13 otherwise.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <cstdio>

// Ends the running test case as skipped, with its reason: ctest recognises the line (Catch2 2.13 has no SKIP of its own).
#define DARKTAP_SKIP(reason)                                 \
  do {                                                       \
    std::printf("SKIPPED: %s\n", std::string(reason).c_str()); \
    return;                                                  \
  } while (false)
