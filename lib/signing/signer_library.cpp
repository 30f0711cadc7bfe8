// Keys that sign elsewhere, as a provider within the library (provider(7)):
//
//   SSL_do_handshake -> EVP_DigestSign -> signing::sign -> the program's function -> signature
//
// OpenSSL would rather have its own provider sign, and asks for the private part to be exported to
// it. That is refused (signer_key.cpp), so that it falls back on the provider that the key is of
// (m_sigver.c, from OpenSSL 3.0.1 on). The rest, comparing and measuring keys, is the default
// provider's work on the public part.
//
// It is loaded into a library context of its own: in the default one it would keep OpenSSL from
// loading its own providers by itself, and programs that ask for "EC" might be given ours. A key
// brings its provider with it into whatever context it is used in.

#include "signing/signer_library.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "signing/dispatch.hpp"
#include "signing/signature.hpp"
#include "signing/signer_key.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include <memory>

namespace cotls::detail {

namespace {

struct signer_provider {
  static OSSL_ALGORITHM const* query(void*, int operation, int* must_not_be_kept) noexcept {
    *must_not_be_kept = 0;
    switch (operation) {
      case OSSL_OP_KEYMGMT: return signer_key_managements();
      case OSSL_OP_SIGNATURE: return signer_signatures();
      case OSSL_OP_ASYM_CIPHER: return signer_decryptions();
      default: return nullptr;
    }
  }

  static int begin(OSSL_CORE_HANDLE const* core, OSSL_DISPATCH const*,
                   OSSL_DISPATCH const** functions, void** made) noexcept {
    static OSSL_DISPATCH const all[] = {dispatch(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                        {0, nullptr}};
    *functions = all;
    *made = const_cast<OSSL_CORE_HANDLE*>(core);
    return 1;
  }
};

OSSL_LIB_CTX* make_signers_library() {
  using library_ptr = std::unique_ptr<OSSL_LIB_CTX, openssl_deleter<OSSL_LIB_CTX_free>>;
  clear_openssl_errors();
  library_ptr made(OSSL_LIB_CTX_new());
  bool const loaded =
      made && OSSL_PROVIDER_load(made.get(), "default") &&
      OSSL_PROVIDER_add_builtin(made.get(), signers_provider, signer_provider::begin) == 1 &&
      OSSL_PROVIDER_load(made.get(), signers_provider);
  if (!loaded) throw_openssl_error({}, "using a signer");
  return made.release();
}

}  // namespace

OSSL_LIB_CTX* signers_library() {
  static OSSL_LIB_CTX* const made = make_signers_library();
  return made;
}

}  // namespace cotls::detail
