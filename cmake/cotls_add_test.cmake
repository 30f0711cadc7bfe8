# cotls_add_test(<executable> LABEL <label> TIMEOUT <seconds> [RUN_SERIAL]
#                SOURCES <file>... [LIBRARIES <target>...])
#
# Makes a Boost.Test executable and registers each of its top-level suites (or test cases outside
# any suite) as the CTest test <prefix><label>.<suite>. The executable is asked for them once it is
# built, so that none can be forgotten.
function(cotls_add_test executable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RUN_SERIAL" "LABEL;TIMEOUT" "SOURCES;LIBRARIES")

  if(NOT arg_SOURCES)
    add_test(NAME ${COTLS_TEST_PREFIX}${arg_LABEL}.${executable}_has_sources COMMAND false)
    return()
  endif()

  add_executable(${executable} ${arg_SOURCES})
  target_link_libraries(${executable} PRIVATE cotls_test_support ${arg_LIBRARIES})
  set_target_properties(${executable} PROPERTIES CXX_EXTENSIONS OFF)
  if(COTLS_TEST_BATCH GREATER 1)
    set_target_properties(${executable} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${COTLS_TEST_BATCH})
    # The batch is one translation unit; GCC takes its parts for headers, used by several.
    target_compile_options(${executable} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(COTLS_PRECOMPILE_HEADERS)
    target_precompile_headers(${executable} REUSE_FROM cotls_test_support)
  endif()

  set(list ${CMAKE_CURRENT_BINARY_DIR}/${executable}_tests.cmake)
  add_custom_command(TARGET ${executable} POST_BUILD
    COMMAND ${CMAKE_COMMAND}
      -D "executable=$<TARGET_FILE:${executable}>"
      -D "list=${list}"
      -D "prefix=${COTLS_TEST_PREFIX}${arg_LABEL}."
      -D "label=${arg_LABEL}"
      -D "timeout=${arg_TIMEOUT}"
      -D "serial=${arg_RUN_SERIAL}"
      -D "environment=${COTLS_SANITIZER_ENVIRONMENT}"
      -P ${PROJECT_SOURCE_DIR}/cmake/discover_tests.cmake
    BYPRODUCTS ${list}
    VERBATIM)

  # An executable that was not built is a test that fails.
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${executable}_include.cmake)
  file(CONFIGURE OUTPUT ${include} @ONLY CONTENT [[
if(EXISTS "@list@")
  include("@list@")
else()
  add_test("@COTLS_TEST_PREFIX@@arg_LABEL@.@executable@_is_built" "@executable@")
endif()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
