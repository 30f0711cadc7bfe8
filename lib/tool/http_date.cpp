#include "http_date.hpp"

namespace cotls::tool {

// Both functions rely on the C locale: the command never leaves it.

std::string http_date(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  std::size_t const size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

std::optional<std::time_t> parse_http_date(std::string const& text) {
  for (char const* form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                           "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    char const* const end = strptime(text.c_str(), form, &parts);
    if (end && end == text.c_str() + text.size()) return timegm(&parts);
  }
  return std::nullopt;
}

}  // namespace cotls::tool
