#pragma once

#include <cotls/detail/connection_options.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace cotls {

/** What a client's connection is to be, beside its context. */
class client_options {
 public:
  client_options() {}

  /** The host name or IP address that the server's certificate must be for. A name is sent to the
      server, too (SNI, RFC 6066 section 3). */
  client_options& host(std::string name) { inner_.host = std::move(name); return *this; }

  /** Names, with the host, the server: a session of an earlier connection to it, with the same
      context, is resumed if the server agrees (RFC 8446 section 2.2). Without it, or with 0, none
      is. */
  client_options& port(std::uint16_t number) { inner_.port = number; return *this; }

  /** Offers these protocols instead of the context's, the preferred one first (RFC 7301). */
  template <class... Names>
  client_options& alpn(Names... names) {
    inner_.alpn = {std::string(std::move(names))...};
    return *this;
  }

  detail::connection_options const& inner() const noexcept { return inner_; }

 private:
  detail::connection_options inner_;
};

}  // namespace cotls
