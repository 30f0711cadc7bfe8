#pragma once

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "failure_of.hpp"
#include "raw_connection.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test {

using texts = std::vector<std::string>;

inline SSL_CTX* sealed(context const& of) {
  detail::seal(of);
  return detail::access::state(of)->handle();
}

/// The suites that a context's connections are left with, by its versions and security level, too.
inline texts effective_suites(context const& of) {
  struct free_suites {
    void operator()(STACK_OF(SSL_CIPHER)* suites) const noexcept { sk_SSL_CIPHER_free(suites); }
  };
  detail::ssl_ptr const connection(SSL_new(sealed(of)));
  std::unique_ptr<STACK_OF(SSL_CIPHER), free_suites> const all(
      SSL_get1_supported_ciphers(connection.get()));
  texts names;
  for (int i = 0; i < sk_SSL_CIPHER_num(all.get()); ++i) {
    names.push_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all.get(), i)));
  }
  return names;
}

/// The groups that a client offers, by OpenSSL's names, as a server hears them.
inline texts offered_groups(client_context const& by, server_context const& to) {
  raw_connection both(sealed(by), sealed(to));
  both.advance();
  both.advance();
  auto const count = static_cast<int>(SSL_get1_groups(both.server.get(), nullptr));
  std::vector<int> groups(static_cast<std::size_t>(count));
  if (count > 0) SSL_get1_groups(both.server.get(), groups.data());
  texts names;
  for (int const each : groups) {
    bool const is_number = (each & TLSEXT_nid_unknown) != 0;   // of the IANA's registry
    bool const is_hybrid = is_number && (each & 0xffff) == 0x11ec;
    names.push_back(is_hybrid   ? "X25519MLKEM768"
                    : is_number ? std::to_string(each & 0xffff)
                                : OBJ_nid2sn(each));
  }
  return names;
}

inline bool connects(context const& client, context const& server) {
  return raw_connection(sealed(client), sealed(server)).handshake();
}

inline bool says(error const& thrown, std::string_view text) {
  bool const found = std::string_view(thrown.what()).find(text) != std::string_view::npos;
  if (!found) BOOST_TEST_MESSAGE(thrown.what());
  return found;
}

}  // namespace cotls::test
