# Install rules and the package that find_package(rlhf) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(rlhf_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rlhf")

install(TARGETS rlhf EXPORT rlhfTargets FILE_SET HEADERS)
install(EXPORT rlhfTargets NAMESPACE rlhf:: DESTINATION "${rlhf_package_dir}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/rlhfConfig.cmake.in"
  "${CMAKE_CURRENT_BINARY_DIR}/rlhfConfig.cmake" INSTALL_DESTINATION "${rlhf_package_dir}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/rlhfConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/rlhfConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/rlhfConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/RlhfFmtFirst.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindPCRE2.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindUtf8proc.cmake"
  DESTINATION "${rlhf_package_dir}")
