#pragma once

#include <string>
#include <utility>

struct ossl_lib_ctx_st;

namespace cotls {

/** Where a context has its algorithms from, if not from whatever OpenSSL has loaded by default
    (`SSL_CTX_new_ex`). Certificates and keys may have been loaded anywhere. */
class library_options {
 public:
  library_options() {}

  /** A library context of the program's (`OSSL_LIB_CTX_new`), with the providers that were loaded
      into it; null: the default one. It must outlive all contexts and connections that use it. */
  library_options& library(ossl_lib_ctx_st* own) noexcept { library_ = own; return *this; }

  /** What algorithms must have, as a property query (property(7)): `"fips=yes"`. A context that
      finds none cannot be made: `errc::invalid_setting`. */
  library_options& properties(std::string query) {
    properties_ = std::move(query);
    return *this;
  }

  ossl_lib_ctx_st* library() const noexcept { return library_; }
  std::string const& properties() const noexcept { return properties_; }

 private:
  ossl_lib_ctx_st* library_ = nullptr;
  std::string properties_;
};

}  // namespace cotls
