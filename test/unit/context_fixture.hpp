#pragma once

#include "context/context_state.hpp"
#include "effective.hpp"
#include "engine/seal.hpp"
#include "raw_connection.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>
#include <cotls/identity.hpp>

#include <functional>
#include <string>
#include <vector>

// Contexts, and the connections that OpenSSL makes with them.

namespace cotls::test {

inline identity const& first_identity() {
  static identity const made = make_self_signed({"first.test"});
  return made;
}

inline identity const& second_identity() {
  static identity const made = make_self_signed({"second.test"});
  return made;
}

inline raw_connection connect(context const& client, context const& server) {
  return {sealed(client), sealed(server)};
}

// Takes any certificate: what is tested is another setting.
inline client_context trusting_client(protocol versions = protocol::secure) {
  return client_context(versions).set_verify(verify::none);
}

inline server_context serving(identity const& who, protocol versions = protocol::secure) {
  return server_context(versions).use(who);
}

// The names of the certificates that a server shows.
inline std::vector<std::string> shown_by(server_context const& server) {
  raw_connection both = connect(trusting_client(), server);
  std::vector<std::string> shown;
  if (!both.handshake()) return shown;
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(both.client.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    shown.push_back(certificate::from_native(sk_X509_value(chain, i)).subject());
  }
  return shown;
}

using texts = std::vector<std::string>;

inline errc code_of(std::function<void()> const& call) {
  try {
    call();
  } catch (error const& thrown) {
    if (thrown.code().category() != cotls_category()) throw;
    return static_cast<errc>(thrown.code().value());
  }
  return {};
}

inline errc sealing(context const& of) {
  return code_of([&] { detail::seal(of); });
}

}  // namespace cotls::test
