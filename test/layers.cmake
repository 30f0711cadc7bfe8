# Checks that the rooms of include/cotls and lib include downwards only, by the table of layers in
# lib/README.md: each public header stands in one of its rows, and what a file includes is in its own
# row or in one below it.
#
# As a script: cmake -D source=DIR -P layers.cmake
cmake_minimum_required(VERSION 3.25)

# Sets `rooms`, from the top, and for each public header `room_of_<stem>`.
file(STRINGS ${source}/lib/README.md rows REGEX "^\\| `[a-z]+/` \\|")
set(rooms "")
foreach(row IN LISTS rows)
  string(REGEX MATCH "^\\| `([a-z]+)/` \\|([^|]*)\\|" ignored "${row}")
  set(room ${CMAKE_MATCH_1})
  list(APPEND rooms ${room})
  string(REGEX MATCHALL "[a-z_]+\\.hpp" headers "${CMAKE_MATCH_2}")
  foreach(header IN LISTS headers)
    set(room_of_${header} ${room})
  endforeach()
endforeach()
if(NOT rooms)
  message(FATAL_ERROR "lib/README.md has no table of layers")
endif()

set(wrong "")

# Sets the place of a file's room among the rooms.
function(cotls_find_floor file variable)
  if(file MATCHES "^(include/cotls/detail|lib)/([a-z]+)/")
    set(room ${CMAKE_MATCH_2})
  elseif(file MATCHES "^include/cotls/([a-z]+)/")
    set(room ${CMAKE_MATCH_1})
  else()
    cmake_path(GET file FILENAME stem)
    set(room "${room_of_${stem}}")
  endif()
  list(FIND rooms "${room}" floor)
  set(${variable} ${floor} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE ${source}
  ${source}/include/cotls/*.hpp ${source}/lib/*.hpp ${source}/lib/*.cpp)
foreach(file IN LISTS files)
  cotls_find_floor(${file} above)
  if(above LESS 0)
    list(APPEND wrong "${file} is in no room")
    continue()
  endif()
  file(STRINGS ${source}/${file} lines REGEX "^#include [<\"]")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "[<\"](.*)[>\"]" ignored "${line}")
    set(included "")
    foreach(beneath include lib lib/tool)
      if(EXISTS ${source}/${beneath}/${CMAKE_MATCH_1})
        set(included ${beneath}/${CMAKE_MATCH_1})
        break()
      endif()
    endforeach()
    if(NOT included)
      continue()   # somebody else's
    endif()
    cotls_find_floor(${included} below)
    if(below LESS above AND NOT below LESS 0)
      list(APPEND wrong "${file} includes ${included}, which is above it")
    endif()
  endforeach()
endforeach()

if(wrong)
  list(JOIN wrong "\n  " text)
  message(FATAL_ERROR "The layers of lib/README.md do not hold:\n  ${text}")
endif()
list(LENGTH files count)
list(LENGTH rooms floors)
message(STATUS "${count} files in ${floors} rooms include downwards only")
