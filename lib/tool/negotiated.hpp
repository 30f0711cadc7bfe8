#pragma once

#include <cotls/connection_info.hpp>

#include <string>

namespace cotls::tool {

/** Returns what was negotiated in one line: `TLSv1.3, TLS_AES_256_GCM_SHA384, x25519, ALPN h2`. */
std::string negotiated(connection_info const& info);

}  // namespace cotls::tool
