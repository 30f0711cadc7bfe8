// A provider that passes the default one's algorithms on (provider(7)):
//
//   SSL_CTX_new_ex(outer) -> fetches in outer -> query -> OSSL_PROVIDER_query_operation(default)
//                                                 |
//                                                 +--> decoders: a list of few
//
// Its provider context is the default provider's own, so that the functions which it passes on find
// there what they have put there: they run in an inner library context.

#include "openssl/few_decoders.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

namespace cotls::detail {

namespace {

constexpr char passing_on[] = "cotls-default";

OSSL_PROVIDER* everything = nullptr;            // the default provider, of the inner context
std::array<OSSL_ALGORITHM, 32> few{};           // its last one has no name

template <class Function>
OSSL_DISPATCH function(int id, Function* of) noexcept {
  return {id, reinterpret_cast<void (*)()>(of)};
}

OSSL_ALGORITHM const* query(void*, int operation, int* must_not_be_kept) noexcept {
  if (operation != OSSL_OP_DECODER) {
    return OSSL_PROVIDER_query_operation(everything, operation, must_not_be_kept);
  }
  *must_not_be_kept = 0;
  return few.data();
}

int capabilities(void*, char const* which, OSSL_CALLBACK* tell, void* argument) noexcept {
  return OSSL_PROVIDER_get_capabilities(everything, which, tell, argument);
}

int parameters(void*, OSSL_PARAM* wanted) noexcept {
  return OSSL_PROVIDER_get_params(everything, wanted);
}

int begin(OSSL_CORE_HANDLE const*, OSSL_DISPATCH const*, OSSL_DISPATCH const** functions,
          void** context) noexcept {
  static OSSL_DISPATCH const all[] = {
      function(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
      function(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
      function(OSSL_FUNC_PROVIDER_GET_PARAMS, parameters), {0, nullptr}};
  *functions = all;
  *context = OSSL_PROVIDER_get0_provider_ctx(everything);
  return 1;
}

bool reads_certificates(OSSL_ALGORITHM const& decoder) noexcept {
  std::string_view const has = decoder.property_definition;
  auto const says = [has](std::string_view what) { return has.find(what) != has.npos; };
  return says("input=der") && says("structure=SubjectPublicKeyInfo");
}

bool choose_few() noexcept {
  int unused = 0;
  OSSL_ALGORITHM const* each =
      OSSL_PROVIDER_query_operation(everything, OSSL_OP_DECODER, &unused);
  std::size_t count = 0;
  for (; each && each->algorithm_names; ++each) {
    if (!reads_certificates(*each)) continue;
    if (count + 1 == few.size()) return false;
    few[count++] = *each;
  }
  return count > 0;
}

// Neither is freed, for connections may end when the process does.
OSSL_LIB_CTX* make_library() noexcept {
  clear_openssl_errors();
  OSSL_LIB_CTX* const inner = OSSL_LIB_CTX_new();
  everything = inner ? OSSL_PROVIDER_load(inner, "default") : nullptr;
  OSSL_LIB_CTX* const outer = everything && choose_few() ? OSSL_LIB_CTX_new() : nullptr;
  bool const loaded = outer && OSSL_PROVIDER_add_builtin(outer, passing_on, begin) == 1 &&
                      OSSL_PROVIDER_load(outer, passing_on);
  if (loaded) return outer;
  clear_openssl_errors();   // the default context does it, too
  OSSL_LIB_CTX_free(outer);
  return nullptr;
}

// Before anything was fetched, none is active: the default one will be.
int is_default_provider(OSSL_PROVIDER* active, void*) noexcept {
  return std::strcmp(OSSL_PROVIDER_get0_name(active), "default") == 0 ? 1 : 0;
}

bool default_context_is_plain() noexcept {
  bool const is_everybodys =
      OSSL_LIB_CTX_set0_default(nullptr) == OSSL_LIB_CTX_get0_global_default();
  return is_everybodys && OSSL_PROVIDER_do_all(nullptr, is_default_provider, nullptr) == 1 &&
         EVP_default_properties_is_fips_enabled(nullptr) == 0;
}

}  // namespace

bool decoders_are_costly() noexcept { return OpenSSL_version_num() < 0x3020'0000UL; }

OSSL_LIB_CTX* library_of_few_decoders() noexcept {
  if (!decoders_are_costly() || !default_context_is_plain()) return nullptr;
  static OSSL_LIB_CTX* const made = make_library();
  return made;
}

}  // namespace cotls::detail
