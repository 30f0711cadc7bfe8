# Makes sources of the README's code, so that the compiler reads what a reader reads.
#
# Every block that is fenced by ```cpp becomes one translation unit, and there is no way to leave one
# out. How it is compiled depends on what it is:
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
# Compilers report errors at the README's own lines. For example, this README text
#
#     <!-- test: body -->
#     ```cpp
#     auto tls = co_await cotls::async_connect("example.org", 443);
#     ```
#
# is compiled as
#
#     #include "prelude.hpp"
#     boost::asio::awaitable<void> readme_block_1() {
#     #line 3 "README.md"
#     auto tls = co_await cotls::async_connect("example.org", 443);
#     co_return;
#     }
#
# As a script: cmake -D readme=README.md -D directory=DIR -P extract.cmake

# cotls_extract_readme(<readme> <directory>)
#
# Fails unless there is a block. Sets the lists readme_programs (to build and run),
# readme_compiled_programs (to build), readme_units (to compile) and readme_names (to include).
function(cotls_extract_readme readme directory)
  file(READ ${readme} text)
  set(text "\n${text}")
  if(text MATCHES "\n([ \t]+```cpp|[ \t]*```[ \t]*(c\\+\\+|C\\+\\+|CPP|Cpp|cc|cxx|cpp[^\n])[^\n]*)\n")
    message(FATAL_ERROR "${readme}: '${CMAKE_MATCH_1}' must be spelt '```cpp' at the line's beginning")
  endif()

  set(kinds readme_programs readme_compiled_programs readme_units readme_names)
  foreach(kind IN LISTS kinds)
    set(${kind} "")
  endforeach()
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
    if(end EQUAL -1)
      message(FATAL_ERROR "${readme}: block ${count} has no end")
    endif()
    string(SUBSTRING "${text}" 0 ${end} code)
    string(SUBSTRING "${text}" ${end} -1 text)

    cotls_count_lines("${before}" lines)
    math(EXPR line "${line} + ${lines} + 2")
    set(located "#line ${line} \"${readme}\"\n${code}")
    cotls_count_lines("${code}" lines)
    math(EXPR line "${line} + ${lines}")

    set(mark "")
    if(before MATCHES "<!-- test: ([^\n]*[^ ]) *-->[ \n]*$")
      set(mark "${CMAKE_MATCH_1}")
    endif()
    set(unit ${directory}/block_${count}.cpp)

    if(mark MATCHES "^name ([a-z0-9_]+)$")
      list(APPEND readme_names ${CMAKE_MATCH_1})
      set(unit ${directory}/${CMAKE_MATCH_1}.inc)
    elseif(mark STREQUAL "compile")
      list(APPEND readme_compiled_programs ${unit})
    elseif(mark STREQUAL "body")
      list(APPEND readme_units ${unit})
      string(CONCAT located "#include \"prelude.hpp\"\n"
        "boost::asio::awaitable<void> readme_block_${count}() {\n${located}co_return;\n}\n")
    elseif(NOT mark STREQUAL "")
      message(FATAL_ERROR "${readme}: unknown mark 'test: ${mark}' of block ${count}")
    elseif(code MATCHES "(^|\n)int main\\(")
      list(APPEND readme_programs ${unit})
    else()
      list(APPEND readme_units ${unit})
      string(PREPEND located "#include \"prelude.hpp\"\n")
    endif()
    cotls_write_if_different(${unit} "${located}")
  endwhile()

  if(count EQUAL 0)
    message(FATAL_ERROR "${readme} has no ```cpp block")
  endif()
  message(STATUS "${readme}: ${count} blocks")
  foreach(kind IN LISTS kinds)
    set(${kind} ${${kind}} PARENT_SCOPE)
  endforeach()
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
  cotls_extract_readme(${readme} ${directory})
endif()
