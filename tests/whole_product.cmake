# Tests that are no Catch2 programs: lint, what must not compile, and whole-product tests in Python. All run under ctest, so
# that one runner's closing line counts everything; "SKIPPED: reason" on a line of its own is how a test says so.
find_program(DARKTAP_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED DOC "The system's Python, which sees Debian's modules")
set(test_environment
  "DARKTAP_CORPUS=${DARKTAP_CORPUS}" "DARKTAP_SOURCE=${PROJECT_SOURCE_DIR}" "DARKTAP_BUILD=${PROJECT_BINARY_DIR}"
  "PYTHONPYCACHEPREFIX=${PROJECT_BINARY_DIR}/pycache")

add_test(NAME "lint: the house rules hold" COMMAND ${DARKTAP_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/lint/lint.py)
set_tests_properties("lint: the house rules hold" PROPERTIES LABELS lint ENVIRONMENT "${test_environment}")

set(compile_commands ${PROJECT_BINARY_DIR}/compile_commands.json)
foreach(room base capture mysql sql session client replay compare store report run web)
  if(TARGET darktap_${room})
    set(name "compile_fail: room ${room} sees only the rooms it stands on")
    add_test(NAME ${name}
      COMMAND ${DARKTAP_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/compile_fail/forbidden_rooms.py ${compile_commands} ${room})
    set_tests_properties(${name} PROPERTIES LABELS compile_fail ENVIRONMENT "${test_environment}" SKIP_REGULAR_EXPRESSION "SKIPPED: ")
  endif()
endforeach()
file(GLOB snippets CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/compile_fail/*.cpp)
foreach(snippet IN LISTS snippets)
  get_filename_component(fact ${snippet} NAME_WE)
  string(REPLACE "_" " " fact ${fact})
  add_test(NAME "compile_fail: ${fact}"
    COMMAND ${DARKTAP_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/compile_fail/must_not_compile.py ${compile_commands} ${snippet})
  set_tests_properties("compile_fail: ${fact}" PROPERTIES LABELS compile_fail ENVIRONMENT "${test_environment}")
endforeach()

# Each test method of tests/FOLDER/test_*.py is a ctest of its own, so that a skip hides nothing else.
function(darktap_python_tests folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "")
  file(GLOB modules CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/test_*.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${modules})
  set(runner ${CMAKE_CURRENT_SOURCE_DIR}/support/run_case.py)
  execute_process(COMMAND ${DARKTAP_PYTHON} ${runner} --list ${modules} OUTPUT_VARIABLE cases
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" cases "${cases}")
  foreach(case IN LISTS cases)
    string(REGEX MATCH "^([^ ]+) ([^ ]+) (.*)$" unused "${case}")
    set(name "${folder}: ${CMAKE_MATCH_3}")
    set(locks ${CMAKE_MATCH_2})
    add_test(NAME "${name}" COMMAND ${DARKTAP_PYTHON} ${runner} ${CMAKE_CURRENT_SOURCE_DIR}/${folder} ${CMAKE_MATCH_1})
    set_tests_properties("${name}" PROPERTIES LABELS ${folder} TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${test_environment}"
      SKIP_REGULAR_EXPRESSION "SKIPPED: ")
    if(NOT locks STREQUAL "-")
      set_tests_properties("${name}" PROPERTIES RESOURCE_LOCK ${locks})
    endif()
  endforeach()
endfunction()

# The fuzz targets are another build (clang, preset fuzz); a target that is not built skips.
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*.cpp)
foreach(source IN LISTS fuzz_targets)
  get_filename_component(name ${source} NAME_WE)
  file(GLOB seeds CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/seeds/${name}/*)
  if(seeds)
    add_executable(seeds_${name} ${source} ${CMAKE_CURRENT_SOURCE_DIR}/support/replay_seeds.cpp)
    target_link_libraries(seeds_${name} PRIVATE darktap_base darktap_capture darktap_mysql darktap_sql darktap_session darktap_options)
    set(fact "seeds: what the fuzz target ${name} began with or once broke on")
    add_test(NAME ${fact} COMMAND seeds_${name} ${PROJECT_SOURCE_DIR}/fuzz/seeds/${name})
    set_tests_properties(${fact} PROPERTIES LABELS seeds TIMEOUT 120)
  endif()
  set(fact "fuzz: thirty seconds of any input do not break ${name}")
  add_test(NAME ${fact} COMMAND ${DARKTAP_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/support/fuzz_smoke.py ${name} 30)
  set_tests_properties(${fact} PROPERTIES LABELS fuzz TIMEOUT 120 ENVIRONMENT "${test_environment}" SKIP_REGULAR_EXPRESSION "SKIPPED: ")
endforeach()

if(TARGET darktap)
  darktap_python_tests(end_to_end TIMEOUT 280)
endif()
