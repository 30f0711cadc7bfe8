#pragma once

#include <cotls/context.hpp>

#include <openssl/types.h>

#include <string>
#include <vector>

namespace cotls::detail {

/** Encodes protocol names as ALPN sends them: each after a byte that holds its length (RFC 7301
    section 3.1).

    @par Errors errc::invalid_alpn_protocol */
std::string alpn_wire_format(std::vector<std::string> const& protocols);

/** Has the context's servers choose the first of these that a client offers; with none, they do not
    take part. The list lives as long as the connections do.
    @par Errors errc::invalid_alpn_protocol, and the old list stays */
void select_alpn(SSL_CTX* servers, std::vector<std::string> const& protocols,
                 alpn_mismatch policy);

}  // namespace cotls::detail
