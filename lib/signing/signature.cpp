// What OpenSSL calls for a signature by a key that signs elsewhere. No exception may cross it.

#include "signing/signature.hpp"

#include <cotls/signer.hpp>

#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "signing/dispatch.hpp"
#include "signing/signer_key.hpp"
#include "signing/signer_library.hpp"
#include "signing/signing_call.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace cotls::detail {

namespace {

struct hash_schemes {
  char const* hash;
  std::optional<signature_scheme> pkcs1, pss, pss_key, ecdsa;
};

constexpr hash_schemes schemes_by_hash[] = {
    {"SHA2-256", signature_scheme::rsa_pkcs1_sha256, signature_scheme::rsa_pss_rsae_sha256,
     signature_scheme::rsa_pss_pss_sha256, signature_scheme::ecdsa_secp256r1_sha256},
    {"SHA2-384", signature_scheme::rsa_pkcs1_sha384, signature_scheme::rsa_pss_rsae_sha384,
     signature_scheme::rsa_pss_pss_sha384, signature_scheme::ecdsa_secp384r1_sha384},
    {"SHA2-512", signature_scheme::rsa_pkcs1_sha512, signature_scheme::rsa_pss_rsae_sha512,
     signature_scheme::rsa_pss_pss_sha512, signature_scheme::ecdsa_secp521r1_sha512},
    {"SHA2-224", signature_scheme::rsa_pkcs1_sha224, std::nullopt, std::nullopt,
     signature_scheme::ecdsa_sha224},
    {"SHA1", signature_scheme::rsa_pkcs1_sha1, std::nullopt, std::nullopt,
     signature_scheme::ecdsa_sha1},
};

// Null for a hash that TLS signs nothing by, and of names that OpenSSL does not know.
hash_schemes const* schemes_by(char const* hash) {
  using md_ptr = std::unique_ptr<EVP_MD, openssl_deleter<EVP_MD_free>>;
  md_ptr const named(EVP_MD_fetch(signers_library(), hash, of_openssl));
  if (!named) return nullptr;
  auto const found = std::find_if(
      std::begin(schemes_by_hash), std::end(schemes_by_hash),
      [&](hash_schemes const& each) { return EVP_MD_is_a(named.get(), each.hash) == 1; });
  return found != std::end(schemes_by_hash) ? found : nullptr;
}

bool is_empty(char const* text) noexcept { return !text || *text == '\0'; }

// One signature that OpenSSL makes (provider-signature(7)): by EVP_DigestSign, as libssl does.
class signing {
 public:
  bool begin(char const* hash, signer_key const* key) {
    if (key) key_ = key;
    if (!key_ || !key_->sign) return false;
    pss_ = key_->kind == signing_kind::rsa_pss;
    hash_ = nullptr;
    if (key_->kind == signing_kind::ed25519 || key_->kind == signing_kind::ed448) {
      return is_empty(hash);
    }
    hash_ = schemes_by(is_empty(hash) ? "SHA2-256" : hash);
    return hash_ && scheme() && is_allowed();
  }

  bool set(OSSL_PARAM const* parameters) noexcept {
    using namespace std::string_view_literals;
    if (!parameters) return true;
    OSSL_PARAM const* const padding =
        OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (padding && !set_padding(*padding)) return false;
    OSSL_PARAM const* const salt =
        OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    return !salt || is_one_of(*salt, RSA_PSS_SALTLEN_DIGEST, "digest"sv);
  }

  std::size_t room() const noexcept {
    return static_cast<std::size_t>(EVP_PKEY_get_size(key_->public_part.get()));
  }

  /** Returns the signature's length; 0, with a reason in OpenSSL's queue, when there is none. What
      the program leaves in that queue must not be taken for OpenSSL's own. */
  std::size_t sign(unsigned char* into, std::size_t into_size, unsigned char const* message,
                   std::size_t size) const noexcept {
    signer::signature made;
    ERR_set_mark();
    try {
      made = ask(signature_request(*scheme(), {message, message + size}));
    } catch (std::exception const& thrown) {
      leave(thrown.what());
      return 0;
    } catch (...) {
      leave("it has thrown something that is no std::exception");
      return 0;
    }
    ERR_pop_to_mark();
    bool const fits = made.size() <= std::min(into_size, room()) && !made.empty();
    if (!fits || (key_->kind != signing_kind::ec && made.size() != room())) {
      leave_signer_failure("what it has made is no signature by this kind of key");
      return 0;
    }
    std::memcpy(into, made.data(), made.size());
    return made.size();
  }

 private:
  signer::signature ask(signature_request request) const {
    if (!key_->sign->waits()) return key_->sign->sign(request);
    signing_call* const within = signing_call::current();
    if (!within) throw std::logic_error("it has to be waited for, which only a handshake can");
    return within->await(*key_->sign, std::move(request));
  }

  static void leave(char const* why) noexcept {
    ERR_pop_to_mark();
    leave_signer_failure(why);
  }

  // OpenSSL has numbers and words for the same.
  static bool is_one_of(OSSL_PARAM const& given, int number, std::string_view word) noexcept {
    if (given.data_type == OSSL_PARAM_UTF8_STRING) {
      return given.data && word == static_cast<char const*>(given.data);
    }
    int value = 0;
    return OSSL_PARAM_get_int(&given, &value) == 1 && value == number;
  }

  bool set_padding(OSSL_PARAM const& given) noexcept {
    pss_ = is_one_of(given, RSA_PKCS1_PSS_PADDING, OSSL_PKEY_RSA_PAD_MODE_PSS);
    bool const pkcs1 = is_one_of(given, RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
    bool const allowed = pss_ || (pkcs1 && key_->kind == signing_kind::rsa);
    return allowed && scheme();
  }

  std::optional<signature_scheme> scheme() const noexcept {
    switch (key_->kind) {
      case signing_kind::rsa: return pss_ ? hash_->pss : hash_->pkcs1;
      case signing_kind::rsa_pss: return hash_->pss_key;
      case signing_kind::ec: return hash_->ecdsa;
      case signing_kind::ed25519: return signature_scheme::ed25519;
      case signing_kind::ed448: return signature_scheme::ed448;
    }
    return std::nullopt;
  }

  // A certificate with "RSASSA-PSS" may allow one hash alone (RFC 4055 section 1.2).
  bool is_allowed() const noexcept {
    char only[64] = {};
    int const found = EVP_PKEY_get_default_digest_name(key_->public_part.get(), only, sizeof only);
    bool const is_mandatory = found == 2;
    return !is_mandatory || schemes_by(only) == hash_;
  }

  signer_key const* key_ = nullptr;
  hash_schemes const* hash_ = nullptr;
  bool pss_ = false;
};

struct signature_functions {
  static void* make(void*, char const*) noexcept { return new (std::nothrow) signing; }

  static void destroy(void* it) noexcept { delete static_cast<signing*>(it); }

  static int begin(void* it, char const* hash, void* key, OSSL_PARAM const* parameters) noexcept {
    auto& made = *static_cast<signing*>(it);
    return made.begin(hash, static_cast<signer_key const*>(key)) && made.set(parameters) ? 1 : 0;
  }

  static int set(void* it, OSSL_PARAM const* parameters) noexcept {
    return static_cast<signing*>(it)->set(parameters) ? 1 : 0;
  }

  static OSSL_PARAM const* settable(void*, void*) noexcept {
    static OSSL_PARAM const known[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
        OSSL_PARAM_END};
    return known;
  }

  // Without room for it, only asked how long it may be.
  static int sign(void* it, unsigned char* into, std::size_t* length, std::size_t room,
                  unsigned char const* message, std::size_t size) noexcept {
    auto const& made = *static_cast<signing const*>(it);
    *length = into ? made.sign(into, room, message, size) : made.room();
    return *length > 0 ? 1 : 0;
  }

  static OSSL_DISPATCH const* all() noexcept {
    static OSSL_DISPATCH const functions[] = {
        dispatch(OSSL_FUNC_SIGNATURE_NEWCTX, make),
        dispatch(OSSL_FUNC_SIGNATURE_FREECTX, destroy),
        dispatch(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, begin),
        dispatch(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign),
        dispatch(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set),
        dispatch(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable),
        {0, nullptr}};
    return functions;
  }
};

// RSA key transport has the server decrypt (RFC 5246 section 7.4.7.1). It is here to say why not.
struct decryption_functions {
  static void* make(void*) noexcept {
    static int nothing;
    return &nothing;
  }

  static void destroy(void*) noexcept {}

  static int begin(void*, void*, OSSL_PARAM const*) noexcept {
    leave_signer_failure("it signs, and decrypts nothing: let no suite with RSA key transport be "
                         "chosen");
    return 0;
  }

  static int decrypt(void*, unsigned char*, std::size_t*, std::size_t, unsigned char const*,
                     std::size_t) noexcept {
    return 0;
  }

  static OSSL_DISPATCH const* all() noexcept {
    static OSSL_DISPATCH const functions[] = {
        dispatch(OSSL_FUNC_ASYM_CIPHER_NEWCTX, make),
        dispatch(OSSL_FUNC_ASYM_CIPHER_FREECTX, destroy),
        dispatch(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, begin),
        dispatch(OSSL_FUNC_ASYM_CIPHER_DECRYPT, decrypt),
        {0, nullptr}};
    return functions;
  }
};

}  // namespace

OSSL_ALGORITHM const* signer_signatures() noexcept {
  static OSSL_ALGORITHM const all[] = {
      {"RSA", of_signers, signature_functions::all(), nullptr},
      {"ECDSA", of_signers, signature_functions::all(), nullptr},
      {"ED25519", of_signers, signature_functions::all(), nullptr},
      {"ED448", of_signers, signature_functions::all(), nullptr},
      {nullptr, nullptr, nullptr, nullptr}};
  return all;
}

OSSL_ALGORITHM const* signer_decryptions() noexcept {
  static OSSL_ALGORITHM const all[] = {
      {"RSA", of_signers, decryption_functions::all(), nullptr},
      {nullptr, nullptr, nullptr, nullptr}};
  return all;
}

}  // namespace cotls::detail
