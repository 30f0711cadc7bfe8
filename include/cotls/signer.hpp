#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotls {

/** How TLS has a message signed, by its number on the wire (RFC 8446 section 4.2.3; those of
    SHA-224 are RFC 5246's). In TLS 1.2 those of ECDSA say nothing of the curve. */
enum class signature_scheme : std::uint16_t {
  rsa_pkcs1_sha1 = 0x0201,
  ecdsa_sha1 = 0x0203,
  rsa_pkcs1_sha224 = 0x0301,
  ecdsa_sha224 = 0x0303,
  rsa_pkcs1_sha256 = 0x0401,
  ecdsa_secp256r1_sha256 = 0x0403,
  rsa_pkcs1_sha384 = 0x0501,
  ecdsa_secp384r1_sha384 = 0x0503,
  rsa_pkcs1_sha512 = 0x0601,
  ecdsa_secp521r1_sha512 = 0x0603,
  rsa_pss_rsae_sha256 = 0x0804,   ///< The salt is as long as the digest, as in all of RSA-PSS.
  rsa_pss_rsae_sha384 = 0x0805,
  rsa_pss_rsae_sha512 = 0x0806,
  ed25519 = 0x0807,
  ed448 = 0x0808,
  rsa_pss_pss_sha256 = 0x0809,   ///< By a key whose certificate says "RSASSA-PSS".
  rsa_pss_pss_sha384 = 0x080a,
  rsa_pss_pss_sha512 = 0x080b,
};

/** Returns the scheme's name, spelled as its enumerator (`"rsa_pss_rsae_sha256"`). */
std::string_view to_string(signature_scheme value) noexcept;

/** Returns the hash function of a scheme, by OpenSSL's name (`"SHA2-256"`); of Ed25519 and Ed448,
    which are given the message itself, an empty text. */
std::string_view hash_of(signature_scheme value) noexcept;

/** What a handshake wants to have signed. */
class signature_request {
 public:
  signature_request(signature_scheme scheme, std::vector<unsigned char> message)
      : scheme_(scheme), message_(std::move(message)) {}

  signature_scheme scheme() const noexcept { return scheme_; }

  /** Returns what is signed, before any hash. In TLS 1.3 it says so itself: 64 spaces and "TLS 1.3,
      server CertificateVerify" or "client" (RFC 8446 section 4.4.3). */
  std::vector<unsigned char> const& message() const& noexcept { return message_; }
  std::vector<unsigned char> message() && noexcept { return std::move(message_); }

  /** Returns the message's digest by `hash_of` the scheme: for devices that take that. Empty for
      Ed25519 and Ed448. @par Errors OpenSSL's, when there is no memory */
  std::vector<unsigned char> digest() const;

 private:
  signature_scheme scheme_;
  std::vector<unsigned char> message_;
};

/** Signs for a key that this process does not have: a function of the program's, which may ask a
    device, a service or another process (`private_key::from_signer`). It returns the signature, or
    an `asio::awaitable` of it.

    A signature has the form it has on the wire: of RSA, as many bytes as the modulus; of ECDSA, an
    `Ecdsa-Sig-Value` in DER (RFC 3279 section 2.2.3; PKCS #11 gives the two numbers bare); of
    Ed25519 and Ed448, 64 and 114 bytes (RFC 8032). It is not verified here: a peer refuses a wrong
    one.

    A function that returns its signature is called on the thread that performs the handshake. One
    that returns an awaitable is awaited on the stream's executor, on a strand of its own, as far as
    the handshake's deadline, and no thread waits for it; of blocking streams, on the calling
    thread. Late authentication (`set_late_authentication`), renegotiations, and connections that
    others make with a context of ours cannot wait: there it has not signed.

    @par Errors What the function throws, and a signature that cannot be one, end the handshake with
    the alert internal_error. The connection's failure is `errc::signer_failed`, with the text of
    the exception.
    @par Concurrency Of several handshakes at once, several calls at once.
    @par Cancellation The handshake's, and its deadline, are passed on to the awaitable, and end the
    handshake at once, which cannot be gone on with: `errc::answer_abandoned`. */
class signer {
 public:
  using signature = std::vector<unsigned char>;

  /** Not explicit: where a signer is taken, so is its function. */
  template <class Function>
    requires std::is_invocable_r_v<signature, Function&, signature_request const&>
  signer(Function sign) : sign_(std::move(sign)) {}

  template <class Function>
    requires std::is_invocable_r_v<boost::asio::awaitable<signature>, Function&,
                                   signature_request const&>
  signer(Function sign)
      : waiting_(std::make_shared<waiting_function const>(std::move(sign))) {}

  /** Tells whether the signature is awaited. */
  bool waits() const noexcept { return waiting_ != nullptr; }

  /** Has a message signed by a function that does not wait, or by one that does; the request must
      live as long. @par Errors Whatever the function throws */
  signature sign(signature_request const& request) const { return sign_(request); }
  boost::asio::awaitable<signature> async_sign(signature_request const& request) const {
    return (*waiting_)(request);
  }

 private:
  using waiting_function =
      std::function<boost::asio::awaitable<signature>(signature_request const&)>;

  std::function<signature(signature_request const&)> sign_;
  std::shared_ptr<waiting_function const> waiting_;
};

}  // namespace cotls
