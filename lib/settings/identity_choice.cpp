// A server's CertificateRequest has its algorithms and may name authorities. OpenSSL itself looks
// at the algorithms alone and, in TLS 1.2, at no certificate but the one that was loaded last. So
// the connection is given one identity here, just before it answers:
//
//   CertificateRequest -> on_certificate_request -> the first that fits -> Certificate

#include "settings/identity_choice.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/owned_by_context.hpp"

#include <algorithm>
#include <memory>

namespace cotls::detail {

namespace {

x509_stack_ptr issuers_of(identity const& who) {
  clear_openssl_errors();
  x509_stack_ptr made(sk_X509_new_null());
  auto const& chain = who.chain().certificates();
  for (auto issuer = chain.begin() + 1; made && issuer != chain.end(); ++issuer) {
    if (sk_X509_push(made.get(), issuer->native_handle()) == 0) made.reset();
    else X509_up_ref(issuer->native_handle());
  }
  if (!made) throw_openssl_error({}, "using several certificate chains");
  return made;
}

// Of TLS 1.3 there is one answer for the key and its algorithms. In TLS 1.2 the signatures of the
// chain are not held against it, as OpenSSL holds them against none that was loaded alone.
bool fits(SSL* connection, identity const& who, STACK_OF(X509)* issuers) {
  int const found = SSL_check_chain(connection, who.chain().leaf().native_handle(),
                                    who.key().native_handle(), issuers);
  int const can_sign = SSL_version(connection) >= TLS1_3_VERSION
                           ? CERT_PKEY_EE_SIGNATURE
                           : CERT_PKEY_SIGN | CERT_PKEY_CERT_TYPE;
  int const needed = can_sign | CERT_PKEY_ISSUER_NAME;
  return (found & needed) == needed;
}

}  // namespace

identity_choice::identity_choice(std::vector<identity> const& among) {
  for (identity const& each : among) candidates_.push_back(candidate{each, issuers_of(each)});
}

void identity_choice::install(SSL_CTX* clients, std::vector<identity> const& among) {
  using owned = owned_by_context<identity_choice>;
  if (among.empty() && !owned::find(clients)) return;   // a callback of the program's stays
  std::unique_ptr<identity_choice> choice;
  if (!among.empty()) choice = std::make_unique<identity_choice>(among);
  identity_choice* const given = choice.get();
  clear_openssl_errors();
  auto const back = owned::exchange(clients, std::move(choice));
  if (given && back.get() == given) throw_openssl_error({}, "using several certificate chains");
  SSL_CTX_set_cert_cb(clients, given ? on_certificate_request : nullptr, nullptr);
}

bool show_identity(SSL* connection, identity const& shown) {
  x509_stack_ptr const issuers = issuers_of(shown);
  SSL_certs_clear(connection);
  return SSL_use_cert_and_key(connection, shown.chain().leaf().native_handle(),
                              shown.key().native_handle(), issuers.get(), 1) == 1;
}

int identity_choice::on_certificate_request(SSL* connection, void*) { return choose(connection); }

int identity_choice::choose(SSL* connection) {
  auto const* const choice =
      owned_by_context<identity_choice>::find(SSL_get_SSL_CTX(connection));
  bool const answered = !choice || choice->answer(connection);
  if (answered) clear_openssl_errors();   // of those that did not fit
  return answered ? 1 : 0;
}

bool identity_choice::answer(SSL* connection) const {
  X509 const* const shown = SSL_get_certificate(connection);
  bool const chosen_before = has(shown);   // after the handshake a server may ask again
  bool const is_contexts =
      shown == SSL_CTX_get0_certificate(SSL_get_SSL_CTX(connection));   // of an adopted one
  if (shown && !chosen_before && !is_contexts) return true;
  auto const fitting = std::find_if(
      candidates_.begin(), candidates_.end(), [connection](candidate const& each) {
        return fits(connection, each.who, each.issuers.get());
      });
  if (fitting != candidates_.end() || chosen_before) SSL_certs_clear(connection);
  // RFC 8446 section 4.4.2.3: with none, "the client MUST send a Certificate message containing no
  // certificates."
  if (fitting == candidates_.end()) return true;
  return SSL_use_cert_and_key(connection, fitting->who.chain().leaf().native_handle(),
                              fitting->who.key().native_handle(), fitting->issuers.get(), 1) == 1;
}

bool identity_choice::has(X509 const* leaf) const noexcept {
  return std::any_of(candidates_.begin(), candidates_.end(), [leaf](candidate const& each) {
    return each.who.chain().leaf().native_handle() == leaf;
  });
}

}  // namespace cotls::detail
