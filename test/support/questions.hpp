#pragma once

#include "failure_of.hpp"

#include <cotls/channel_binding_kind.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/error.hpp>
#include <cotls/peer_info.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <optional>
#include <ostream>
#include <string>

namespace cotls::test {

/** What can be asked of every handle of a connection, and what it may know. */
struct answers {
  bool empty = false;      ///< the handle says that it stands for nothing
  bool negotiated = false;
  bool verified = false;
  std::string subject;     ///< the peer's
  error_code last;         ///< the failure of the operation that failed last

  bool operator==(answers const&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, answers const& said) {
  return out << (said.empty ? "empty" : "a connection")
             << (said.negotiated ? ", negotiated" : ", nothing negotiated")
             << (said.verified ? ", verified " : ", not verified ") << said.subject << ", "
             << said.last.message();
}

/// What every empty handle answers.
inline answers nothing_is_connected() {
  return {true, false, false, "", make_error_code(errc::not_connected)};
}

/// Asks for keys, which there are once the handshake is done; halves of streams are not asked.
template <class Handle>
void ask_for_keys(Handle const& asked, error_code const& refused) {
  if constexpr (requires { asked.channel_binding(channel_binding_kind::tls_exporter); }) {
    bool const open = !refused && asked.info().extended_master_secret;
    error_code const expected =
        refused || open ? refused : make_error_code(errc::handshake_not_done);
    BOOST_TEST(thrown_by([&] { asked.export_key("EXPERIMENTAL", std::nullopt, 32); }) == expected);
    BOOST_TEST(thrown_by([&] {
                 asked.channel_binding(channel_binding_kind::tls_server_end_point);
               }) == expected);
  }
}

/** Asks a handle of a connection everything, and checks that its answers go together. */
template <class Handle>
answers ask(Handle const& asked) {
  answers said;
  said.last = asked.last_error().code();
  said.empty = asked.native_handle() == nullptr;
  error_code const refused = said.empty ? make_error_code(errc::not_connected) : error_code();
  connection_info info;
  std::optional<peer_info> peer;
  BOOST_TEST(thrown_by([&] { info = asked.info(); }) == refused);
  BOOST_TEST(thrown_by([&] { peer = asked.peer(); }) == refused);
  said.negotiated = !info.version.empty();
  BOOST_TEST(info.suite.empty() != said.negotiated);
  BOOST_TEST((info.group.empty() || said.negotiated));
  BOOST_TEST((info.signature.empty() || said.negotiated));
  BOOST_TEST((info.peer_signature.empty() || said.negotiated));
  BOOST_TEST((!info.extended_master_secret || said.negotiated));
  ask_for_keys(asked, refused);
  if (!peer) return said;
  said.verified = peer->verified();
  said.subject = peer->subject();
  BOOST_TEST(peer->certificate().has_value() == !peer->chain().empty());
  BOOST_TEST(peer->issuer().empty() == peer->chain().empty());
  BOOST_TEST(peer->names().empty() == peer->chain().empty());
  return said;
}

}  // namespace cotls::test
