#include "server_argument.hpp"

#include "http_request.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace cotls::tool {

namespace {

[[noreturn]] void refuse(std::string_view text, std::string const& why) {
  throw malformed_argument('\'' + std::string(text) + "' " + why);
}

// A URL without its scheme; nothing when the text is none (RFC 3986 section 3).
std::optional<std::string_view> behind_scheme(std::string_view text) {
  std::size_t const mark = text.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  if (!same_name(text.substr(0, mark), "https")) {
    refuse(text, "is no https URL, and TLS is all that is spoken here: give HOST[:PORT]");
  }
  return text.substr(mark + 3);
}

}  // namespace

host_port parse_server(std::string_view text) {
  auto const url = behind_scheme(text);
  std::string_view const rest = url.value_or(text);
  std::size_t const end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view const authority = rest.substr(0, end);
  if (!url && end < rest.size()) refuse(text, "is no HOST[:PORT]: it has a path");
  if (authority.find('@') != std::string_view::npos) {
    refuse(text, "names a user, whom no part of TLS would ask for: give HOST[:PORT]");
  }
  // RFC 3986 section 3.2.3: a port may be empty in a URL, and is the scheme's then.
  bool const empty_port = url && authority.ends_with(':') && authority.size() > 1;
  auto const found = parse_host_port(authority.substr(0, authority.size() - empty_port));
  if (!found) refuse(text, url ? "is no https://HOST[:PORT]" : "is no HOST[:PORT]");
  return *found;
}

}  // namespace cotls::tool
