# Compiles through ccache where there is one, unless the user chose a launcher. Precompiled headers
# are cached when CCACHE_SLOPPINESS=pch_defines,time_macros is in the environment (cmake/test.sh), and
# when they hold no time stamps.
if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(COTLS_CCACHE ccache)
  mark_as_advanced(COTLS_CCACHE)
  if(COTLS_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${COTLS_CCACHE})
    add_compile_options("$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
endif()
