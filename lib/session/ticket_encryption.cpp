// AES-256-CBC, then HMAC-SHA-256: OpenSSL puts no other tag behind a ticket than a MAC's.

#include "session/ticket_encryption.hpp"

#include "openssl/library.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "openssl/owned_by_context.hpp"
#include "session/resumption.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <utility>

namespace cotls::detail {

namespace {

// What SSL_CTX_set_tlsext_ticket_keys takes.
using openssls_keys = std::array<unsigned char, 80>;

class ticket_encryption {
 public:
  ticket_encryption(std::shared_ptr<ticket_key_ring> with, evp_cipher_ptr kind,
                    openssls_keys const& there)
      : keys(std::move(with)), cipher(std::move(kind)), openssls(there) {}
  ticket_encryption(ticket_encryption const&) = delete;
  ticket_encryption& operator=(ticket_encryption const&) = delete;
  ~ticket_encryption() { OPENSSL_cleanse(openssls.data(), openssls.size()); }

  std::shared_ptr<ticket_key_ring> const keys;
  evp_cipher_ptr const cipher;
  openssls_keys openssls;   // that OpenSSL had made for the context
};

// Of a connection that a program has given a context that is none of ours: what it encrypts nobody
// reads again.
ticket_encryption const& nobodys() {
  static auto const* const made = new ticket_encryption(
      std::make_shared<ticket_key_ring>(ticket_key_options()),
      evp_cipher_ptr(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)), {});
  return *made;   // never freed (A22)
}

bool set_signature_key(EVP_MAC_CTX* of, ticket_key const& key) {
  char digest[] = "SHA256";
  auto const secret = key.signature_key();
  OSSL_PARAM const parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                        const_cast<unsigned char*>(secret.data()), secret.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(of, parameters) == 1;
}

bool begin_ticket(ticket_key const& key, EVP_CIPHER const* kind, unsigned char* iv,
                  EVP_CIPHER_CTX* cipher,
           EVP_MAC_CTX* signature, int encrypts) {
  return EVP_CipherInit_ex2(cipher, kind, key.cipher_key().data(), iv, encrypts, nullptr) == 1 &&
         set_signature_key(signature, key);
}

constexpr int callback_failed = -1;
constexpr int ticket_unknown = 0;
constexpr int ticket_good = 1;
constexpr int ticket_to_renew = 2;

int encrypt_ticket(ticket_encryption const& by, std::time_t now, unsigned char* name,
                   unsigned char* iv,
            EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* signature) {
  auto const key = by.keys->current(now);
  std::copy(key->name().begin(), key->name().end(), name);
  bool const begun = RAND_bytes(iv, EVP_CIPHER_get_iv_length(by.cipher.get())) == 1 &&
                     begin_ticket(*key, by.cipher.get(), iv, cipher, signature, 1);
  return begun ? ticket_good : callback_failed;
}

// A ticket of TLS 1.3 is good once: the client is given another.
int decrypt_ticket(ticket_encryption const& by, SSL const* connection, unsigned char const* name,
            unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* signature) {
  auto const [key, is_old] = by.keys->find({name, ticket_key::name_size}, today(connection));
  if (!key) return ticket_unknown;
  if (!begin_ticket(*key, by.cipher.get(), iv, cipher, signature, 0)) return callback_failed;
  return is_old || SSL_version(connection) >= TLS1_3_VERSION ? ticket_to_renew : ticket_good;
}

int on_ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* signature, int encrypts) noexcept {
  try {
    auto const* const ours =
        owned_by_context<ticket_encryption>::find(SSL_get_SSL_CTX(connection));
    ticket_encryption const& by = ours ? *ours : nobodys();
    return encrypts == 1 ? encrypt_ticket(by, today(connection), name, iv, cipher, signature)
                         : decrypt_ticket(by, connection, name, iv, cipher, signature);
  } catch (std::exception const&) {
    return callback_failed;
  }
}

openssls_keys keys_of_openssl(SSL_CTX* of) {
  openssls_keys found{};
  SSL_CTX_get_tlsext_ticket_keys(of, found.data(), static_cast<long>(found.size()));
  return found;
}

}  // namespace

void encrypt_tickets(SSL_CTX* servers, std::shared_ptr<ticket_key_ring> keys) {
  library_options const& from = library_of(servers);
  clear_openssl_errors();
  evp_cipher_ptr cipher(EVP_CIPHER_fetch(from.library(), "AES-256-CBC", query_of(from)));
  if (!cipher) throw_openssl_error({}, "encrypting session tickets");
  auto made = std::make_unique<ticket_encryption>(std::move(keys), std::move(cipher),
                                                  keys_of_openssl(servers));
  ticket_encryption* const given = made.get();
  auto const back = owned_by_context<ticket_encryption>::exchange(servers, std::move(made));
  if (back.get() == given) throw std::bad_alloc();
  SSL_CTX_set_tlsext_ticket_key_evp_cb(servers, on_ticket_key);
}

void heed_given_ticket_keys(SSL_CTX* servers) {
  auto const* const ours = owned_by_context<ticket_encryption>::find(servers);
  if (ours && keys_of_openssl(servers) != ours->openssls) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(servers, nullptr);
  }
}

}  // namespace cotls::detail
