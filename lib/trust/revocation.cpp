// OpenSSL's own check does the work, told to look at every certificate of the chain. What it says
// of a list that is not there is judged before the verify callback hears of it:
//
//   a list of the issuer is there, but is none for the certificate   -> refused
//   there is none: for the root, or for an authority                 -> as if not asked
//   there is none: for the end entity                                -> refused, where required
//
// `revocation_options` moves the last two lines: they are the store's.

#include "trust/revocation.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace cotls::detail {

namespace {

struct crl_stack_deleter {
  void operator()(STACK_OF(X509_CRL)* stack) const noexcept {
    sk_X509_CRL_pop_free(stack, X509_CRL_free);
  }
};
using crl_stack_ptr = std::unique_ptr<STACK_OF(X509_CRL), crl_stack_deleter>;

// One verification's check, while it lasts.
struct inquiry {
  X509_STORE_CTX_verify_cb callback;   // of whoever verifies
  unsigned long required;              // X509_V_FLAG_CRL_CHECK…, as it was set
  revocation_options policy;
  int error;                           // which that callback may have accepted
};

int place() {
  static int const index =
      X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

X509_STORE_CTX_check_revocation_fn openssls_check() {
  static X509_STORE_CTX_check_revocation_fn const found = [] {
    x509_store_ctx_ptr const plain(X509_STORE_CTX_new());
    bool const made =
        plain && X509_STORE_CTX_init(plain.get(), nullptr, nullptr, nullptr) == 1;
    return made ? X509_STORE_CTX_get_check_revocation(plain.get()) : nullptr;
  }();
  return found;
}

// A policy is three bits in the store.
constexpr std::uintptr_t whole_chain = 1;
constexpr std::uintptr_t allow_missing = 2;
constexpr std::uintptr_t allow_expired = 4;

int place_in_store() {
  static int const index = X509_STORE_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

revocation_options policy_of(X509_STORE_CTX* of) {
  void* const stored = X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(of), place_in_store());
  auto const bits = reinterpret_cast<std::uintptr_t>(stored);
  return revocation_options()
      .whole_chain((bits & whole_chain) != 0)
      .allow_missing((bits & allow_missing) != 0)
      .allow_expired((bits & allow_expired) != 0);
}

bool may_be_missing(inquiry const& asked, X509_STORE_CTX* of) {
  if ((asked.required & X509_V_FLAG_CRL_CHECK_ALL) != 0) return false;
  X509_NAME const* const issuer = X509_get_issuer_name(X509_STORE_CTX_get_current_cert(of));
  crl_stack_ptr const lists(X509_STORE_CTX_get1_crls(of, issuer));
  if (sk_X509_CRL_num(lists.get()) > 0) return false;
  int const depth = X509_STORE_CTX_get_error_depth(of);
  bool const is_anchor = depth == sk_X509_num(X509_STORE_CTX_get0_chain(of)) - 1;
  if (is_anchor || asked.policy.allow_missing()) return true;
  return !asked.policy.whole_chain() && (depth > 0 || asked.required == 0);
}

bool is_put_up_with(inquiry const& asked, X509_STORE_CTX* of) {
  switch (X509_STORE_CTX_get_error(of)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL: return may_be_missing(asked, of);
    case X509_V_ERR_CRL_HAS_EXPIRED: return asked.policy.allow_expired();
    default: return false;
  }
}

int on_finding(int accepted, X509_STORE_CTX* of) {
  auto* const asked = static_cast<inquiry*>(X509_STORE_CTX_get_ex_data(of, place()));
  if (!asked) return accepted;   // a list's own chain is being verified
  if (accepted != 0 || !is_put_up_with(*asked, of)) {
    accepted = asked->callback(accepted, of);
    asked->error = X509_STORE_CTX_get_error(of);
    return accepted;
  }
  X509_STORE_CTX_set_error(of, asked->error);
  return 1;
}

int check(X509_STORE_CTX* of) {
  bool const of_a_list = X509_STORE_CTX_get_verify_cb(of) == on_finding;
  if (of_a_list) return openssls_check()(of);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(of);
  constexpr unsigned long all = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  inquiry asked{X509_STORE_CTX_get_verify_cb(of), X509_VERIFY_PARAM_get_flags(parameters) & all,
                policy_of(of), X509_STORE_CTX_get_error(of)};
  bool const ready = openssls_check() &&
                     X509_STORE_CTX_set_ex_data(of, place(), &asked) == 1 &&
                     X509_VERIFY_PARAM_set_flags(parameters, all) == 1;
  if (!ready) {
    X509_STORE_CTX_set_error(of, X509_V_ERR_OUT_OF_MEM);
    return 0;   // fails closed
  }
  X509_STORE_CTX_set_verify_cb(of, on_finding);
  int const passed = openssls_check()(of);
  X509_STORE_CTX_set_verify_cb(of, asked.callback);
  X509_STORE_CTX_set_ex_data(of, place(), nullptr);
  return passed;
}

bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }

}  // namespace

void heed_revocation_lists(X509_STORE* store) { X509_STORE_set_check_revocation(store, check); }

void require_revocation_lists(X509_STORE* store) {
  heed_revocation_lists(store);
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

void set_revocation_policy(X509_STORE* store, revocation_options const& policy) {
  std::uintptr_t bits = 0;
  if (policy.whole_chain()) bits |= whole_chain;
  if (policy.allow_missing()) bits |= allow_missing;
  if (policy.allow_expired()) bits |= allow_expired;
  clear_openssl_errors();
  heed_revocation_lists(store);
  if (X509_STORE_set_ex_data(store, place_in_store(), reinterpret_cast<void*>(bits)) != 1) {
    throw_openssl_error({}, "set_revocation");
  }
}

bool has_revocation_lists(std::filesystem::path const& directory) {
  std::error_code failed;
  for (auto entry = std::filesystem::directory_iterator(directory, failed);
       !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    std::string const kind = entry->path().extension().string();
    bool const numbered = kind.size() > 2 && std::all_of(kind.begin() + 2, kind.end(), is_digit);
    if (kind.starts_with(".r") && numbered) return true;
  }
  return false;
}

}  // namespace cotls::detail
