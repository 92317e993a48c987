# Finds every dependency. GLOBAL, so that a parent project that uses add_subdirectory sees them too.
find_package(Torch REQUIRED GLOBAL)
if(Torch_VERSION VERSION_LESS 2.7)
  message(FATAL_ERROR "rlhf needs LibTorch >= 2.7, found ${Torch_VERSION}")
endif()
find_package(fmt REQUIRED GLOBAL)
find_package(spdlog REQUIRED GLOBAL)
find_package(nlohmann_json 3.11 REQUIRED GLOBAL)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RLHF_PCRE2 REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8)

# LibTorch ships fmt headers of another version in its include folder, and a system folder never
# precedes it. A link to the right ones in a folder of our own, included before, does.
get_target_property(rlhf_fmt_includes fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
find_path(RLHF_FMT_DIR fmt/format.h HINTS ${rlhf_fmt_includes} NO_DEFAULT_PATH)
find_path(RLHF_FMT_DIR fmt/format.h PATHS /usr/include /usr/local/include NO_DEFAULT_PATH)
set(rlhf_fmt_shim "${CMAKE_CURRENT_BINARY_DIR}/fmt-first")
file(MAKE_DIRECTORY "${rlhf_fmt_shim}")
file(CREATE_LINK "${RLHF_FMT_DIR}/fmt" "${rlhf_fmt_shim}/fmt" SYMBOLIC)
