# Linked privately by everything that is compiled here: library, tests, tools and benchmarks.
add_library(cotls_sanitizers INTERFACE)

if(COTLS_SANITIZE)
  string(REPLACE ";" "," sanitizers "${COTLS_SANITIZE}")
  target_compile_options(cotls_sanitizers INTERFACE
    -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cotls_sanitizers INTERFACE -fsanitize=${sanitizers})
  # It looks at memory through a pipe, and where a test has used up the descriptors, doubts all of it.
  if("undefined" IN_LIST COTLS_SANITIZE)
    target_compile_options(cotls_sanitizers INTERFACE -fno-sanitize=vptr)
  endif()
endif()

# Debian's OpenSSL and Boost.Test are not instrumented: ThreadSanitizer cannot see their atomics, and
# would report what they order.
set(COTLS_SANITIZER_ENVIRONMENT "")
if(COTLS_SANITIZE)
  set(COTLS_SANITIZER_ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1")
endif()
