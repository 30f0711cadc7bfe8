// A key by its URI. One that is in a device signs there, which OpenSSL has to find out: it asks for
// the private part, to sign by itself, and has the key's provider sign where that is refused
// (m_sigver.c). A provider may give the public part instead of refusing, as tpm2-openssl 1.1 does:
// then OpenSSL signs with nothing, and every handshake fails. Such a key is made one that signs
// elsewhere.

#include <cotls/private_key.hpp>
#include <cotls/signer.hpp>

#include "identity/key_kind.hpp"
#include "identity/object_store.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "signing/signer_key.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace cotls {

namespace detail {

namespace {

int note_private_part(OSSL_PARAM const* given, void* found) noexcept {
  for (char const* name : {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D}) {
    if (OSSL_PARAM_locate_const(given, name)) *static_cast<bool*>(found) = true;
  }
  return 1;
}

bool gives_public_part_for_private(EVP_PKEY const* key) {
  if (!EVP_PKEY_get0_provider(key)) return false;   // of an engine, which signs in any case
  bool found = false;
  clear_openssl_errors();
  bool const given = EVP_PKEY_export(key, EVP_PKEY_KEYPAIR, note_private_part, &found) == 1;
  clear_openssl_errors();
  return given && !found;
}

bool set_rsa_padding(EVP_PKEY_CTX* of, signature_scheme scheme) {
  std::string_view const name = to_string(scheme);
  if (!name.starts_with("rsa")) return true;
  if (name.starts_with("rsa_pkcs1")) return EVP_PKEY_CTX_set_rsa_padding(of, RSA_PKCS1_PADDING) > 0;
  return EVP_PKEY_CTX_set_rsa_padding(of, RSA_PKCS1_PSS_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(of, RSA_PSS_SALTLEN_DIGEST) > 0;
}

// Signs by the provider that the key is of, and no other; one signature at a time: tpm2-openssl
// talks with its device in one conversation, whatever threads take part.
class provider_signer {
 public:
  provider_signer(private_key key, std::string doing)
      : key_(std::move(key)),
        provider_(std::string("provider=") +
                  OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key_.native_handle()))),
        doing_(std::move(doing)) {}

  signer::signature operator()(signature_request const& asked) const {
    using md_ctx_ptr = std::unique_ptr<EVP_MD_CTX, openssl_deleter<EVP_MD_CTX_free>>;
    static std::mutex one_at_a_time;
    std::scoped_lock const lock(one_at_a_time);
    clear_openssl_errors();
    md_ctx_ptr const by(EVP_MD_CTX_new());
    std::string const hash(hash_of(asked.scheme()));
    EVP_PKEY_CTX* details = nullptr;
    check(by && EVP_DigestSignInit_ex(by.get(), &details, hash.empty() ? nullptr : hash.c_str(),
                                      nullptr, provider_.c_str(), key_.native_handle(),
                                      nullptr) == 1);
    check(set_rsa_padding(details, asked.scheme()));
    std::vector<unsigned char> const& message = asked.message();
    std::size_t size = 0;
    check(EVP_DigestSign(by.get(), nullptr, &size, message.data(), message.size()) == 1);
    signer::signature made(size);
    check(EVP_DigestSign(by.get(), made.data(), &size, message.data(), message.size()) == 1);
    made.resize(size);
    return made;
  }

 private:
  void check(bool done) const {
    if (!done) throw_openssl_error({}, doing_);
  }

  private_key key_;
  std::string provider_;
  std::string doing_;
};

}  // namespace

}  // namespace detail

using namespace detail;

private_key private_key::from_uri(std::string const& uri, key_options const& options) {
  object_store store(uri, OSSL_STORE_INFO_PKEY, options, "loading the private key");
  while (store_info_ptr const found = store.next()) {
    pkey_ptr key(OSSL_STORE_INFO_get1_PKEY(found.get()));
    if (!key || (options.is_rsa_only() && !is_rsa(key.get()))) continue;
    private_key made(std::move(key));
    EVP_PKEY const* const handle = made.native_handle();
    if (!gives_public_part_for_private(handle)) return made;
    provider_signer sign(made, "signing with " + store.name());
    pkey_ptr signing = make_signer_key(handle, std::move(sign));
    return signing ? private_key(std::move(signing)) : made;
  }
  store.refuse(errc::no_private_key_found);
}

}  // namespace cotls
