// What protocols above TLS take from a connection:
//
//   export_key                     <-  its secrets, as both ends derive them
//   channel_binding: tls-exporter  <-  the same
//                    tls-unique    <-  the first Finished of its handshake
//                    tls-server-end-point  <-  the server's certificate

#include <cotls/detail/engine/ssl_engine.hpp>

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"

#include <boost/asio/error.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <string>

namespace cotls::detail {

namespace {

constexpr std::size_t max_context = 0xffff;   // what RFC 5705 section 4 has two bytes for

// RFC 9266 section 2
constexpr std::string_view binding_label = "EXPORTER-Channel-Binding";
constexpr std::size_t binding_size = 32;

// RFC 5929 section 4.1: "if the certificate's signatureAlgorithm uses a single hash function, and
// that hash function is either MD5 [RFC1321] or SHA-1 [RFC3174], then use SHA-256 [FIPS-180-3]"; it
// is undefined for one that uses none.
EVP_MD const* binding_digest(X509* certificate) noexcept {
  int digest = NID_undef;
  if (X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1) return nullptr;
  if (digest == NID_undef) return nullptr;
  return digest == NID_md5 || digest == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(digest);
}

}  // namespace

// Where TLS 1.2 has no extended master secret, who is in the middle may have made two connections
// have the same keys. RFC 7627 section 5.4: "the client or server MUST NOT export any key material
// based on the new master secret for any subsequent application-level authentication."
void ssl_engine::check_keys(char const* doing) const {
  if (!was_opened(phase_)) detail::fail(errc::handshake_not_done, doing);
  if (!has_extended_master_secret()) detail::fail(errc::no_extended_master_secret, doing);
}

std::vector<unsigned char> ssl_engine::export_key(std::string_view label,
                                                  std::optional<asio::const_buffer> context,
                                                  std::size_t length) const {
  constexpr char const* doing = "exporting a key";
  check_keys(doing);
  // OpenSSL would cut the length of a longer context.
  if (length == 0 || (context && context->size() > max_context)) {
    detail::fail(asio::error::invalid_argument, doing);
  }
  asio::const_buffer const given = context.value_or(asio::const_buffer());
  std::vector<unsigned char> key(length);
  clear_openssl_errors();
  if (SSL_export_keying_material(ssl_.get(), key.data(), key.size(), label.data(), label.size(),
                                 static_cast<unsigned char const*>(given.data()), given.size(),
                                 context ? 1 : 0) != 1) {
    throw_openssl_error({}, doing);
  }
  return key;
}

std::vector<unsigned char> ssl_engine::channel_binding(channel_binding_kind kind) const {
  std::string const doing = "asking for the channel binding " + std::string(to_string(kind));
  if (kind == channel_binding_kind::tls_server_end_point) {
    if (!was_opened(phase_)) detail::fail(errc::handshake_not_done, doing);
    std::vector<unsigned char> digest = digest_of_server();
    if (digest.empty()) detail::fail(errc::no_channel_binding, doing);
    return digest;
  }
  check_keys(doing.c_str());
  bool const unique = kind == channel_binding_kind::tls_unique;
  // Either kind is one handshake's. RFC 9266 has none of the exporter's where there may be another;
  // TLS 1.3 has no tls-unique (RFC 8446 appendix C.5).
  bool const defined = unique ? SSL_version(ssl_.get()) < TLS1_3_VERSION : !may_renegotiate();
  if (!defined) detail::fail(errc::no_channel_binding, doing);
  return unique ? first_finished()
                : export_key(binding_label, asio::const_buffer("", 0), binding_size);
}

// RFC 5929 section 3.1: "the first TLS Finished message sent (note: the Finished struct, not the
// TLS record layer message containing it) in the most recent TLS handshake". That is the client's,
// but where a session was resumed the server's (RFC 5246 section 7.3).
std::vector<unsigned char> ssl_engine::first_finished() const {
  bool const servers = SSL_session_reused(ssl_.get()) == 1;
  std::array<unsigned char, EVP_MAX_MD_SIZE> room;
  std::size_t const size = servers == is_server()
                               ? SSL_get_finished(ssl_.get(), room.data(), room.size())
                               : SSL_get_peer_finished(ssl_.get(), room.data(), room.size());
  return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Empty where there is none. (A server of an adopted context with several certificates may have
// shown another before a session of TLS 1.2 was resumed. The ends do not agree then: it fails
// closed.)
std::vector<unsigned char> ssl_engine::digest_of_server() const {
  X509* const certificate = is_server() ? SSL_get_certificate(ssl_.get())
                                        : SSL_get0_peer_certificate(ssl_.get());
  EVP_MD const* const kind = certificate ? binding_digest(certificate) : nullptr;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  clear_openssl_errors();
  bool const made = kind && X509_digest(certificate, kind, digest.data(), &size) == 1;
  clear_openssl_errors();   // of a digest that this OpenSSL has only a name for
  return {digest.begin(), digest.begin() + (made ? size : 0)};
}

}  // namespace cotls::detail
