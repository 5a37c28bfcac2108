# Rooms by their short names, packages by their targets' -> link names in the variable `out`.
function(darktap_targets out)
  set(targets)
  foreach(name IN LISTS ARGN)
    if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${name}/include)
      list(APPEND targets darktap_${name})
    else()
      list(APPEND targets ${name})
    endif()
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

# A room is one static library with one exported include root, ROOM/include.
#
#   darktap_room(capture PUBLIC base PRIVATE PkgConfig::PCAP)
#
# PUBLIC: rooms (or packages) that the room's own public headers need. PRIVATE: what only its .cpp files need.
# Sources are ROOM/*.cpp, public headers ROOM/include/ROOM/*.h, private headers ROOM/*.h (included as "name.h").
# Because each room exports only its own root, including a room that is not linked does not compile; the header set
# is verified (each public header compiles alone) by the target all_verify_interface_header_sets.
function(darktap_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PUBLIC;PRIVATE")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/include/${room}/*.h)
  set(target darktap_${room})
  add_library(${target} STATIC ${sources})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/${room}/include FILES ${headers})
  darktap_targets(public_links ${arg_PUBLIC})
  darktap_targets(private_links ${arg_PRIVATE})
  target_link_libraries(${target} PUBLIC ${public_links} PRIVATE ${private_links} darktap_options)
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# One test program a room: tests/ROOM/*.cpp, linked with the room and whatever else is named. Each Catch2 test case is a
# ctest of its own; a test that prints "SKIPPED: reason" counts as skipped.
function(darktap_room_tests room)
  if(NOT DARKTAP_TESTS)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*.cpp)
  if(NOT sources)
    return()
  endif()
  set(target test_${room})
  add_executable(${target} ${sources})
  set(tested)
  if(TARGET darktap_${room})
    set(tested ${room})
  endif()
  darktap_targets(links ${tested} ${ARGN})
  target_link_libraries(${target} PRIVATE ${links} darktap_catch darktap_options)
  catch_discover_tests(${target}
    TEST_PREFIX "${room}: "
    PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED: " LABELS "${room}" TIMEOUT 300
               ENVIRONMENT "DARKTAP_CORPUS=${DARKTAP_CORPUS}")
endfunction()
