# flowrun::options: warnings as errors and the sanitizers, linked privately by every target of the project.
add_library(flowrun_options INTERFACE)
add_library(flowrun::options ALIAS flowrun_options)
target_compile_options(flowrun_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
if(NOT FLOWRUN_FUZZ)
  target_compile_options(flowrun_options INTERFACE -Werror)  # g++ builds the project; what another compiler warns of is worth a look, no more
endif()
# GCC 12 sees overlaps that are not there in "literal" + std::string at -O3 (gcc.gnu.org PR105651; mended in 13).
target_compile_options(flowrun_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
if(FLOWRUN_SANITIZE)
  # Plugins are sanitized as well: one run-time serves the whole process.
  add_compile_options(-fsanitize=${FLOWRUN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FLOWRUN_SANITIZE})
endif()
if(FLOWRUN_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "FLOWRUN_FUZZ needs clang++, which has libFuzzer; found ${CMAKE_CXX_COMPILER_ID}: use `cmake --preset fuzz`")
  endif()
  # Everything reports what it covers; the fuzzers themselves bring main().
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
