// OSSL_STORE (ossl_store(7)). OpenSSL asks for a password by a callback amid its calls: what goes
// wrong in there waits until the call has returned, for no exception may cross it.

#include "identity/object_store.hpp"

#include <cotls/certificate.hpp>

#include "error/fail.hpp"

#include <openssl/err.h>
#include <openssl/storeerr.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace cotls {

namespace detail {

namespace {

// A text that is neither PEM nor DER is found to be nothing by pieces, and a device that has gone
// may fail for ever.
constexpr int max_failures = 1000;

// A URI may hold the PIN (RFC 7512 section 2.4), which is nobody's business who reads an error.
std::string without_pin(std::string text) {
  constexpr std::string_view attribute = "pin-value=";
  for (std::size_t at = 0; (at = text.find(attribute, at)) != std::string::npos;) {
    at += attribute.size();
    std::size_t const end = std::min(text.find_first_of("&;) \n", at), text.size());
    text.replace(at, end - at, "***");
  }
  return text;
}

bool is_unknown_scheme(openssl_error const& taken) noexcept {
  int const reason = ERR_GET_REASON(taken.code);
  return ERR_GET_LIB(taken.code) == ERR_LIB_OSSL_STORE &&
         (reason == ERR_R_UNSUPPORTED || reason == OSSL_STORE_R_UNREGISTERED_SCHEME);
}

}  // namespace

object_store::object_store(std::string const& uri, int kind, key_options const& options,
                           std::string const& doing)
    : name_(without_pin(uri)), doing_(doing + ' ' + name_), kind_(kind), password_(options) {
  clear_openssl_errors();
  prompt_.reset(UI_UTIL_wrap_read_pem_callback(on_password, 0));
  if (!prompt_) throw_openssl_error({}, doing_);
  store_.reset(OSSL_STORE_open(uri.c_str(), prompt_.get(), this, nullptr, nullptr));
  openssl_error taken = take_openssl_error();
  if (!store_) {
    check_password(taken);
    refuse(is_unknown_scheme(taken) ? make_error_code(errc::invalid_setting) : error_code(),
           std::move(taken));
  }
  // A hint, by which a device need not be searched for the rest; a store may not know it.
  OSSL_STORE_expect(store_.get(), kind);
  clear_openssl_errors();
}

store_info_ptr object_store::next() {
  for (int failures = 0; failures < max_failures && OSSL_STORE_eof(store_.get()) == 0;) {
    store_info_ptr found = load();
    if (!found) ++failures;
    else if (OSSL_STORE_INFO_get_type(found.get()) == kind_) return found;
  }
  return nullptr;
}

store_info_ptr object_store::load() {
  asked_ = false;
  clear_openssl_errors();
  store_info_ptr found(OSSL_STORE_load(store_.get()));
  openssl_error taken = take_openssl_error();
  if (found) return found;
  check_password(taken);
  if (taken.code != 0) last_ = std::move(taken);
  return nullptr;
}

void object_store::check_password(openssl_error& taken) {
  if (not_answered_) std::rethrow_exception(std::exchange(not_answered_, nullptr));
  if (asked_ && taken.code != 0) refuse(errc::wrong_password, std::move(taken));
}

// A device may find nothing, and not say why, when its PIN is wrong.
void object_store::refuse(errc reason) {
  if (was_asked_ && last_.code == 0) doing_ += " (with a password, which may be wrong)";
  refuse(make_error_code(reason), std::move(last_));
}

void object_store::refuse(error_code reason, openssl_error taken) {
  taken.stack = without_pin(std::move(taken.stack));
  throw_openssl_error(reason, doing_, std::move(taken));
}

int object_store::on_password(char* buffer, int size, int, void* store) {
  auto& self = *static_cast<object_store*>(store);
  self.asked_ = self.was_asked_ = true;
  try {
    return give_password(buffer, size, &self.password_.value(self.doing_));
  } catch (...) {
    self.not_answered_ = std::current_exception();
    return -1;
  }
}

}  // namespace detail

using namespace detail;

certificate_chain certificate_chain::from_uri(std::string const& uri) {
  return from_uri(uri, key_options());
}

certificate_chain certificate_chain::from_uri(std::string const& uri, key_options const& options) {
  object_store store(uri, OSSL_STORE_INFO_CERT, options, "loading the certificate chain");
  std::vector<certificate> found;
  while (store_info_ptr const next = store.next()) {
    x509_ptr const one(OSSL_STORE_INFO_get1_CERT(next.get()));
    if (one) found.push_back(certificate::from_native(one.get()));
  }
  if (found.empty()) store.refuse(errc::no_certificate_found);
  return certificate_chain(std::move(found));
}

}  // namespace cotls
