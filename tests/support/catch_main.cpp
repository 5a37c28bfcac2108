#include <cstdlib>

// Where the source lies, for tests that read files of it. An environment that says so itself is left as it is.
[[maybe_unused]] static const int source_told = ::setenv("DARKTAP_SOURCE", DARKTAP_SOURCE_FOLDER, 0);

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
