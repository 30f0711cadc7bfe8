#pragma once

#include "identity/password_source.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/store.h>
#include <openssl/ui.h>

#include <exception>
#include <memory>
#include <string>

namespace cotls::detail {

using store_info_ptr =
    std::unique_ptr<OSSL_STORE_INFO, openssl_deleter<OSSL_STORE_INFO_free>>;

/** Keys and certificates that a URI stands for, from wherever a provider of OpenSSL's has them. */
class object_store {
 public:
  /** @param kind   Which objects are looked for: `OSSL_STORE_INFO_PKEY` and the like.
      @param doing  What the errors say was tried, the URI aside.
      @par Errors errc::invalid_setting for an unknown scheme, errc::password_required,
      errc::wrong_password, OpenSSL's and the system's */
  object_store(std::string const& uri, int kind, key_options const& options,
               std::string const& doing);
  object_store(object_store const&) = delete;
  object_store& operator=(object_store const&) = delete;

  /** Returns the next object of the kind, and null behind the last.
      @par Errors errc::password_required, errc::wrong_password */
  store_info_ptr next();

  /** Returns the URI, as it may be told: without a PIN. */
  std::string const& name() const noexcept { return name_; }

  /** Throws for a URI that has nothing to give, with what OpenSSL said of it. */
  [[noreturn]] void refuse(errc reason);

 private:
  struct closer {
    void operator()(OSSL_STORE_CTX* store) const noexcept { OSSL_STORE_close(store); }
  };

  static int on_password(char* buffer, int size, int writing, void* store);
  store_info_ptr load();
  void check_password(openssl_error& taken);
  [[noreturn]] void refuse(error_code reason, openssl_error taken);

  std::string name_;
  std::string doing_;
  int kind_;
  password_source password_;
  bool asked_ = false;       // by the last call
  bool was_asked_ = false;   // by any
  std::exception_ptr not_answered_;
  openssl_error last_;   // of an object that could not be read
  std::unique_ptr<UI_METHOD, openssl_deleter<UI_destroy_method>> prompt_;
  std::unique_ptr<OSSL_STORE_CTX, closer> store_;
};

}  // namespace cotls::detail
