# Runs cotls-bench and checks what it says: cmake -D bench=PROGRAM -D directory=DIR -D check=NAME -P
#
#   figures   every scenario works, the JSON is well-formed and complete, and the charts are there
#   spoiled   each scenario notices a byte that is wrong
#   names     what is not known is refused
cmake_minimum_required(VERSION 3.25)

set(measured_scenarios bulk gathered_writes echo echo_beside_idle small_reads handshake signer hooks
  idle)

# Sets `result` and `output`.
function(run)
  execute_process(COMMAND ${bench} ${ARGN}
    RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  set(result "${code}" PARENT_SCOPE)
  set(output "${out}" PARENT_SCOPE)
endfunction()

function(check_figures)
  file(REMOVE_RECURSE ${directory})
  file(MAKE_DIRECTORY ${directory})
  list(JOIN measured_scenarios "," only)
  run(--smoke --only ${only} --json ${directory}/all.json --plot ${directory}/charts
    --summary ${directory}/summary.md)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "cotls-bench: ${result}\n${output}")
  endif()
  check_json(${directory}/all.json)
  check_summary(${directory}/summary.md)
  foreach(chart IN ITEMS bulk_throughput bulk_cpu echo_cpu idle_heap_server idle_heap_client
      ratio_to_asio-ssl ratio_to_openssl)
    file(READ ${directory}/charts/${chart}.svg document)
    if(NOT document MATCHES "^<svg .*</svg>\n$")
      message(FATAL_ERROR "${chart}.svg is no SVG document")
    endif()
  endforeach()
endfunction()

# A row a goal, but for those of instructions, which not every machine can count.
function(check_summary file)
  file(STRINGS ${file} rows ENCODING UTF-8 REGEX "^\\| .* \\|$")
  list(LENGTH rows count)
  if(NOT count EQUAL 18)
    message(FATAL_ERROR "${count} rows in the summary, its heading included")
  endif()
  foreach(scenario IN ITEMS idle small_reads bulk echo handshake)
    file(STRINGS ${file} row ENCODING UTF-8 REGEX "\\| [0-9.,]+ \\| .*\\| ${scenario} \\|$")
    if(NOT row)
      message(FATAL_ERROR "no row of the summary has figures of ${scenario}")
    endif()
  endforeach()
endfunction()

function(check_json file)
  file(READ ${file} document)
  string(JSON count LENGTH "${document}")   # fails when it is not well-formed
  file(STRINGS ${file} lines REGEX "^  {")
  list(LENGTH lines records)
  if(NOT records EQUAL count)
    message(FATAL_ERROR "${count} objects in ${records} lines")
  endif()
  set(seen "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ",$" "" line "${line}")
    check_record("${line}")
    list(APPEND seen "${scenario}/${implementation}/${figure}")
  endforeach()
  foreach(wanted IN LISTS expected)
    if(NOT wanted IN_LIST seen)
      message(FATAL_ERROR "There is no ${wanted}")
    endif()
  endforeach()
endfunction()

# Sets `scenario`, `implementation` and `figure`.
function(check_record text)
  foreach(key IN ITEMS scenario implementation figure)
    string(JSON ${key} GET "${text}" ${key})
    set(${key} "${${key}}" PARENT_SCOPE)
  endforeach()
  string(JSON parameters TYPE "${text}" parameters)
  string(JSON unit TYPE "${text}" unit)
  if(NOT "${parameters} ${unit}" STREQUAL "OBJECT STRING")
    message(FATAL_ERROR "parameters or unit: ${text}")
  endif()
  foreach(key IN ITEMS low value high)
    string(JSON type TYPE "${text}" ${key})
    string(JSON ${key} GET "${text}" ${key})
    if(NOT type STREQUAL NUMBER)
      message(FATAL_ERROR "${key} is no number: ${text}")
    endif()
  endforeach()
  if(low GREATER value OR value GREATER high)
    message(FATAL_ERROR "not low <= value <= high: ${text}")
  endif()
endfunction()

# expect(<scenario> <implementation,...> <figure>...)
macro(expect scenario implementations)
  string(REPLACE "," ";" names "${implementations}")
  foreach(name IN LISTS names)
    foreach(figure IN ITEMS ${ARGN})
      list(APPEND expected "${scenario}/${name}/${figure}")
    endforeach()
  endforeach()
endmacro()

set(own cotls,cotls-token,cotls-blocking)
set(expected "")
expect(bulk ${own},asio-ssl,openssl,tcp cpu_seconds_per_gb mb_per_second syscalls_per_mb)
expect(bulk limit cpu_seconds_per_gb)
expect(gathered_writes ${own},asio-ssl,openssl,tcp cpu_seconds_per_gb mb_per_second)
expect(echo ${own},asio-ssl,openssl,tcp cpu_us_per_request requests_per_second
  syscalls_per_request allocations_per_request)
expect(echo_beside_idle cotls,asio-ssl,openssl,tcp cpu_us_per_request
  requests_per_second)
expect(small_reads ${own},asio-ssl,openssl ns_per_read)
expect(handshake ${own},asio-ssl,openssl cpu_us_per_handshake handshakes_per_second
  syscalls_per_connection allocations_per_connection)
expect(signer cotls cpu_us_per_handshake handshakes_per_second first_byte_us)
expect(hooks cotls cpu_us_per_handshake handshakes_per_second first_byte_us)
expect(first_byte ${own},asio-ssl,openssl,tcp first_byte_us)
expect(idle ${own},asio-ssl,openssl,tcp heap_bytes_per_connection rss_bytes_per_connection)

function(check_spoiled)
  foreach(scenario IN LISTS measured_scenarios)
    run(--smoke --spoil --only ${scenario})
    if(NOT result EQUAL 2 OR NOT output MATCHES "what was read is not what was written")
      message(FATAL_ERROR "${scenario} with a wrong byte: ${result}\n${output}")
    endif()
  endforeach()
endfunction()

function(check_names)
  foreach(wrong IN ITEMS "--only;bulks" "--implementations;cotls,boost" "--gate;small_reads"
      "--repetitions;0" "--fast" "--json;/nowhere/all.json"
      "--summary;/nowhere/summary.md")
    run(${wrong})
    if(NOT result EQUAL 2)
      message(FATAL_ERROR "${wrong}: ${result}\n${output}")
    endif()
  endforeach()
endfunction()

cmake_language(CALL check_${check})
