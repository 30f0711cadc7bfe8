#pragma once

#include <cotls/address_family.hpp>
#include <cotls/client_options.hpp>
#include <cotls/detail/support/timeouts.hpp>
#include <cotls/early_data.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/session.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <string>
#include <utility>
#include <vector>

namespace cotls {

/** What a connection is to be, beside its context. */
class connect_options {
 public:
  connect_options() {}

  /** The time for everything: lookup, connecting and the handshake. 30 s by default. In
      `blocking::connect` the lookup does not count. */
  connect_options& timeout(std::chrono::steady_clock::duration limit) {
    timeout_ = limit;
    return *this;
  }

  /** The time for the handshake within it. 10 s by default. */
  connect_options& handshake_timeout(std::chrono::steady_clock::duration limit) {
    handshake_timeout_ = limit;
    return *this;
  }

  /** The head start of an address before the next one is tried beside it: the Connection Attempt
      Delay of RFC 8305 section 5. 250 ms by default; at least 10 ms.

      An address that fails gives way at once. */
  connect_options& attempt_delay(std::chrono::steady_clock::duration delay) {
    // RFC 8305 section 5: "a subsequent connection MUST NOT be started within 10 milliseconds of
    // the previous attempt."
    std::chrono::steady_clock::duration const least = std::chrono::milliseconds(10);
    attempt_delay_ = std::max(delay, least);
    return *this;
  }

  /** Connects to addresses of this family alone; to all by default. A host that is an address of
      the other is `asio::error::address_family_not_supported`. */
  connect_options& family(address_family only) { family_ = only; return *this; }

  /** Offers these protocols instead of the context's, the preferred one first (RFC 7301); without
      one, the context's. Each has 1 to 255 bytes. */
  template <class... Names>
    requires(std::constructible_from<std::string, Names> && ...)
  connect_options& alpn(Names... names) {
    tls_.alpn(std::move(names)...);
    return *this;
  }

  connect_options& alpn(std::vector<std::string> names) {
    tls_.alpn(std::move(names));
    return *this;
  }

  /** Verifies the server as this host, and asks for it, instead of the one connected to. */
  connect_options& verify_host(std::string name) {
    verify_host_ = std::move(name);
    return *this;
  }

  /** Accepts a certificate for this DNS name, too (`client_options::also_accept`). */
  connect_options& also_accept(std::string name) {
    tls_.also_accept(std::move(name));
    return *this;
  }

  /** Asks for this name (SNI), or for none, while the host is verified all the same
      (`client_options::server_name`). */
  connect_options& server_name(std::string name) {
    tls_.server_name(std::move(name));
    return *this;
  }
  connect_options& no_server_name() { tls_.no_server_name(); return *this; }

  /** Verifies the server's chain, and not whom it is for (`client_options::accept_any_name`). */
  connect_options& accept_any_name() { tls_.accept_any_name(); return *this; }

  /** Overrides the context's versions, suites, groups and signature algorithms
      (`client_options::versions` and its neighbours). What is wrong is said before any I/O. */
  connect_options& versions(protocol_version lowest,
                            protocol_version highest = protocol_version::tls1_3) {
    tls_.versions(lowest, highest);
    return *this;
  }
  connect_options& ciphers(std::string tls12, std::string tls13 = {}) {
    tls_.ciphers(std::move(tls12), std::move(tls13));
    return *this;
  }
  connect_options& groups(std::string list) { tls_.groups(std::move(list)); return *this; }
  connect_options& signature_algorithms(std::string list) {
    tls_.signature_algorithms(std::move(list));
    return *this;
  }

  /** Resumes a session of an earlier connection to this host, as it is verified, and port, made
      with the same context and the same algorithms, versions and name asked for, if the server
      agrees (RFC 8446 section 2.2). On by default; off, none is kept, either. */
  connect_options& resumption(bool value) { resumption_ = value; return *this; }

  /** Offers this session, whatever `resumption` says (`client_options::session`). */
  connect_options& session(cotls::session earlier) {
    tls_.session(std::move(earlier));
    return *this;
  }

  /** Sends these bytes, up to 64 KiB, as early as it can be done, which lets others replay them
      (`client_options::early_data`). */
  connect_options& early_data(boost::asio::const_buffer bytes,
                              unaccepted otherwise = unaccepted::send_late) {
    tls_.early_data(bytes, otherwise);
    return *this;
  }

  std::chrono::steady_clock::duration timeout() const noexcept { return timeout_; }
  std::chrono::steady_clock::duration handshake_timeout() const noexcept {
    return handshake_timeout_;
  }
  std::chrono::steady_clock::duration attempt_delay() const noexcept { return attempt_delay_; }
  address_family family() const noexcept { return family_; }
  client_options const& tls() const noexcept { return tls_; }
  std::string const& verify_host() const noexcept { return verify_host_; }
  bool resumption() const noexcept { return resumption_; }

 private:
  std::chrono::steady_clock::duration timeout_ = std::chrono::seconds(30);
  std::chrono::steady_clock::duration handshake_timeout_ = detail::usual_handshake_timeout;
  std::chrono::steady_clock::duration attempt_delay_ = std::chrono::milliseconds(250);
  address_family family_ = address_family::any;
  client_options tls_;
  std::string verify_host_;
  bool resumption_ = true;
};

}  // namespace cotls
