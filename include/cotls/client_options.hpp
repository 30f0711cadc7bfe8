#pragma once

#include <cotls/detail/engine/connection_options.hpp>
#include <cotls/detail/support/access.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cotls {

/** What a client's connection is to be, beside its context. */
class client_options {
 public:
  client_options() {}

  /** The host name or IP address that the server's certificate must be for, among its subject
      alternative names (RFC 9525). A name is sent to the server, too (SNI, RFC 6066 section 3).

      A name is made of letters, digits, hyphens and underscores, in labels with dots between them,
      and perhaps a last one, which does not count; it has at most 253 bytes, a label 63 (RFC 1035
      section 2.3.4). An address is made of four decimal numbers, or it is an IPv6 literal without
      brackets, whose zone is not verified. Any other text is `errc::invalid_host_name` when the
      connection is made; so is a name with letters beyond ASCII, whose A-label is wanted
      (`xn--bcher-kva.example`; RFC 9525 section 6.3). */
  client_options& host(std::string name) { inner_.host = std::move(name); return *this; }

  /** Accepts a certificate for this DNS name, too, instead of the host's: of the names one will do.
      The host is a name, and the only one that is sent to the server. May be called several times.
      (`X509_VERIFY_PARAM_add1_host`) A text that is no name, or a host that is none, is
      `errc::invalid_host_name` when the connection is made. */
  client_options& also_accept(std::string name) {
    inner_.also_accepted.push_back(std::move(name));
    return *this;
  }

  /** Names, with the host, the server: a session of an earlier connection to it, with the same
      context, is resumed if the server agrees (RFC 8446 section 2.2). Without it, or with 0, none
      is, and none is kept. */
  client_options& port(std::uint16_t number) { inner_.port = number; return *this; }

  /** Offers these protocols instead of the context's, the preferred one first (RFC 7301); without
      one, the context's. One that is empty or longer than 255 bytes is
      `errc::invalid_alpn_protocol` when the connection is made. */
  template <class... Names>
    requires(std::constructible_from<std::string, Names> && ...)
  client_options& alpn(Names... names) {
    inner_.alpn = {std::string(std::move(names))...};
    return *this;
  }

  client_options& alpn(std::vector<std::string> names) {
    inner_.alpn = std::move(names);
    return *this;
  }

 private:
  friend detail::access;

  detail::connection_options inner_;
};

}  // namespace cotls
