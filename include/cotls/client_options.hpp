#pragma once

#include <cotls/detail/engine/connection_options.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/early_data.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/session.hpp>

#include <boost/asio/buffer.hpp>

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

  /** Asks for this DNS name (SNI, RFC 6066 section 3) instead of the host, which is verified all
      the same: for servers that are reached under a name that is not theirs. It is of no account to
      verification. A text that is no DNS name is `errc::invalid_host_name` when the connection is
      made. (`SSL_set_tlsext_host_name`) */
  client_options& server_name(std::string name) {
    inner_.own_special().server_name = std::move(name);
    return *this;
  }

  /** Sends no name to the server: it then shows the certificate that it has for everybody, which
      must be for the host. */
  client_options& no_server_name() {
    inner_.own_special().server_name = std::string();
    return *this;
  }

  /** Accepts a certificate whoever it is for, as long as its chain leads to a trusted root: for
      authorities that certify nobody but the servers that are meant. The host, if there is one, is
      only asked for. Without this word a connection that verifies and has no host is refused
      (`errc::no_host_name`); with names to accept beside it (`also_accept`) it is
      `errc::invalid_setting`. */
  client_options& accept_any_name() { inner_.own_special().any_name = true; return *this; }

  /** Speaks these versions, both ends included, instead of the context's. A range that is empty is
      `errc::invalid_setting`, a version that OpenSSL was built without
      `errc::unsupported_protocol`, when the connection is made.
      (`SSL_set_min_proto_version`, `SSL_set_max_proto_version`) */
  client_options& versions(protocol_version lowest,
                           protocol_version highest = protocol_version::tls1_3) {
    inner_.own_special().versions = {lowest, highest};
    return *this;
  }

  /** Offers these suites of TLS 1.2 and of TLS 1.3 instead of the context's; an empty list stays
      (`context::set_ciphers`). One that says what it does not seem to is `errc::invalid_setting`
      when the connection is made; so is one that sets a security level, which is the context's. */
  client_options& ciphers(std::string tls12, std::string tls13 = {}) {
    inner_.own_special().tls12 = std::move(tls12);
    inner_.own_special().tls13 = std::move(tls13);
    return *this;
  }

  /** Offers these key exchange groups instead of the context's (`context::set_groups`). One that is
      not known is `errc::invalid_setting` when the connection is made. */
  client_options& groups(std::string list) {
    inner_.own_special().groups = std::move(list);
    return *this;
  }

  /** Takes these signatures of the server's instead of the context's
      (`context::set_signature_algorithms`). One that is not known is `errc::invalid_setting` when
      the connection is made. */
  client_options& signature_algorithms(std::string list) {
    inner_.own_special().signatures = std::move(list);
    return *this;
  }

  /** Sends these bytes, up to 64 KiB, as early as it can be done: with the hello, and no wait for the
      server's answer, where a session is resumed whose server takes early data of that length (0-RTT,
      RFC 8446 section 2.3). **Whoever records it can send it again, and the server may act on it
      twice**: only what does no harm then may be said so, such as a GET.

      The handshake is done when they were accepted or, as `otherwise` says, sent behind it. What
      became of them is `info().early_data`: where that is `rejected` or `none`, it is for the program
      to send them, or something else. The bytes are copied; an empty buffer sends nothing. More than
      64 KiB is `errc::invalid_setting` when the connection is made. (`SSL_write_early_data`) */
  client_options& early_data(boost::asio::const_buffer bytes,
                             unaccepted otherwise = unaccepted::send_late);

  /** Offers this session to the server, rather than those that the context remembers; it is passed
      over where it does not belong to the connection (`cotls::session`), or was offered before.
      Whether it was resumed says `info().resumed`. */
  client_options& session(cotls::session earlier) {
    inner_.own_special().session = std::move(earlier);
    return *this;
  }

 private:
  friend detail::access;

  detail::connection_options inner_;
};

}  // namespace cotls
