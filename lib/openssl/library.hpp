#pragma once

#include <cotls/library_options.hpp>

#include "openssl/openssl_ptr.hpp"

namespace cotls::detail {

/** Makes a context with algorithms from a library context, and notes in it which: OpenSSL does not
    tell.
    @return Null when OpenSSL fails. */
ssl_ctx_ptr make_ssl_ctx(SSL_METHOD const* method, library_options const& from);

/** Returns where a context has its algorithms from. */
library_options const& library_of(SSL_CTX const* context);

/** Returns the property query as OpenSSL takes it: null for none. */
char const* query_of(library_options const& from) noexcept;

/** Whether that is OpenSSL's default. */
bool is_default(library_options const& from) noexcept;

}  // namespace cotls::detail
