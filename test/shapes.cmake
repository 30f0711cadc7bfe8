# Checks that no coroutine negates what it awaits inside of a condition: GCC 12 miscompiles that for
# an `optional` (A18 in lib/README.md). The result is named first.
#
# As a script: cmake -D source=DIR -P shapes.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE files RELATIVE ${source}
  ${source}/include/*.hpp ${source}/lib/*.hpp ${source}/lib/*.cpp)
if(NOT files)
  message(FATAL_ERROR "there are no files below ${source}")
endif()
set(wrong "")
foreach(file IN LISTS files)
  file(STRINGS ${source}/${file} lines REGEX "(if|while) \\(.*![ (]*co_await")
  foreach(line IN LISTS lines)
    string(STRIP "${line}" line)
    list(APPEND wrong "${file}: ${line}")
  endforeach()
endforeach()
if(wrong)
  list(JOIN wrong "\n  " text)
  message(FATAL_ERROR "Name what is awaited before it is negated:\n  ${text}")
endif()
