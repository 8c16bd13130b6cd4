# flowrun_add_plugin(<family>/<name> [SOURCES a.cpp ...] [LIBRARIES lib ...] [NATIVE] [NO_EMBED] [OUTPUT_DIRECTORY dir])
#
# Builds one plugin as <family>/<name>.so: hidden symbols, linked to flowrun::sdk (or flowrun::sdk_native with NATIVE), and its descriptor put into
# the ELF section `.flowrun` by flowrun-embed. SOURCES defaults to plugin.cpp and every other source in the folder that is not a test or benchmark.
# The same function serves the project and, from the installed package, third parties.
function(flowrun_add_plugin id)
  cmake_parse_arguments(PLUGIN "NATIVE;NO_EMBED" "OUTPUT_DIRECTORY" "SOURCES;LIBRARIES" ${ARGN})
  string(REGEX MATCH "^([a-z][a-z0-9_]*)/([a-z][a-z0-9_]*)$" matched "${id}")
  if(NOT matched)
    message(FATAL_ERROR "flowrun_add_plugin: '${id}' is not <family>/<name> in snake_case")
  endif()
  set(family ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  if(PLUGIN_NATIVE AND NOT TARGET flowrun::sdk_native)
    message(FATAL_ERROR "flowrun_add_plugin: '${id}' is NATIVE, but this flowrun has no native half or its LibTorch was not found in '${FLOWRUN_LIBTORCH}'. "
                        "Set FLOWRUN_LIBTORCH to an unpacked LibTorch of the same version.")
  endif()
  if(NOT PLUGIN_SOURCES)
    file(GLOB PLUGIN_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    list(FILTER PLUGIN_SOURCES EXCLUDE REGEX "_(test|bench)\\.cpp$")
  endif()
  if(NOT PLUGIN_OUTPUT_DIRECTORY)
    if(FLOWRUN_PLUGIN_OUTPUT_DIRECTORY)
      set(PLUGIN_OUTPUT_DIRECTORY ${FLOWRUN_PLUGIN_OUTPUT_DIRECTORY})
    else()
      set(PLUGIN_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/plugins)
    endif()
  endif()

  set(target plugin_${family}_${name})
  add_library(${target} MODULE ${PLUGIN_SOURCES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${PLUGIN_OUTPUT_DIRECTORY}/${family}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # One exported symbol: visibility alone leaves weak symbols of the standard library's templates.
  set(version_script ${CMAKE_CURRENT_BINARY_DIR}/flowrun_plugin.map)
  file(WRITE ${version_script} "{ global: flowrun_plugin_v1; local: *; };\n")
  target_link_options(${target} PRIVATE -Wl,--version-script=${version_script})
  if(PLUGIN_NATIVE)
    target_link_libraries(${target} PRIVATE flowrun::sdk_native ${PLUGIN_LIBRARIES})
  else()
    target_link_libraries(${target} PRIVATE flowrun::sdk ${PLUGIN_LIBRARIES})
  endif()
  if(NOT PLUGIN_NO_EMBED)
    add_custom_command(TARGET ${target} POST_BUILD COMMAND flowrun::embed $<TARGET_FILE:${target}>
                       COMMENT "Embedding the descriptor of ${id}" VERBATIM)
    if(TARGET flowrun-embed)
      add_dependencies(${target} flowrun-embed)
    endif()
  endif()
  if(FLOWRUN_INSTALL_PLUGINS)
    install(FILES $<TARGET_FILE:${target}> DESTINATION ${FLOWRUN_INSTALL_PLUGINS}/${family}
            PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    set_property(GLOBAL APPEND PROPERTY FLOWRUN_PLUGIN_TARGETS ${target})
  endif()
endfunction()
