# FindLibTorch: an unpacked torch wheel. Set FLOWRUN_LIBTORCH (variable or environment) to a folder with include/ and lib/; otherwise the one that
# scripts/bootstrap unpacks into the user's cache is taken.
#
# Gives LibTorch::LibTorch (libtorch_cpu and libc10 alone), LibTorch_DIRECTORY, LibTorch_VERSION and LibTorch_GIT.
if(NOT FLOWRUN_LIBTORCH AND DEFINED ENV{FLOWRUN_LIBTORCH})
  set(FLOWRUN_LIBTORCH $ENV{FLOWRUN_LIBTORCH})
endif()
if(NOT FLOWRUN_LIBTORCH AND EXISTS ${PROJECT_SOURCE_DIR}/scripts/dependencies.env)
  file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/dependencies.env libtorch_pin REGEX "^LIBTORCH_VERSION=")
  string(REGEX REPLACE "^LIBTORCH_VERSION=\"?([^\"]*)\"?$" "\\1" libtorch_pin "${libtorch_pin}")
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(libtorch_cache $ENV{XDG_CACHE_HOME})
  else()
    set(libtorch_cache $ENV{HOME}/.cache)
  endif()
  set(FLOWRUN_LIBTORCH ${libtorch_cache}/flowrun/libtorch-${libtorch_pin})
endif()
set(LibTorch_DIRECTORY ${FLOWRUN_LIBTORCH})

find_path(LibTorch_INCLUDE_DIR ATen/core/Tensor.h PATHS ${LibTorch_DIRECTORY}/include NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS ${LibTorch_DIRECTORY}/lib NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_C10_LIBRARY c10 PATHS ${LibTorch_DIRECTORY}/lib NO_DEFAULT_PATH NO_CACHE)

# The unpacked tree says its build in two files; an installed Python package says it in torch/version.py.
if(EXISTS ${LibTorch_DIRECTORY}/build-hash)
  file(STRINGS ${LibTorch_DIRECTORY}/build-hash LibTorch_GIT LIMIT_COUNT 1)
elseif(EXISTS ${LibTorch_DIRECTORY}/version.py)
  file(STRINGS ${LibTorch_DIRECTORY}/version.py LibTorch_GIT REGEX "^git_version")
  string(REGEX REPLACE ".*'([0-9a-f]+)'.*" "\\1" LibTorch_GIT "${LibTorch_GIT}")
else()
  set(LibTorch_GIT unknown)
endif()
if(LibTorch_INCLUDE_DIR)
  file(STRINGS ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h libtorch_numbers REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" libtorch_numbers "${libtorch_numbers}")
  string(REPLACE ";" "." LibTorch_VERSION "${libtorch_numbers}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "No LibTorch in '${FLOWRUN_LIBTORCH}'. Run scripts/bootstrap, set FLOWRUN_LIBTORCH, or configure with -DFLOWRUN_NATIVE=OFF.")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::c10 SHARED IMPORTED)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION ${LibTorch_C10_LIBRARY})
  add_library(LibTorch::LibTorch SHARED IMPORTED)
  # -idirafter: silent like -isystem, but a whole wheel's include/ also holds an fmt that must not hide the system's.
  set_target_properties(LibTorch::LibTorch PROPERTIES
    IMPORTED_LOCATION ${LibTorch_CPU_LIBRARY}
    INTERFACE_COMPILE_OPTIONS "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}"
    INTERFACE_COMPILE_DEFINITIONS "FLOWRUN_LIBTORCH_GIT=\"${LibTorch_GIT}\""
    INTERFACE_LINK_LIBRARIES LibTorch::c10)
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY)
