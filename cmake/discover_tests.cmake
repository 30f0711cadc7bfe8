# Writes the CTest registration of a Boost.Test executable; called by cotls_add_test.
#
# `--list_content` prints a line a suite or test case, indented by its depth and followed by '*'
# when it is enabled, and a description after a colon when it has one.
set(ENV{ASAN_OPTIONS} detect_leaks=0)
execute_process(COMMAND ${executable} --list_content
  ERROR_VARIABLE content OUTPUT_VARIABLE ignored RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${executable} --list_content: ${result}\n${content}")
endif()

string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_]+\\*" units "${content}")
list(TRANSFORM units STRIP)
list(TRANSFORM units REPLACE "\\*$" "")
list(LENGTH units count)
if(count EQUAL 0)
  message(FATAL_ERROR "${executable} has no enabled test")
endif()

set(registration "")
foreach(unit IN LISTS units)
  string(APPEND registration
    "add_test([==[${prefix}${unit}]==] [==[${executable}]==] --run_test=${unit}"
    " --catch_system_errors=no --log_level=unit_scope --color_output=no)\n"
    "set_tests_properties([==[${prefix}${unit}]==] PROPERTIES LABELS [==[${label}]==]"
    " TIMEOUT ${timeout} RUN_SERIAL ${serial} ENVIRONMENT [==[${environment}]==])\n")
endforeach()
file(WRITE ${list} "${registration}")
