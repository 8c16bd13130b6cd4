# flowrun_add_test(<name> SOURCES a_test.cpp ... [LIBRARIES lib ...] [LABELS fast|slow] [DEPENDS target ...] [TIMEOUT seconds])
#
# Builds one GoogleTest executable and registers each of its tests with ctest.
function(flowrun_add_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;DEPENDS" ${ARGN})
  if(NOT TEST_LABELS)
    set(TEST_LABELS fast)
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} flowrun::options GTest::gmock GTest::gtest_main)
  # A test's own code need not be fast, and compiles in half the time; what it tests keeps the build's flags.
  target_compile_options(${name} PRIVATE -O1)
  # Test data is found beside the source; FLOWRUN_BUILD_DIR holds the binary and the plugins.
  target_compile_definitions(${name} PRIVATE FLOWRUN_TEST_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}" FLOWRUN_BUILD_DIR="${PROJECT_BINARY_DIR}"
                                             FLOWRUN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TEST_DEPENDS)
    add_dependencies(${name} ${TEST_DEPENDS})
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT})
endfunction()
