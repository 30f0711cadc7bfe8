# Linked privately by everything that is compiled here; never by a consumer.
add_library(cotls_warnings INTERFACE)
target_compile_options(cotls_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  $<$<BOOL:${COTLS_WARNINGS_AS_ERRORS}>:-Werror>)
