#pragma once

#include <cotls/connection_info.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
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
  boost::asio::ip::tcp::endpoint address;
  connection_info info;
  std::vector<certificate> chain;
  bool verified = false;
  std::string reason;        ///< why it was not verified; empty otherwise
  std::string refusal;       ///< what the server said after the handshake, if it refused us
  resumption again = resumption::no_session;
};

/** Says it for people, in lines. */
std::string to_text(inspection const& seen);

/** Says it for programs; README.md describes the members. */
boost::json::object to_json(inspection const& seen);

}  // namespace cotls::tool
