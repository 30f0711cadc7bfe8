// A private key of which only the public part is here. No exception may cross OpenSSL's functions.

#include "signing/signer_key.hpp"

#include <cotls/certificate.hpp>
#include <cotls/error.hpp>
#include <cotls/private_key.hpp>

#include "error/fail.hpp"
#include "identity/pem_input.hpp"
#include "openssl/openssl_error.hpp"
#include "signing/dispatch.hpp"
#include "signing/signer_library.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/provider.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace cotls {

namespace detail {

namespace {

using pkey_ctx_ptr = std::unique_ptr<EVP_PKEY_CTX, openssl_deleter<EVP_PKEY_CTX_free>>;
using params_ptr = std::unique_ptr<OSSL_PARAM, openssl_deleter<OSSL_PARAM_free>>;

constexpr char signer_parameter[] = "cotls-signer";   // a pointer, valid for the call
constexpr char waits_parameter[] = "cotls-signer-waits";

struct signing_kind_names {
  signing_kind kind;
  char const* name;    // the first of its names, as OpenSSL's own provider has them
  char const* names;
  char const* signs;   // what signs by it
};

constexpr signing_kind_names signing_kinds[] = {
    {signing_kind::rsa, "RSA", "RSA:rsaEncryption:1.2.840.113549.1.1.1", "RSA"},
    {signing_kind::rsa_pss, "RSA-PSS", "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "RSA"},
    {signing_kind::ec, "EC", "EC:id-ecPublicKey:1.2.840.10045.2.1", "ECDSA"},
    {signing_kind::ed25519, "ED25519", "ED25519:1.3.101.112", "ED25519"},
    {signing_kind::ed448, "ED448", "ED448:1.3.101.113", "ED448"},
};

constexpr signing_kind_names const& names_of(signing_kind kind) noexcept {
  return signing_kinds[static_cast<std::size_t>(kind)];
}

pkey_ptr make_public_part(signing_kind kind, OSSL_PARAM const* from) {
  pkey_ctx_ptr const maker(
      EVP_PKEY_CTX_new_from_name(signers_library(), names_of(kind).name, of_openssl));
  EVP_PKEY* made = nullptr;
  if (!maker || EVP_PKEY_fromdata_init(maker.get()) <= 0) return nullptr;
  // It takes what it knows, and only reads it.
  EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(from));
  return pkey_ptr(made);
}

// OpenSSL's functions on keys (provider-keymgmt(7)).
struct key_management {
  template <signing_kind Kind>
  static void* make(void*) noexcept {
    return new (std::nothrow) signer_key{Kind, nullptr, std::nullopt};
  }

  static void destroy(void* key) noexcept { delete static_cast<signer_key*>(key); }

  static int has(void const* key, int parts) noexcept {
    auto const& of = *static_cast<signer_key const*>(key);
    bool const private_too = (parts & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
    return of.public_part && (of.sign || !private_too) ? 1 : 0;
  }

  // Of `make_signer_key`, or another key's public part, to be compared.
  static int import(void* key, int, OSSL_PARAM const* from) noexcept {
    auto& into = *static_cast<signer_key*>(key);
    try {
      into.public_part = make_public_part(into.kind, from);
      if (!into.public_part) return 0;
      if (OSSL_PARAM const* const given = OSSL_PARAM_locate_const(from, signer_parameter)) {
        into.sign = **static_cast<signer* const*>(given->data);
      }
      return 1;
    } catch (...) {
      return 0;
    }
  }

  static OSSL_PARAM const* types(int) noexcept {
    static OSSL_PARAM const known[] = {
        OSSL_PARAM_octet_string(signer_parameter, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
        OSSL_PARAM_END};
    return known;
  }

  // What keeps OpenSSL from signing by itself: the private part is not here.
  static int give(void* key, int parts, OSSL_CALLBACK* to, void* argument) noexcept {
    if ((parts & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return 0;
    OSSL_PARAM* written = nullptr;
    auto const& from = *static_cast<signer_key const*>(key);
    if (EVP_PKEY_todata(from.public_part.get(), EVP_PKEY_PUBLIC_KEY, &written) <= 0) return 0;
    int const taken = to(written, argument);
    OSSL_PARAM_free(written);
    return taken;
  }

  static int match(void const* left, void const* right, int parts) noexcept {
    EVP_PKEY const* const one = static_cast<signer_key const*>(left)->public_part.get();
    EVP_PKEY const* const other = static_cast<signer_key const*>(right)->public_part.get();
    bool const key_too = (parts & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
    return (key_too ? EVP_PKEY_eq(one, other) : EVP_PKEY_parameters_eq(one, other)) == 1;
  }

  static int describe(void* key, OSSL_PARAM* wanted) noexcept {
    auto const& of = *static_cast<signer_key*>(key);
    if (OSSL_PARAM* const waits = OSSL_PARAM_locate(wanted, waits_parameter)) {
      return OSSL_PARAM_set_int(waits, of.sign && of.sign->waits() ? 1 : 0);
    }
    return EVP_PKEY_get_params(of.public_part.get(), wanted);
  }

  static OSSL_PARAM const* describable(void*) noexcept {
    static OSSL_PARAM const known[] = {
        OSSL_PARAM_int(waits_parameter, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
        OSSL_PARAM_END};
    return known;
  }

  template <signing_kind Kind>
  static char const* operation(int which) noexcept {
    return which == OSSL_OP_SIGNATURE ? names_of(Kind).signs : names_of(Kind).name;
  }

  template <signing_kind Kind>
  static OSSL_DISPATCH const* functions() noexcept {
    static OSSL_DISPATCH const all[] = {
        dispatch(OSSL_FUNC_KEYMGMT_NEW, make<Kind>),
        dispatch(OSSL_FUNC_KEYMGMT_FREE, destroy),
        dispatch(OSSL_FUNC_KEYMGMT_HAS, has),
        dispatch(OSSL_FUNC_KEYMGMT_IMPORT, import),
        dispatch(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, types),
        dispatch(OSSL_FUNC_KEYMGMT_EXPORT, give),
        dispatch(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, types),
        dispatch(OSSL_FUNC_KEYMGMT_MATCH, match),
        dispatch(OSSL_FUNC_KEYMGMT_GET_PARAMS, describe),
        dispatch(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, describable),
        dispatch(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation<Kind>),
        {0, nullptr}};
    return all;
  }
};

}  // namespace

OSSL_ALGORITHM const* signer_key_managements() noexcept {
  static OSSL_ALGORITHM const all[] = {
      {names_of(signing_kind::rsa).names, of_signers,
       key_management::functions<signing_kind::rsa>(), nullptr},
      {names_of(signing_kind::rsa_pss).names, of_signers,
       key_management::functions<signing_kind::rsa_pss>(), nullptr},
      {names_of(signing_kind::ec).names, of_signers,
       key_management::functions<signing_kind::ec>(), nullptr},
      {names_of(signing_kind::ed25519).names, of_signers,
       key_management::functions<signing_kind::ed25519>(), nullptr},
      {names_of(signing_kind::ed448).names, of_signers,
       key_management::functions<signing_kind::ed448>(), nullptr},
      {nullptr, nullptr, nullptr, nullptr}};
  return all;
}

pkey_ptr make_signer_key(EVP_PKEY const* public_part, signer sign) {
  auto const known = std::find_if(
      std::begin(signing_kinds), std::end(signing_kinds),
      [&](signing_kind_names const& each) { return EVP_PKEY_is_a(public_part, each.name) == 1; });
  if (known == std::end(signing_kinds)) return nullptr;

  OSSL_LIB_CTX* const library = signers_library();
  clear_openssl_errors();
  OSSL_PARAM* written = nullptr;
  bool const readable = EVP_PKEY_todata(public_part, EVP_PKEY_PUBLIC_KEY, &written) > 0;
  params_ptr const of_key(written);
  signer* given = &sign;
  OSSL_PARAM const of_signer[] = {
      OSSL_PARAM_construct_octet_string(signer_parameter, &given, sizeof given),
      OSSL_PARAM_construct_end()};
  params_ptr const both(readable ? OSSL_PARAM_merge(of_key.get(), of_signer) : nullptr);
  pkey_ctx_ptr const maker(EVP_PKEY_CTX_new_from_name(library, known->name, of_signers));
  EVP_PKEY* made = nullptr;
  bool const taken = both && maker && EVP_PKEY_fromdata_init(maker.get()) > 0 &&
                     EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_KEYPAIR, both.get()) > 0;
  if (!taken) throw_openssl_error({}, "using a signer");
  return pkey_ptr(made);
}

bool waits_for_signer(EVP_PKEY const* key) noexcept {
  int waits = 0;
  return is_signer_key(key) && EVP_PKEY_get_int_param(key, waits_parameter, &waits) == 1 &&
         waits != 0;
}

bool is_signer_key(EVP_PKEY const* key) noexcept {
  OSSL_PROVIDER const* const of = EVP_PKEY_get0_provider(key);
  return of && std::string_view(OSSL_PROVIDER_get0_name(of)) == signers_provider;
}

}  // namespace detail

using namespace detail;

namespace {

pkey_ptr sign_by(EVP_PKEY const* public_part, signer sign) {
  pkey_ptr made = public_part ? make_signer_key(public_part, std::move(sign)) : nullptr;
  if (!made) fail(errc::unsupported_key, "using a signer");
  return made;
}

}  // namespace

private_key private_key::from_signer(certificate const& of, signer sign) {
  return private_key(sign_by(X509_get0_pubkey(of.native_handle()), std::move(sign)));
}

private_key private_key::from_signer(std::string_view public_key, signer sign) {
  clear_openssl_errors();
  bio_ptr const input = bio_over(public_key);
  pkey_ptr const read(PEM_read_bio_PUBKEY(input.get(), nullptr, nullptr, nullptr));
  if (!read) throw_openssl_error(errc::no_public_key_found, "reading a public key");
  return private_key(sign_by(read.get(), std::move(sign)));
}

}  // namespace cotls
