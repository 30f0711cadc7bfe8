#pragma once

#include <cotls/certificate.hpp>
#include <cotls/connection_info.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cotls::tool {

/** What came of offering the session of a first connection for a second one. */
enum class resumption : std::uint8_t {
  resumed,
  full_handshake,   ///< the server had given a session out, and did not take it
  no_session,       ///< the server gives none out
  not_connected,    ///< the second connection came to nothing
};

/** All that was seen of a server. */
struct inspection {
  std::string host;
  std::uint16_t port = 0;
  boost::asio::ip::tcp::endpoint address;   ///< unspecified when no connection came about
  connection_info info;                     ///< as far as the handshake came
  std::vector<certificate> chain;
  std::vector<certificate> verified_chain;  ///< to the root; empty when it was not verified
  bool verified = false;
  std::string reason;        ///< why it was not verified; empty when it was, or when none came
  std::string refusal;       ///< why the handshake was refused, or we after it; empty if not
  bool alpn_refused = false; ///< the server ended a handshake because of the ALPN protocols offered
  resumption again = resumption::no_session;

  /** Tells whether a handshake was done. */
  bool connected() const { return address.port() != 0; }
};

/** Tells where a chain is in the wrong order: the first of its certificates that the next one has
    not issued (RFC 8446 section 4.4.2); nothing when it is in order. */
std::optional<std::size_t> find_disorder(std::vector<certificate> const& chain);

/** How certificates are shown. */
enum class certificates : std::uint8_t {
  described,
  whole,       ///< as PEM, too
};

/** Says it for people, in lines. */
std::string to_text(inspection const& seen, certificates shown = certificates::described);

/** Says it for programs; test/guide/command.md describes the members. */
boost::json::object to_json(inspection const& seen, certificates shown = certificates::described);

}  // namespace cotls::tool
