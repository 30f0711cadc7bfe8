# Makes sources of the code of README.md and of the pages in test/guide, so that the compiler reads
# what a reader reads.
#
# Every block that is fenced by ```cpp becomes one translation unit, and there is no way to leave
# one out: what else is fenced says ```sh or ```text. How it is compiled depends on what it is:
#
#   it defines main()   a complete program, taken as it stands. It is built, run, and must return 0.
#                       With the comment <!-- test: compile --> before the fence it is built but not
#                       run, because it would serve for ever or needs the Internet.
#   <!-- test: body --> statements of a coroutine. They are put into the body of a function that
#                       returns asio::awaitable<void>, after #include "prelude.hpp".
#   anything else       declarations and functions, after #include "prelude.hpp".
#
# With the comment <!-- test: name ECHO --> the block is also written as it stands into ECHO.inc,
# which a test of this directory must #include, to call what the block defines. (It is no
# translation unit of its own then.)
#
# prelude.hpp is what a reader is told once: the header, `namespace asio = boost::asio`, and so on.
# Compilers report errors at the page's own lines. For example, this text of README.md
#
#     <!-- test: body -->
#     ```cpp
#     auto tls = co_await cotls::async_connect("example.org", 443);
#     ```
#
# is compiled as
#
#     #include "prelude.hpp"
#     boost::asio::awaitable<void> readme_1() {
#     #line 3 "README.md"
#     auto tls = co_await cotls::async_connect("example.org", 443);
#     co_return;
#     }
#
# As a script: cmake -D page=README.md -D directory=DIR -P extract.cmake
cmake_minimum_required(VERSION 3.25)

# cotls_extract_blocks(<page> <directory> [MAY_HAVE_NONE])
#
# Appends to the lists block_programs (to build and run), block_compiled_programs (to build),
# block_units (to compile) and block_names (to include).
function(cotls_extract_blocks page directory)
  cmake_parse_arguments(PARSE_ARGV 2 arg "MAY_HAVE_NONE" "" "")
  cmake_path(GET page STEM stem)
  string(TOLOWER ${stem} stem)
  file(READ ${page} text)
  set(text "\n${text}")
  cotls_check_fences(${page} "${text}")

  set(count 0)
  set(line 0)   # line breaks before `text`, which is the number of its first line
  set(fence "\n```cpp\n")
  string(LENGTH "${fence}" fence_length)

  while(TRUE)
    string(FIND "${text}" "${fence}" begin)
    if(begin EQUAL -1)
      break()
    endif()
    math(EXPR count "${count} + 1")
    string(SUBSTRING "${text}" 0 ${begin} before)
    math(EXPR begin "${begin} + ${fence_length}")
    string(SUBSTRING "${text}" ${begin} -1 text)
    string(FIND "\n${text}" "\n```" end)
    string(SUBSTRING "${text}" 0 ${end} code)
    string(SUBSTRING "${text}" ${end} -1 text)

    cotls_count_lines("${before}" lines)
    math(EXPR line "${line} + ${lines} + 2")
    set(located "#line ${line} \"${page}\"\n${code}")
    cotls_count_lines("${code}" lines)
    math(EXPR line "${line} + ${lines}")

    set(mark "")
    if(before MATCHES "<!-- test: ([^\n]*[^ ]) *-->[ \n]*$")
      set(mark "${CMAKE_MATCH_1}")
    endif()
    set(unit ${directory}/${stem}_${count}.cpp)

    if(mark MATCHES "^name ([a-z0-9_]+)$")
      if(CMAKE_MATCH_1 IN_LIST block_names)
        message(FATAL_ERROR "${page}: there is another block of the name ${CMAKE_MATCH_1}")
      endif()
      list(APPEND block_names ${CMAKE_MATCH_1})
      set(unit ${directory}/${CMAKE_MATCH_1}.inc)
    elseif(mark STREQUAL "compile")
      list(APPEND block_compiled_programs ${unit})
    elseif(mark STREQUAL "body")
      list(APPEND block_units ${unit})
      string(CONCAT located "#include \"prelude.hpp\"\n"
        "boost::asio::awaitable<void> ${stem}_${count}() {\n${located}co_return;\n}\n")
    elseif(NOT mark STREQUAL "")
      message(FATAL_ERROR "${page}: unknown mark 'test: ${mark}' of block ${count}")
    elseif(code MATCHES "(^|\n)int main\\(")
      list(APPEND block_programs ${unit})
    else()
      list(APPEND block_units ${unit})
      string(PREPEND located "#include \"prelude.hpp\"\n")
    endif()
    cotls_write_if_different(${unit} "${located}")
  endwhile()

  if(count EQUAL 0 AND NOT arg_MAY_HAVE_NONE)
    message(FATAL_ERROR "${page} has no ```cpp block")
  endif()
  message(STATUS "${page}: ${count} blocks")
  foreach(kind IN ITEMS block_programs block_compiled_programs block_units block_names)
    set(${kind} ${${kind}} PARENT_SCOPE)
  endforeach()
endfunction()

# Fails unless each fence says what it holds, and has an end.
function(cotls_check_fences page text)
  string(REGEX MATCHALL "\n[ \t]*(```|~~~)[^\n]*" fences "${text}")
  set(open "")
  foreach(fence IN LISTS fences)
    string(STRIP "${fence}" shown)
    if(fence STREQUAL "\n```" AND open)
      set(open "")
    elseif(fence MATCHES "^\n```(cpp|sh|text)$" AND NOT open)
      set(open ${shown})
    else()
      message(FATAL_ERROR
        "${page}: '${shown}' must be spelt '```cpp', '```sh' or '```text', at the line's beginning")
    endif()
  endforeach()
  if(open)
    message(FATAL_ERROR "${page}: the last ${open} has no end")
  endif()
endfunction()

function(cotls_count_lines text result)
  string(REGEX REPLACE "[^\n]+" "" breaks "${text}")
  string(LENGTH "${breaks}" count)
  set(${result} ${count} PARENT_SCOPE)
endfunction()

function(cotls_write_if_different file content)
  if(EXISTS ${file})
    file(READ ${file} old)
    if(old STREQUAL content)
      return()
    endif()
  endif()
  file(WRITE ${file} "${content}")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  cotls_extract_blocks(${page} ${directory})
endif()
