#pragma once

#include <cotls/certificate.hpp>

#include <array>
#include <concepts>
#include <string>
#include <string_view>

namespace cotls {

/** What a public key is known by: the SHA-256 digest of its SubjectPublicKeyInfo (RFC 7469 section
    2.4). It stays the same when a certificate is renewed with the same key. */
class key_pin {
 public:
  /** Not explicit: where a pin is taken, so is its text in base64, of 44 characters, with `sha256/`
      before it or without.
      @par Errors `errc::invalid_setting` */
  template <class Text>
    requires std::convertible_to<Text const&, std::string_view>
  key_pin(Text const& base64) : key_pin(parse(base64)) {}

  key_pin(std::array<unsigned char, 32> const& digest) noexcept : digest_(digest) {}

  /** Returns the pin of a certificate's key.
      @par Errors OpenSSL's, when there is no memory */
  static key_pin of(certificate const& holder);

  /** Returns the digest in base64, with `sha256/` before it. */
  std::string text() const;

  std::array<unsigned char, 32> const& digest() const& noexcept { return digest_; }

  bool operator==(key_pin const&) const = default;

 private:
  static key_pin parse(std::string_view base64);

  std::array<unsigned char, 32> digest_;
};

}  // namespace cotls
