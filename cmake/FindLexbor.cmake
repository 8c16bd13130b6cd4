# FindLexbor: the HTML parser Lexbor, built here from its source. Set FLOWRUN_LEXBOR (variable or environment) to a folder with source/lexbor/; otherwise the
# one that scripts/bootstrap unpacks into the user's cache is taken.
#
# Gives Lexbor::html, a static library of the modules that the parser stands on (core, dom, html, ns, tag), compiled with the project's sanitizers but not
# with its warnings; Lexbor_DIRECTORY and Lexbor_VERSION.
if(NOT FLOWRUN_LEXBOR AND DEFINED ENV{FLOWRUN_LEXBOR})
  set(FLOWRUN_LEXBOR $ENV{FLOWRUN_LEXBOR})
endif()
if(NOT FLOWRUN_LEXBOR AND EXISTS ${PROJECT_SOURCE_DIR}/scripts/dependencies.env)
  file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/dependencies.env lexbor_pin REGEX "^LEXBOR_VERSION=")
  string(REGEX REPLACE "^LEXBOR_VERSION=\"?([^\"]*)\"?$" "\\1" lexbor_pin "${lexbor_pin}")
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(lexbor_cache $ENV{XDG_CACHE_HOME})
  else()
    set(lexbor_cache $ENV{HOME}/.cache)
  endif()
  set(FLOWRUN_LEXBOR ${lexbor_cache}/flowrun/lexbor-${lexbor_pin})
endif()
set(Lexbor_DIRECTORY ${FLOWRUN_LEXBOR})

find_path(Lexbor_INCLUDE_DIR lexbor/html/parser.h PATHS ${Lexbor_DIRECTORY}/source NO_DEFAULT_PATH NO_CACHE)
if(EXISTS ${Lexbor_DIRECTORY}/version)
  file(STRINGS ${Lexbor_DIRECTORY}/version Lexbor_VERSION REGEX "^LEXBOR_VERSION=")
  string(REPLACE "LEXBOR_VERSION=" "" Lexbor_VERSION "${Lexbor_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Lexbor REQUIRED_VARS Lexbor_INCLUDE_DIR VERSION_VAR Lexbor_VERSION
  REASON_FAILURE_MESSAGE "No source of Lexbor in '${FLOWRUN_LEXBOR}'. Run scripts/bootstrap, or set FLOWRUN_LEXBOR.")

if(Lexbor_FOUND AND NOT TARGET Lexbor::html)
  set(lexbor_sources)
  foreach(module core dom html ns tag ports/posix)
    file(GLOB_RECURSE found ${Lexbor_INCLUDE_DIR}/lexbor/${module}/*.c)
    list(APPEND lexbor_sources ${found})
  endforeach()
  list(FILTER lexbor_sources EXCLUDE REGEX "/perf\\.c$")
  add_library(flowrun_lexbor STATIC EXCLUDE_FROM_ALL ${lexbor_sources})
  add_library(Lexbor::html ALIAS flowrun_lexbor)
  set_target_properties(flowrun_lexbor PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_include_directories(flowrun_lexbor SYSTEM PUBLIC ${Lexbor_INCLUDE_DIR})
  if(FLOWRUN_SANITIZE MATCHES "address")
    # Its own allocator then tells AddressSanitizer what is in use.
    target_compile_definitions(flowrun_lexbor PRIVATE LEXBOR_HAVE_ADDRESS_SANITIZER)
  endif()
endif()
mark_as_advanced(Lexbor_INCLUDE_DIR)
