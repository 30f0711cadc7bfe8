# One step of the install test: the function that is named ${step}. test/install/CMakeLists.txt
# gives the variables.
cmake_minimum_required(VERSION 3.25)

set(stage ${work}/stage)
set(consumer ${CMAKE_CURRENT_LIST_DIR}/consumer)

# Runs a command and fails the test if it fails. What it printed is left in `output`.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT ECHO_OUTPUT_VARIABLE ECHO_ERROR_VARIABLE
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed (${result})")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Runs a consumer and fails the test unless it says that it has the version that was built.
function(run_consumer)
  run(${ARGV})
  if(NOT output STREQUAL "cotls ${version}\n")
    message(FATAL_ERROR "the consumer printed '${output}' instead of 'cotls ${version}'")
  endif()
endfunction()

# Configures the consumer in a new directory. The arguments choose how it comes by cotls.
function(configure_consumer directory)
  file(REMOVE_RECURSE ${directory})
  run(${CMAKE_COMMAND} -S ${consumer} -B ${directory} -G ${generator}
    -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_CXX_COMPILER_LAUNCHER=${launcher}
    -D CMAKE_BUILD_TYPE=Debug -D CMAKE_CXX_FLAGS_DEBUG= ${ARGN})
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(stage)
  file(REMOVE_RECURSE ${stage})
  run(${CMAKE_COMMAND} --install ${build} --prefix ${stage})
endfunction()

function(every_header_is_installed)
  file(GLOB_RECURSE here RELATIVE ${source}/include ${source}/include/*)
  file(GLOB_RECURSE there RELATIVE ${stage}/${includedir} ${stage}/${includedir}/*)
  if(NOT here)
    message(FATAL_ERROR "there are no headers in ${source}/include")
  endif()
  if(NOT here STREQUAL there)
    message(FATAL_ERROR "in the repository:\n${here}\ninstalled:\n${there}")
  endif()
endfunction()

function(the_command_is_installed)
  run(${stage}/${bindir}/cotls --version)
  if(NOT output MATCHES "^cotls ${version}, OpenSSL [34]\\.")
    message(FATAL_ERROR "the command printed '${output}'")
  endif()
endfunction()

function(every_header_compiles_alone)
  run(${CMAKE_COMMAND} --build ${build} --target all_verify_interface_header_sets)
endfunction()

function(find_package_is_used)
  configure_consumer(${work}/find_package
    -D CMAKE_PREFIX_PATH=${stage} -D COTLS_WANTED_VERSION=${version})
  if(output MATCHES "CMake (Deprecation )?Warning")
    message(FATAL_ERROR "CMake warns of the package")
  endif()
  if(NOT output MATCHES "cotls_DIR is ${stage}/")
    message(FATAL_ERROR "the package was not found in ${stage}")
  endif()
  run(${CMAKE_COMMAND} --build ${work}/find_package)
  run_consumer(${work}/find_package/consumer)
endfunction()

function(find_package_refuses_another_major_version)
  file(REMOVE_RECURSE ${work}/another_version)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${consumer} -B ${work}/another_version -G ${generator}
      -D CMAKE_CXX_COMPILER=${compiler}
      -D CMAKE_PREFIX_PATH=${stage} -D COTLS_WANTED_VERSION=99.0
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(result EQUAL 0)
    message(FATAL_ERROR "version 99.0 was found:\n${output}")
  endif()
  # It must have been refused for its version, not for some other mistake.
  if(NOT output MATCHES "${stage}/[^\n]*cotls-config.cmake, version: ${version}")
    message(FATAL_ERROR "configuring failed for another reason:\n${output}")
  endif()
endfunction()

function(pkg_config_is_used)
  set(ENV{PKG_CONFIG_PATH} ${stage}/${libdir}/pkgconfig)
  run(pkg-config --exact-version=${version} cotls)
  run(pkg-config --cflags --libs cotls)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run(${compiler} -std=c++20 ${consumer}/main.cpp -o ${work}/pkg_config_consumer ${flags})
  set(ENV{LD_LIBRARY_PATH} ${stage}/${libdir})
  run_consumer(${work}/pkg_config_consumer)
endfunction()

# Compiles a file of the consumer's; the rest are options. The object is ${work}/${name}.o.
function(compile name)
  run(pkg-config --cflags cotls)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run(${compiler} -std=c++20 ${ARGN} -c ${consumer}/${name}.cpp -o ${work}/${name}.o ${flags})
endfunction()

# Tells whether it links with the library; sets `result` and `output`.
function(link name)
  run(pkg-config --libs cotls)
  separate_arguments(flags UNIX_COMMAND "${output}")
  execute_process(COMMAND ${compiler} ${ARGN} ${work}/${name}.o -o ${work}/${name} ${flags}
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  set(output "${output}" PARENT_SCOPE)
  set(result ${result} PARENT_SCOPE)
endfunction()

# Boost's version is what its header says: without the header, what the command line says.
function(a_program_with_another_boost_or_configuration_does_not_link)
  set(ENV{PKG_CONFIG_PATH} ${stage}/${libdir}/pkgconfig)
  compile(configured)
  link(configured)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "with the same configuration: ${output}")
  endif()
  foreach(other IN ITEMS "-D BOOST_VERSION_HPP -D BOOST_VERSION=107400"
      "-D OPENSSL_OPENSSLV_H -D OPENSSL_VERSION_MAJOR=1"
      "-D BOOST_ASIO_ENABLE_BUFFER_DEBUGGING" "-D BOOST_ASIO_ENABLE_HANDLER_TRACKING"
      "-D BOOST_ASIO_DISABLE_EPOLL" "-D BOOST_ASIO_DISABLE_EVENTFD"
      "-D BOOST_ASIO_DISABLE_THREADS"
      "-D BOOST_ASIO_NO_TS_EXECUTORS" "-D BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT"
      "-D BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING" "-D _GLIBCXX_DEBUG")
    separate_arguments(options UNIX_COMMAND "${other}")
    compile(configured ${options})
    link(configured)
    if(result EQUAL 0 OR NOT output MATCHES "cotls::detail::built_with<")
      message(FATAL_ERROR "${other}: it links, or fails for another reason (${result}):\n${output}")
    endif()
  endforeach()
endfunction()

# The archive, into a library of somebody else's.
function(the_archive_goes_into_a_shared_library)
  set(ENV{PKG_CONFIG_PATH} ${stage}/${libdir}/pkgconfig)
  compile(main -fPIC)
  link(main -shared -Wl,--no-undefined)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${output}")
  endif()
endfunction()

# As a shared library, since the static one is what the tests are linked with. Nothing is
# precompiled here: each source of the library must include what it uses.
function(add_subdirectory_is_used)
  set(directory ${work}/add_subdirectory)
  configure_consumer(${directory} -D COTLS_SOURCE_DIR=${source} -D BUILD_SHARED_LIBS=ON
    -D COTLS_BATCH=10)
  run(${CMAKE_COMMAND} --build ${directory} --parallel 2)
  run_consumer(${directory}/consumer)
  if(IS_DIRECTORY ${directory}/cotls/test OR IS_DIRECTORY ${directory}/cotls/bench)
    message(FATAL_ERROR "a consumer is made to build cotls's own tests")
  endif()
  file(GLOB libraries ${directory}/cotls/lib/libcotls.so.${version})
  if(NOT libraries)
    message(FATAL_ERROR "there is no libcotls.so.${version}")
  endif()
endfunction()

cmake_language(CALL ${step})
