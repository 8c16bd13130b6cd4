# The installed tree: bin/flowrun, lib/flowrun/plugins, lib/libflowrun_native.so, include/flowrun, lib/cmake/flowrun. It can be moved: every
# RPATH is relative, and flowrun finds its plugins from its own place.
include(CMakePackageConfigHelpers)

install(TARGETS flowrun-embed DESTINATION ${CMAKE_INSTALL_BINDIR})
if(FLOWRUN_NATIVE)
  # LibTorch stays where it was unpacked: half a gigabyte that every checkout and installed tree of a machine shares.
  set_target_properties(flowrun_native PROPERTIES INSTALL_RPATH "$ORIGIN;${LibTorch_DIRECTORY}/lib")
  install(TARGETS flowrun_native LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES cmake/FindLibTorch.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/flowrun)
endif()
install(DIRECTORY graphs DESTINATION ${CMAKE_INSTALL_DATADIR}/flowrun)
install(FILES cmake/FlowrunPlugin.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/flowrun)
install(EXPORT flowrun-targets NAMESPACE flowrun:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/flowrun)
configure_package_config_file(cmake/flowrun-config.cmake.in ${PROJECT_BINARY_DIR}/flowrun-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/flowrun PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/flowrun-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/flowrun-config.cmake ${PROJECT_BINARY_DIR}/flowrun-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/flowrun)
