#pragma once

#include <ctime>
#include <optional>
#include <string>

namespace cotls::tool {

/** Writes a time as HTTP does (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
std::string http_date(std::time_t time);

/** Reads it, in this form and the two obsolete ones, which a recipient must accept. */
std::optional<std::time_t> parse_http_date(std::string const& text);

}  // namespace cotls::tool
