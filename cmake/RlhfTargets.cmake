# The settings that only this project's own targets get, and the precompiled header they share.

find_program(RLHF_CCACHE ccache)
find_program(RLHF_MOLD mold)
mark_as_advanced(RLHF_CCACHE RLHF_MOLD)

# Warnings as errors, sanitizers, compiler cache and linker. Nothing here reaches a consumer.
function(rlhf_own_target target)
  # -fPIC everywhere, programs included: a precompiled header serves only files compiled alike.
  # GCC 12 sees overflows in std::string that are not there (GCC bug 105329).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Werror -fPIC
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow>)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(RLHF_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${RLHF_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${RLHF_SANITIZE})
  endif()
  if(RLHF_CCACHE)
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${RLHF_CCACHE}")
  endif()
  if(RLHF_MOLD)
    target_link_options(${target} PRIVATE -fuse-ld=mold)
  endif()
endfunction()

# An object library with nothing in it but the precompiled header that others reuse.
function(rlhf_add_pch name)
  cmake_parse_arguments(PARSE_ARGV 1 pch "" "" "LINK;HEADERS")
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp")
  if(NOT EXISTS "${source}")
    file(WRITE "${source}" "")
  endif()
  add_library(${name} OBJECT "${source}")
  target_link_libraries(${name} PRIVATE ${pch_LINK})
  target_compile_features(${name} PRIVATE cxx_std_20)
  rlhf_own_target(${name})
  target_precompile_headers(${name} PRIVATE ${pch_HEADERS})
endfunction()

# Compiles a target's files in groups of up to `size` of one folder. Whatever a file contains, the
# templates that LibTorch's headers leave to the end of a compilation cost it seconds.
function(rlhf_unite target size)
  if(NOT RLHF_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    get_filename_component(folder "${source}" DIRECTORY)
    get_filename_component(room "${folder}" NAME)
    list(APPEND files_of_${room} "${source}")
    list(LENGTH files_of_${room} count)
    math(EXPR group "(${count} - 1) / ${size}")
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP ${room}_${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

# src/kernels: free of LibTorch but for its number of threads, optimised in every build type, each table for its instruction set.
function(rlhf_kernels target)
  # Its flags are for team.cpp alone: a precompiled header serves only files compiled alike.
  target_link_libraries(${target} PRIVATE $<LINK_ONLY:OpenMP::OpenMP_CXX>)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/src/kernels/*.cpp")
  set_source_files_properties(${sources} PROPERTIES
    SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  set(loops -O3 -ffp-contract=fast -fopenmp-simd -fno-math-errno -fno-trapping-math)
  set(folder "${CMAKE_CURRENT_SOURCE_DIR}/src/kernels")
  set_source_files_properties("${folder}/plain.cpp" PROPERTIES COMPILE_OPTIONS "${loops}")
  set_source_files_properties("${folder}/team.cpp" PROPERTIES COMPILE_OPTIONS "${OpenMP_CXX_FLAGS}")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set_source_files_properties("${folder}/avx2.cpp" PROPERTIES
      COMPILE_OPTIONS "${loops};-mavx2;-mfma")
    set_source_files_properties("${folder}/avx512.cpp" PROPERTIES
      COMPILE_OPTIONS "${loops};-mavx512f;-mavx512dq;-mavx512vl;-mavx512bw;-mfma")
    # GCC 12 warns of uninitialised memory in its own intrinsics (GCC bug 105593).
    set(bf16 "${loops};-mavx512f;-mavx512dq;-mavx512vl;-mavx512bw;-mavx512bf16;-mavx512vnni;-mfma;-Wno-maybe-uninitialized")
    set_source_files_properties("${folder}/avx512_bf16.cpp" PROPERTIES COMPILE_OPTIONS "${bf16}")
    set_source_files_properties("${folder}/amx.cpp" PROPERTIES
      COMPILE_OPTIONS "${bf16};-mamx-tile;-mamx-bf16")
  endif()
endfunction()

set(rlhf_light_headers
  <nlohmann/json.hpp>
  <filesystem> <functional> <map> <memory> <optional> <span> <string> <unordered_map> <vector>)
# What library, tests and examples all read. Never torch/torch.h: it costs every file 20 s.
set(rlhf_pch_headers <torch/types.h> ${rlhf_light_headers})
rlhf_add_pch(rlhf_pch LINK torch nlohmann_json::nlohmann_json
  HEADERS ${rlhf_pch_headers} <torch/autograd.h>)
