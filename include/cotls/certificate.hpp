#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace cotls {

class key_options;

/** An X.509 certificate: parsed once, immutable, cheap to copy, safe to share between threads. It
    is copied where it could be moved, so that none is ever empty; so are chains and identities. */
class certificate {
 public:
  certificate(certificate const&) noexcept = default;
  certificate& operator=(certificate const&) noexcept = default;

  /** Parses the first certificate of a PEM text.

      @par Errors `errc::no_certificate_found`; OpenSSL's reason is in the error's text.
  */
  static certificate from_pem(std::string_view pem);

  /** Parses one DER certificate; trailing bytes are refused. Errors as `from_pem`. */
  static certificate from_der(std::span<unsigned char const> der);

  /** Takes a new reference to an existing OpenSSL object, which must not be null. */
  static certificate from_native(x509_st* handle);

  std::string pem() const;
  std::vector<unsigned char> der() const;

  /** Returns the subject, or issuer, as one line (RFC 2253: `CN=localhost,O=Example`). */
  std::string subject() const;
  std::string issuer() const;

  /** Returns the DNS names and IP addresses of the subjectAltName extension, in its order. */
  std::vector<std::string> names() const;

  /** Returns the names of one kind, in the order of the extension: DNS names, IP addresses as text,
      URIs and e-mail addresses. A name is given as it is, whatever bytes it has. */
  std::vector<std::string> dns_names() const;
  std::vector<std::string> ip_names() const;
  std::vector<std::string> uri_names() const;
  std::vector<std::string> email_names() const;

  /** Returns the SPIFFE ID: the one URI of the certificate, if that is one
      (`spiffe://example.org/billing`). Empty where it is none, where there is no URI, and where
      there are several: "Validators encountering an SVID containing more than one URI SAN MUST
      reject the SVID" (X509-SVID section 2). Who has signed it is not looked at. */
  std::string spiffe_id() const;

  /** Tells whether the certificate identifies a workload of a SPIFFE trust domain (X509-SVID
      section 5.2): it has a SPIFFE ID of that domain with a path, and is no authority's. Its dates,
      its issuer and its signature are not looked at: `peer_info::in_trust_domain` does that, too.
      @param domain  In small letters, as it stands in the ID: `"example.org"`. */
  bool in_trust_domain(std::string_view domain) const;

  /** Returns the bounds of the validity. A time that the clock cannot hold, such as the year 9999,
      becomes the nearest that it can; one that cannot be read, the clock's epoch. */
  std::chrono::system_clock::time_point not_before() const;
  std::chrono::system_clock::time_point not_after() const;

  /** Returns the serial number as hexadecimal digits, two a byte: `"01"`, `"04FE2A"`; one that is
      negative, against RFC 5280 section 4.1.2.2, begins with `-`. */
  std::string serial_number() const;

  /** Returns the kind and size of the public key, as people name it: `"EC P-256"`, `"RSA 2048"`, or
      `"unknown"`. */
  std::string key_kind() const;

  /** Returns the algorithm of the issuer's signature by OpenSSL's name: `"ecdsa-with-SHA256"`, or
      `"unknown"`. */
  std::string signature_algorithm() const;

  /** Returns the SHA-256 digest of the certificate as people compare it: 32 pairs of hexadecimal
      digits with colons between them. */
  std::string fingerprint() const;

  /** Returns the SHA-256 digest of the public key with its algorithm (SubjectPublicKeyInfo,
      RFC 5280 section 4.1), in the same form: what a pin compares, for it stays when a certificate
      is renewed for the same key. */
  std::string public_key_fingerprint() const;

  /** Returns an extension's value, in DER, by its object identifier: `"2.5.29.17"`. None where
      there is no such extension, or more than one against RFC 5280 section 4.2, or the text is no
      object identifier in numbers. */
  std::optional<std::vector<unsigned char>> extension(std::string_view oid) const;

  /** Tells whether the certificate is for a host name or IP address, by its subjectAltName
      extension alone (RFC 9525): a common name does not count, and a wildcard stands for one whole
      label. Its dates, its issuer and its signature are not looked at. False for a text that is no
      host. */
  bool matches(std::string_view host) const;

  /** Returns OpenSSL's object, which lives as long as a copy of this. */
  x509_st* native_handle() const noexcept { return handle_.get(); }

 private:
  explicit certificate(std::shared_ptr<x509_st> handle) noexcept : handle_(std::move(handle)) {}
  std::shared_ptr<x509_st> handle_;
};

/** A certificate chain: the end entity's certificate first, then its issuers (RFC 8446 section
    4.4.2).

    @par Errors `errc::no_certificate_found`, and the system's error when a file cannot be read; the
    text holds the path and OpenSSL's reason.
*/
class certificate_chain {
 public:
  static certificate_chain from_pem(std::string_view pem);
  static certificate_chain from_pem_file(std::filesystem::path const& path);

  /** Reads certificates in DER, one behind the other; mostly there is one. What else is behind them
      is refused. */
  static certificate_chain from_der(std::span<unsigned char const> der);
  static certificate_chain from_der_file(std::filesystem::path const& path);

  /** Loads the certificates that a URI stands for, in the order in which they come, as
      `private_key::from_uri` does a key. Certificates that cannot be read are passed over: for a
      file, `from_pem_file` is stricter.
      @par Errors Those of `private_key::from_uri`, but for `errc::no_certificate_found` */
  static certificate_chain from_uri(std::string const& uri);
  static certificate_chain from_uri(std::string const& uri, key_options const& options);

  explicit certificate_chain(std::vector<certificate> certificates);

  certificate_chain(certificate_chain const&) noexcept = default;
  certificate_chain& operator=(certificate_chain const&) noexcept = default;

  std::vector<certificate> const& certificates() const& noexcept { return *certificates_; }
  certificate const& leaf() const& noexcept { return certificates_->front(); }

  // Of a chain that is about to go.
  std::vector<certificate> certificates() && { return *certificates_; }
  certificate leaf() && noexcept { return certificates_->front(); }

 private:
  std::shared_ptr<std::vector<certificate> const> certificates_;   // never empty
};

}  // namespace cotls
