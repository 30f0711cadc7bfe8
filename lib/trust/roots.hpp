#pragma once

#include "openssl/openssl_ptr.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace cotls::detail {

/** Certificates of authorities and revocation lists, as a PEM file or text holds them: at least one
    of either. Keys among them are passed over.

    @par Errors `errc::no_certificate_found`, the system's error for a file that cannot be read.
    @param doing  What the error says was tried: "loading the roots ca.pem". */
class authorities {
 public:
  static authorities from_pem(std::string_view pem, std::string const& doing);
  static authorities from_file(std::filesystem::path const& file, std::string const& doing);

  bool has_certificates() const noexcept { return certificates_ > 0; }
  bool has_revocation_lists() const noexcept { return lists_ > 0; }

  /** Adds all of them to a store, whose verification heeds the lists from then on. */
  void add_to(X509_STORE* store, std::string const& doing) const;

  /** Has a server name the certificates in its requests for one of a client's. */
  void suggest_by(SSL_CTX* server) const;

 private:
  explicit authorities(x509_info_stack_ptr found);

  x509_info_stack_ptr found_;
  int certificates_ = 0;
  int lists_ = 0;
};

/** Throws the system's error for a path that is no directory. */
void check_directory(std::filesystem::path const& directory, std::string const& doing);

/** Tells whether a store holds certificates, those of its directories excepted. */
bool has_certificates(X509_STORE* store);

/** Returns the system's roots, which all contexts that trust nothing else have in common. Never
    freed. */
X509_STORE* system_store();

}  // namespace cotls::detail
