#pragma once

#include <cotls/certificate.hpp>
#include <cotls/private_key.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cotls {

/** A certificate chain together with the private key of its first certificate. */
class identity {
 public:
  /** @par Errors `errc::wrong_chain_order` when the key is that of a later certificate, otherwise
      `errc::key_mismatch` */
  identity(certificate_chain chain, private_key key);

  /** Reads a PKCS #12 file (RFC 7292; `.p12`, `.pfx`): its first key, that key's certificate, and
      those of the issuers that are in the file, put in order. The root, which peers have by
      themselves, is left out, and so are certificates of others.

      @param data     The file's bytes.
      @param options  The password, and how to ask for it once it is needed; `der` makes no
                      difference, for PKCS #12 always is.
      @par Errors `errc::no_private_key_found` for bytes that are no PKCS #12, or without a key that
      the options allow; `errc::no_certificate_found` when the key's certificate is not there;
      `errc::password_required`, `errc::wrong_password`; OpenSSL's `unsupported` for files of old
      that are encrypted with RC2, for which the program must load the provider "legacy"; the
      system's error when a file cannot be read. */
  static identity from_pkcs12(std::string_view data, key_options const& options = key_options());
  static identity from_pkcs12_file(std::filesystem::path const& path,
                                   key_options const& options = key_options());

  certificate_chain const& chain() const& noexcept { return chain_; }
  private_key const& key() const& noexcept { return key_; }

  // Of an identity that is about to go.
  certificate_chain chain() && noexcept { return chain_; }
  private_key key() && noexcept { return key_; }

 private:
  certificate_chain chain_;
  private_key key_;
};

/** How `make_self_signed` makes its certificate. */
class self_signed_options {
 public:
  self_signed_options() {}

  /** Validity, in seconds from now; may lie in the past, for tests. It ends with the year 9999 at
      the latest. By default from an hour ago until 7 days from now. */
  self_signed_options& valid(std::chrono::seconds from, std::chrono::seconds until) {
    from_ = from;
    until_ = until;
    return *this;
  }

  std::chrono::seconds from() const noexcept { return from_; }
  std::chrono::seconds until() const noexcept { return until_; }

 private:
  std::chrono::seconds from_ = -std::chrono::hours(1);
  std::chrono::seconds until_ = std::chrono::hours(24 * 7);
};

/** Makes a P-256 key and a certificate for these names, signed by itself.

    For demonstrations and tests: a client that takes the certificate as its only root trusts it.
    A name that is an IP address becomes an address in subjectAltName; the rest become DNS names,
    whose first label may be a wildcard (RFC 9525 section 6.3).
    @param names At least one; the first 64 bytes of the first are also the subject's common name.
    @par Errors `errc::invalid_host_name` for no names, or one that no client could verify;
    OpenSSL's.
*/
identity make_self_signed(std::vector<std::string> const& names,
                          self_signed_options const& options = self_signed_options());

}  // namespace cotls
