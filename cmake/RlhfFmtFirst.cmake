# LibTorch's include folder holds fmt headers of another version than the system's fmt, and comes
# before it: a compiler never moves /usr/include forward. Cure: a folder of our own with a link to
# the headers of the fmt that find_package found, given as an ordinary (not a system) folder, which
# precedes all system ones. Makes an INTERFACE target that carries it; does nothing without fmt.
function(rlhf_add_fmt_first target folder)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  if(NOT TARGET fmt::fmt)
    return()
  endif()
  get_target_property(includes fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  string(REGEX REPLACE "\\$<BUILD_INTERFACE:([^>]*)>" "\\1" includes "${includes}")
  string(GENEX_STRIP "${includes}" includes)
  find_path(headers fmt/format.h NO_DEFAULT_PATH NO_CACHE
    PATHS ${includes} ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES} /usr/local/include /usr/include)
  if(NOT headers)
    return()
  endif()
  file(MAKE_DIRECTORY "${folder}")
  file(CREATE_LINK "${headers}/fmt" "${folder}/fmt" COPY_ON_ERROR SYMBOLIC)
  set_target_properties(${target} PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${folder}" SYSTEM OFF IMPORTED_NO_SYSTEM ON)
endfunction()
