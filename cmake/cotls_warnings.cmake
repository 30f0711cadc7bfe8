# Linked privately by everything that is compiled here; never by a consumer.
add_library(cotls_warnings INTERFACE)
target_compile_options(cotls_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  # Braces that the language lets one leave out: of an aggregate's first member.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-braces>
  $<$<BOOL:${COTLS_WARNINGS_AS_ERRORS}>:-Werror>)

# Deprecated is what OpenSSL 3.0 deprecates; what later versions do has no other name in 3.0.
target_compile_definitions(cotls_warnings INTERFACE OPENSSL_API_COMPAT=30000)
