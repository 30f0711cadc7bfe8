#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cotls::tool {

/** Where to connect to, or to listen. */
class host_port {
 public:
  host_port(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}

  /** Returns the name or address, an IPv6 address without its brackets. */
  std::string const& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }

  /** Returns both as they are written: `example.org:443`, `[::1]:443`. */
  std::string text() const;

 private:
  std::string host_;
  std::uint16_t port_;
};

/** Parses a port: decimal digits, at most 65535. */
std::optional<std::uint16_t> parse_port(std::string_view text);

/** Parses `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT` or an IPv6 address without a port.

    @param without_port  The port of a text that has none.
    @return Nothing for a text that is none of these, or a port of 0 or beyond 65535.
*/
std::optional<host_port> parse_host_port(std::string_view text, std::uint16_t without_port = 443);

/** Parses where to listen: `PORT`, `IPV4:PORT`, `[IPV6]:PORT` or `localhost:PORT`. Port 0 lets the
    system choose; a port alone means 127.0.0.1, as `localhost` does, so that nothing is shown to
    the network by accident. */
std::optional<host_port> parse_listening_address(std::string_view text);

}  // namespace cotls::tool
