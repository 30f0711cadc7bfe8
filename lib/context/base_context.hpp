#pragma once

#include <cotls/detail/support/role.hpp>
#include <cotls/library_options.hpp>

#include "openssl/openssl_ptr.hpp"
#include "settings/version_settings.hpp"

namespace cotls::detail {

/** Makes a context as it is before anything is set: what is safe and cheap for every connection.
    @par Errors errc::unsupported_protocol, errc::invalid_setting for properties that no algorithms
    have, OpenSSL's */
ssl_ctx_ptr make_base_context(role end, version_settings const& versions,
                              library_options const& from);

}  // namespace cotls::detail
