# Compiler options that every room shares. The library's own assertions stay on in release.
add_library(darktap_options INTERFACE)
target_compile_options(darktap_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wno-missing-field-initializers)  # designated initialisers leave the rest to its default on purpose
target_compile_definitions(darktap_options INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees overlapping copies in std::string's own operator+ (GCC bug 105651).
  target_compile_options(darktap_options INTERFACE -Wno-restrict)
endif()
if(DARKTAP_WERROR)
  target_compile_options(darktap_options INTERFACE -Werror)
endif()
if(DARKTAP_SANITIZE)
  add_compile_options(-fsanitize=${DARKTAP_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DARKTAP_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With sanitizers, g++ 12 takes the library's own <regex> for uninitialised; the release build keeps the warning.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  if(DARKTAP_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(DARKTAP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage of the rooms, without a main of libFuzzer's
endif()
