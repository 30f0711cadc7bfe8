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

  /** Has certificates of peers decoded with all that the default context has, also with OpenSSL
      before 3.2, where that takes a tenth of a handshake. Otherwise contexts of these versions have
      their algorithms from a library context of ours with fewer decoders: the same algorithms, as
      long as nothing but OpenSSL's default provider is active and FIPS is not asked for. What the
      program does to the default context after a context was made of it (loads a provider, sets
      properties or a random number generator) has no effect on that one then, unless this is said. */
  library_options& all_decoders(bool on) noexcept { all_decoders_ = on; return *this; }

  bool all_decoders() const noexcept { return all_decoders_; }
  ossl_lib_ctx_st* library() const noexcept { return library_; }
  std::string const& properties() const noexcept { return properties_; }

 private:
  ossl_lib_ctx_st* library_ = nullptr;
  std::string properties_;
  bool all_decoders_ = false;
};

}  // namespace cotls
