#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace cotls {

class certificate;
class signer;

/** Which keys a file is searched for, and how the file is written. */
class key_options {
 public:
  key_options() {}

  /** Skips keys that are neither RSA nor RSA-PSS. An encrypted one that does not tell (PKCS #8) is
      decrypted first, so that it must have the same password. */
  key_options& rsa_only(bool value = true) { rsa_only_ = value; return *this; }

  /** Reads DER (ASN.1) instead of PEM: one key, with nothing behind it. */
  key_options& der(bool value = true) { der_ = value; return *this; }

  /** Decrypts an encrypted key with this password. Without one, and without `ask_password`, an
      encrypted key is refused; OpenSSL's prompt on the terminal is never shown. */
  key_options& password(std::string value) {
    password_ = std::move(value);
    return *this;
  }

  /** Asks for the password, on the calling thread and once at the most, when a key turns out to be
      encrypted and no `password` was given. What the function throws, the caller of the load gets.
      The answer is wiped. */
  key_options& ask_password(std::function<std::string()> function) {
    ask_ = std::move(function);
    return *this;
  }

  bool is_rsa_only() const noexcept { return rsa_only_; }
  bool is_der() const noexcept { return der_; }
  std::optional<std::string> const& password() const noexcept { return password_; }
  std::function<std::string()> const& ask() const noexcept { return ask_; }

 private:
  bool rsa_only_ = false;
  bool der_ = false;
  std::optional<std::string> password_;
  std::function<std::string()> ask_;
};

/** A private key: parsed once, immutable, cheap to copy and safe to share between threads.

    @par Errors `errc::no_private_key_found`; `errc::password_required` and `errc::wrong_password`
    for an encrypted key; the system's error when a file cannot be read. The text holds the path and
    OpenSSL's reason.
*/
class private_key {
 public:
  // Copied where it could be moved: none is ever empty.
  private_key(private_key const&) noexcept = default;
  private_key& operator=(private_key const&) noexcept = default;

  /** Takes the first key that the options allow; others before it are skipped. */
  static private_key from_memory(std::string_view data, key_options const& options = key_options());
  static private_key from_file(std::filesystem::path const& path,
                               key_options const& options = key_options());

  /** Loads the first key that a URI stands for and the options allow (ossl_store(7)): of a device,
      `pkcs11:token=web;object=key` (RFC 7512) or `handle:0x81000001` (a TPM's), or of a file in
      whatever format, `file:/etc/key.p12`. OpenSSL knows `file:` alone by itself; the others are
      those of providers that the program, or openssl.cnf, has loaded. A key that cannot leave its
      device signs there, in each handshake, on the thread that performs it. Where OpenSSL would not
      have the device sign (tpm2-openssl 1.1), it is a key as `from_signer` makes it.

      The password is the device's PIN; `der` makes no difference.
      @par Errors `errc::invalid_setting` for a scheme that no provider knows;
      `errc::password_required`, `errc::wrong_password`; `errc::no_private_key_found`; the system's
      error for a file that cannot be read; the provider's. Their text has the URI, without its
      `pin-value`.
      @par Concurrency Waits for the device, on the calling thread. */
  static private_key from_uri(std::string const& uri, key_options const& options = key_options());

  /** Takes a key that signs elsewhere, for the handshakes of servers and of clients, in TLS 1.2 and
      1.3. Of the key itself nothing is known but its public part. It signs, and that is all: a
      handshake in which it would have to decrypt (TLS 1.2 with RSA key transport) fails.

      @param of    The key's certificate.
      @param sign  Called in each handshake that is not resumed, for as long as a copy of the key,
                   or a context or connection that uses it, is there.
      @par Errors `errc::unsupported_key` for a key that is neither RSA nor EC, Ed25519 or Ed448. A
      context whose `library_options` ask for what only providers of OpenSSL's have (`"fips=yes"`)
      refuses the key: `errc::invalid_setting`. */
  static private_key from_signer(certificate const& of, signer sign);

  /** The same by the public key, as PEM (`BEGIN PUBLIC KEY`, RFC 7468 section 13).
      @par Errors `errc::no_public_key_found`, `errc::unsupported_key` */
  static private_key from_signer(std::string_view public_key, signer sign);

  /** Makes a new P-256 key. @par Errors OpenSSL's */
  static private_key generate();

  /** Takes a new reference to an existing OpenSSL object, which must not be null. */
  static private_key from_native(evp_pkey_st* handle);

  /** Returns the key as unencrypted PKCS #8 PEM (RFC 5958).
      @par Errors OpenSSL's, for a key that it cannot see, such as one in hardware */
  std::string pem() const;

  /** Returns the kind and size, as people name it: `"EC P-256"`, `"RSA 2048"`, `"ED25519"`. */
  std::string kind() const;

  /** Returns OpenSSL's object, which lives as long as a copy of this. */
  evp_pkey_st* native_handle() const noexcept { return handle_.get(); }

 private:
  explicit private_key(std::shared_ptr<evp_pkey_st> handle) noexcept : handle_(std::move(handle)) {}
  std::shared_ptr<evp_pkey_st> handle_;
};

}  // namespace cotls
