# Targets that carry usage, and the settings that only our own code gets.

# LibTorch as one interface target.
add_library(rlhf_torch INTERFACE)
target_link_libraries(rlhf_torch INTERFACE ${TORCH_LIBRARIES})

# What src/ uses and no public header includes.
add_library(rlhf_private INTERFACE)
target_include_directories(rlhf_private BEFORE INTERFACE "$<BUILD_INTERFACE:${rlhf_fmt_shim}>")
target_link_libraries(rlhf_private INTERFACE fmt::fmt spdlog::spdlog PkgConfig::RLHF_PCRE2)

find_program(RLHF_CCACHE ccache)
find_program(RLHF_MOLD mold)

# Warnings as errors, sanitizers, compiler cache and linker: for targets of this project only.
function(rlhf_own_target target)
  # GCC 12 sees overflows in std::string that are not there (GCC bug 105329).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Werror
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow>)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(RLHF_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${RLHF_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${RLHF_SANITIZE})
  endif()
  if(RLHF_CCACHE)
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${RLHF_CCACHE}")
  endif()
  if(RLHF_MOLD)
    target_link_options(${target} PRIVATE -fuse-ld=mold)
  endif()
endfunction()
