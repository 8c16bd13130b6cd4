# FindArrowParquet: Arrow C++ with Parquet, out of an unpacked pyarrow wheel. Set FLOWRUN_ARROW (variable or environment) to a folder with include/ and
# lib/, or to that of an installed Python package pyarrow; otherwise the one that scripts/bootstrap unpacks into the user's cache is taken.
#
# Gives ArrowParquet::ArrowParquet (libparquet and libarrow alone), ArrowParquet_DIRECTORY and ArrowParquet_VERSION.
if(NOT FLOWRUN_ARROW AND DEFINED ENV{FLOWRUN_ARROW})
  set(FLOWRUN_ARROW $ENV{FLOWRUN_ARROW})
endif()
if(NOT FLOWRUN_ARROW AND EXISTS ${PROJECT_SOURCE_DIR}/scripts/dependencies.env)
  file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/dependencies.env arrow_pin REGEX "^ARROW_VERSION=")
  string(REGEX REPLACE "^ARROW_VERSION=\"?([^\"]*)\"?$" "\\1" arrow_pin "${arrow_pin}")
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(arrow_cache $ENV{XDG_CACHE_HOME})
  else()
    set(arrow_cache $ENV{HOME}/.cache)
  endif()
  set(FLOWRUN_ARROW ${arrow_cache}/flowrun/arrow-${arrow_pin})
endif()
set(ArrowParquet_DIRECTORY ${FLOWRUN_ARROW})

find_path(ArrowParquet_INCLUDE_DIR parquet/file_reader.h PATHS ${ArrowParquet_DIRECTORY}/include NO_DEFAULT_PATH NO_CACHE)
if(ArrowParquet_INCLUDE_DIR)
  file(STRINGS ${ArrowParquet_INCLUDE_DIR}/arrow/util/config.h arrow_config REGEX "define ARROW_(VERSION_STRING|SO_VERSION) ")
  string(REGEX REPLACE ".*ARROW_VERSION_STRING \"([^\"]*)\".*" "\\1" ArrowParquet_VERSION "${arrow_config}")
  string(REGEX REPLACE ".*ARROW_SO_VERSION \"([^\"]*)\".*" "\\1" arrow_so_version "${arrow_config}")
  # The wheel has no names without a version.
  find_library(ArrowParquet_ARROW_LIBRARY libarrow.so.${arrow_so_version} PATHS ${ArrowParquet_DIRECTORY}/lib ${ArrowParquet_DIRECTORY} NO_DEFAULT_PATH NO_CACHE)
  find_library(ArrowParquet_PARQUET_LIBRARY libparquet.so.${arrow_so_version} PATHS ${ArrowParquet_DIRECTORY}/lib ${ArrowParquet_DIRECTORY} NO_DEFAULT_PATH NO_CACHE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ArrowParquet REQUIRED_VARS ArrowParquet_PARQUET_LIBRARY ArrowParquet_ARROW_LIBRARY ArrowParquet_INCLUDE_DIR
  VERSION_VAR ArrowParquet_VERSION
  REASON_FAILURE_MESSAGE "No Arrow C++ in '${FLOWRUN_ARROW}'. Run scripts/bootstrap, set FLOWRUN_ARROW, or configure with -DFLOWRUN_PARQUET=OFF.")

if(ArrowParquet_FOUND AND NOT TARGET ArrowParquet::ArrowParquet)
  add_library(ArrowParquet::arrow SHARED IMPORTED)
  set_target_properties(ArrowParquet::arrow PROPERTIES IMPORTED_LOCATION ${ArrowParquet_ARROW_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${ArrowParquet_INCLUDE_DIR})
  add_library(ArrowParquet::ArrowParquet SHARED IMPORTED)
  set_target_properties(ArrowParquet::ArrowParquet PROPERTIES IMPORTED_LOCATION ${ArrowParquet_PARQUET_LIBRARY} INTERFACE_LINK_LIBRARIES ArrowParquet::arrow)
endif()
mark_as_advanced(ArrowParquet_INCLUDE_DIR ArrowParquet_ARROW_LIBRARY ArrowParquet_PARQUET_LIBRARY)
