# Finds every dependency. GLOBAL, so that a parent project that uses add_subdirectory sees them too.
find_package(Torch 2.7 REQUIRED GLOBAL)
find_package(nlohmann_json 3.11 REQUIRED GLOBAL)
find_package(fmt REQUIRED GLOBAL)
find_package(spdlog REQUIRED GLOBAL)
find_package(PCRE2 REQUIRED GLOBAL)
find_package(Utf8proc REQUIRED GLOBAL)
find_package(OpenMP REQUIRED COMPONENTS CXX GLOBAL)

include(RlhfFmtFirst)
rlhf_add_fmt_first(rlhf_fmt_first "${CMAKE_CURRENT_BINARY_DIR}/fmt-first")
