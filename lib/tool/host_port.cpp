#include "host_port.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace cotls::tool {

namespace {

bool is_address(std::string const& text) {
  boost::system::error_code failed;
  boost::asio::ip::make_address(text, failed);
  return !failed;
}

bool is_v6_address(std::string const& text) {
  boost::system::error_code failed;
  boost::asio::ip::make_address_v6(text, failed);
  return !failed;
}

// The two parts of HOST:PORT as they are written, without brackets; the port is empty without one.
struct written {
  std::string host;
  std::optional<std::string_view> port;
};

std::optional<written> split(std::string_view text) {
  if (!text.starts_with('[')) {
    std::size_t const colon = text.find(':');
    if (colon == std::string_view::npos) return written{std::string(text), std::nullopt};
    return written{std::string(text.substr(0, colon)), text.substr(colon + 1)};
  }
  std::size_t const bracket = text.find(']');
  if (bracket == std::string_view::npos) return std::nullopt;
  written parts{std::string(text.substr(1, bracket - 1)), std::nullopt};
  text.remove_prefix(bracket + 1);
  if (!is_v6_address(parts.host)) return std::nullopt;
  if (text.empty()) return parts;
  if (text.front() != ':') return std::nullopt;
  parts.port = text.substr(1);
  return parts;
}

}  // namespace

std::string host_port::text() const {
  bool const brackets = host_.find(':') != std::string::npos;
  return (brackets ? '[' + host_ + ']' : host_) + ':' + std::to_string(port_);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  char const* const end = text.data() + text.size();
  auto const [stopped, failed] = std::from_chars(text.data(), end, port);
  if (failed != std::errc() || stopped != end) return std::nullopt;
  return port;
}

std::optional<host_port> parse_host_port(std::string_view text, std::uint16_t without_port) {
  if (is_v6_address(std::string(text))) return host_port(std::string(text), without_port);
  std::optional<written> const parts = split(text);
  if (!parts || parts->host.empty()) return std::nullopt;
  if (!parts->port) return host_port(parts->host, without_port);
  std::optional<std::uint16_t> const port = parse_port(*parts->port);
  if (!port || *port == 0) return std::nullopt;
  return host_port(parts->host, *port);
}

std::optional<host_port> parse_listening_address(std::string_view text) {
  if (auto const port = parse_port(text)) return host_port("127.0.0.1", *port);
  std::optional<written> parts = split(text);
  if (parts && parts->host == "localhost") parts->host = "127.0.0.1";
  if (!parts || !parts->port || !is_address(parts->host)) return std::nullopt;
  std::optional<std::uint16_t> const port = parse_port(*parts->port);
  if (!port) return std::nullopt;
  return host_port(parts->host, *port);
}

}  // namespace cotls::tool
