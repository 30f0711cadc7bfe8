#pragma once

#include <cotls/error.hpp>

#include <string>
#include <string_view>

namespace cotls::detail {

/** Throws the exception for something that has failed.
    @param doing  What it was: "looking up example.org". */
[[noreturn]] void fail(error_code code, std::string doing);

/** How a message names a host at a port; an IPv6 address in brackets (RFC 3986 section 3.2.2). */
std::string host_and_port(std::string_view host, int port);

}  // namespace cotls::detail
