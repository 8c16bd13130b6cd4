# flowrun::options: warnings as errors and the sanitizers, linked privately by every target of the project.
add_library(flowrun_options INTERFACE)
add_library(flowrun::options ALIAS flowrun_options)
target_compile_options(flowrun_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
# GCC 12 sees overlaps that are not there in "literal" + std::string at -O3 (gcc.gnu.org PR105651; mended in 13).
target_compile_options(flowrun_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
if(FLOWRUN_SANITIZE)
  # Plugins are sanitized as well: one run-time serves the whole process.
  add_compile_options(-fsanitize=${FLOWRUN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FLOWRUN_SANITIZE})
endif()
