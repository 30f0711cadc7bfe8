include(CMakePackageConfigHelpers)

set(cotls_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cotls)

install(TARGETS cotls EXPORT cotls-targets FILE_SET HEADERS)
install(EXPORT cotls-targets NAMESPACE cotls:: DESTINATION ${cotls_cmake_dir})

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/cotls-config.cmake.in ${PROJECT_BINARY_DIR}/cotls-config.cmake
  INSTALL_DESTINATION ${cotls_cmake_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cotls-config-version.cmake
  COMPATIBILITY SameMajorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/cotls-config.cmake ${PROJECT_BINARY_DIR}/cotls-config-version.cmake
  DESTINATION ${cotls_cmake_dir})

# cotls.pc finds its prefix from its own place, so that a prefix can be staged, packed and moved.
set(cotls_pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
foreach(directory IN ITEMS LIBDIR INCLUDEDIR)
  file(RELATIVE_PATH path ${cotls_pc_dir} ${CMAKE_INSTALL_FULL_${directory}})
  string(REGEX REPLACE "/$" "" path ${path})
  set(cotls_pc_${directory} "\${pcfiledir}/${path}")
endforeach()
configure_file(cmake/cotls.pc.in cotls.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cotls.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
