#include <cotls/key_pin.hpp>

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>

namespace cotls {

namespace {

using namespace detail;

constexpr std::string_view prefix = "sha256/";
constexpr std::size_t encoded_size = 44;

// What EVP_EncodeBlock and EVP_DecodeBlock make of three bytes and four characters at a time.
std::string encode(std::array<unsigned char, 32> const& digest) {
  std::array<unsigned char, encoded_size + 1> text{};
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {text.begin(), text.begin() + encoded_size};
}

}  // namespace

key_pin key_pin::parse(std::string_view base64) {
  std::string_view text = base64;
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  std::array<unsigned char, encoded_size / 4 * 3> decoded{};
  bool const read =
      text.size() == encoded_size &&
      EVP_DecodeBlock(decoded.data(), reinterpret_cast<unsigned char const*>(text.data()),
                      static_cast<int>(text.size())) == static_cast<int>(decoded.size());
  std::array<unsigned char, 32> digest;
  std::copy_n(decoded.begin(), digest.size(), digest.begin());
  // OpenSSL passes over spaces, and over what is behind the last byte.
  if (read && encode(digest) == text) return digest;
  fail(errc::invalid_setting,
       "reading the pin \"" + std::string(base64) + "\", which is no SHA-256 digest in base64,");
}

key_pin key_pin::of(certificate const& holder) {
  clear_openssl_errors();
  unsigned char* written = nullptr;
  int const size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(holder.native_handle()), &written);
  openssl_memory_ptr const info(written);
  std::array<unsigned char, 32> digest;
  unsigned length = 0;
  bool const made = size > 0 && EVP_Digest(info.get(), static_cast<std::size_t>(size),
                                           digest.data(), &length, EVP_sha256(), nullptr) == 1;
  if (!made || length != digest.size()) throw_openssl_error({}, "digesting a public key");
  return digest;
}

std::string key_pin::text() const { return std::string(prefix) + encode(digest_); }

}  // namespace cotls
