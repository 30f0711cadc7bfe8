#include "handshake_witness.hpp"

#include <openssl/ssl.h>

#include <exception>

namespace cotls::tool {

namespace {

// The place in a context where its witness is found again.
int place() {
  static int const index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Nothing is agreed on before the server hello: what OpenSSL says until then is what it offers.
connection_info agreed_on(SSL* connection) {
  connection_info info;
  SSL_CIPHER const* const suite = SSL_get_current_cipher(connection);
  if (!suite) return info;
  info.version = SSL_get_version(connection);
  info.suite = SSL_CIPHER_get_name(suite);
  auto const group = static_cast<int>(SSL_get_negotiated_group(connection));
  if (char const* name = group > 0 ? SSL_group_to_name(connection, group) : nullptr) {
    info.group = name;
  }
  unsigned char const* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(connection, &protocol, &length);
  if (length > 0) info.alpn.assign(reinterpret_cast<char const*>(protocol), length);
  return info;
}

std::vector<certificate> sent_by_server(SSL* connection) {
  std::vector<certificate> chain;
  STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(connection);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    chain.push_back(certificate::from_native(sk_X509_value(sent, i)));
  }
  return chain;
}

}  // namespace

handshake_witness::handshake_witness(client_context const& context) {
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_ex_data(native, place(), this);
  SSL_CTX_set_info_callback(native, [](SSL const* of, int where, int) {
    if ((where & (SSL_CB_HANDSHAKE_START | SSL_CB_EXIT)) == 0) return;
    void* const found = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(of), place());
    try {
      static_cast<handshake_witness*>(found)->look_at(const_cast<SSL*>(of));
    } catch (std::exception const&) {
      // No exception may cross OpenSSL; less is seen.
    }
  });
}

void handshake_witness::look_at(ssl_st* connection) {
  began_ = true;
  if (SSL_is_init_finished(connection) == 1) return;
  info_ = agreed_on(connection);
  chain_ = sent_by_server(connection);
}

}  // namespace cotls::tool
