#include "key_elsewhere.hpp"

#include "self_signed.hpp"

#include <openssl/rsa.h>

#include <stdexcept>
#include <string_view>

namespace cotls::test {

namespace {

void check(bool done, char const* what) {
  if (!done) throw std::runtime_error(what);
}

void set_padding(EVP_PKEY_CTX* of, signature_scheme scheme) {
  std::string_view const name = to_string(scheme);
  if (name.starts_with("rsa_pss")) {
    check(EVP_PKEY_CTX_set_rsa_padding(of, RSA_PKCS1_PSS_PADDING) == 1, "padding");
    check(EVP_PKEY_CTX_set_rsa_pss_saltlen(of, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
  } else if (name.starts_with("rsa")) {
    check(EVP_PKEY_CTX_set_rsa_padding(of, RSA_PKCS1_PADDING) == 1, "padding");
  }
}

signer::signature sign_digest(EVP_PKEY* key, signature_request const& request) {
  std::unique_ptr<EVP_PKEY_CTX, detail::openssl_deleter<EVP_PKEY_CTX_free>> const by(
      EVP_PKEY_CTX_new(key, nullptr));
  std::string const hash(hash_of(request.scheme()));
  std::vector<unsigned char> const digest = request.digest();
  check(EVP_PKEY_sign_init(by.get()) == 1, "sign_init");
  set_padding(by.get(), request.scheme());
  check(EVP_PKEY_CTX_set_signature_md(by.get(), EVP_get_digestbyname(hash.c_str())) == 1, "hash");
  std::size_t size = 0;
  check(EVP_PKEY_sign(by.get(), nullptr, &size, digest.data(), digest.size()) == 1, "size");
  signer::signature made(size);
  check(EVP_PKEY_sign(by.get(), made.data(), &size, digest.data(), digest.size()) == 1, "sign");
  made.resize(size);
  return made;
}

signer::signature sign_message(EVP_PKEY* key, signature_request const& request) {
  std::unique_ptr<EVP_MD_CTX, detail::openssl_deleter<EVP_MD_CTX_free>> const by(EVP_MD_CTX_new());
  std::string const hash(hash_of(request.scheme()));
  std::vector<unsigned char> const& message = request.message();
  EVP_PKEY_CTX* details = nullptr;
  check(EVP_DigestSignInit_ex(by.get(), &details, hash.empty() ? nullptr : hash.c_str(), nullptr,
                              nullptr, key, nullptr) == 1, "sign_init");
  set_padding(details, request.scheme());
  std::size_t size = 0;
  check(EVP_DigestSign(by.get(), nullptr, &size, message.data(), message.size()) == 1, "size");
  signer::signature made(size);
  check(EVP_DigestSign(by.get(), made.data(), &size, message.data(), message.size()) == 1, "sign");
  made.resize(size);
  return made;
}

}  // namespace

private_key make_key(std::string const& kind) {
  bool const is_curve = kind.starts_with("P-");
  std::unique_ptr<EVP_PKEY_CTX, detail::openssl_deleter<EVP_PKEY_CTX_free>> const maker(
      EVP_PKEY_CTX_new_from_name(nullptr, is_curve ? "EC" : kind.c_str(), nullptr));
  EVP_PKEY* made = nullptr;
  check(maker && EVP_PKEY_keygen_init(maker.get()) == 1, "keygen_init");
  if (is_curve) check(EVP_PKEY_CTX_set_group_name(maker.get(), kind.c_str()) == 1, "group");
  if (kind == "RSA") check(EVP_PKEY_CTX_set_rsa_keygen_bits(maker.get(), 2048) == 1, "bits");
  check(EVP_PKEY_keygen(maker.get(), &made) == 1, "keygen");
  detail::pkey_ptr const owned(made);
  return private_key::from_native(made);
}

certificate self_signed_by(private_key const& key) {
  return certificate::from_pem(self_signed_for(key, "elsewhere", "DNS:localhost").pem());
}

signer::signature sign_with(private_key const& key, signature_request const& request,
                            bool digest) {
  bool const by_digest = digest && !hash_of(request.scheme()).empty();
  return by_digest ? sign_digest(key.native_handle(), request)
                   : sign_message(key.native_handle(), request);
}

signer key_elsewhere::messages() const {
  return [of = state_](signature_request const& request) {
    of->asked.push_back(request.scheme());
    return sign_with(of->key, request, false);
  };
}

signer key_elsewhere::digests() const {
  return [of = state_](signature_request const& request) {
    of->asked.push_back(request.scheme());
    return sign_with(of->key, request, true);
  };
}

}  // namespace cotls::test
