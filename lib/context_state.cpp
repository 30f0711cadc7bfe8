// From settings to an SSL_CTX. Most setters write to it at once; the identity and the system's
// roots wait for seal(), which runs once:
//
//   check_identity -> prepare_roots -> install_identity -> share the system's roots -> sealed
//
// A step that throws has changed nothing that a mended context would trip over.

#include "context_state.hpp"

#include <cotls/detail/ssl_engine.hpp>

#include "alpn.hpp"
#include "chain_key.hpp"
#include "cipher_list.hpp"
#include "fail.hpp"
#include "openssl_error.hpp"
#include "openssl_ptr.hpp"
#include "probe.hpp"
#include "resumption.hpp"
#include "revocation.hpp"
#include "roots.hpp"

#include <boost/asio/error.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>

namespace cotls::detail {

namespace {

struct version_range {
  int lowest;    // 0: as OpenSSL and its policy have it
  int highest;   // 0: the newest
};

version_range range_of(protocol versions) noexcept {
  switch (versions) {
    case protocol::secure: return {TLS1_2_VERSION, 0};
    case protocol::sslv2_or_v3: return {0, 0};
    case protocol::sslv2: break;   // refused before
    case protocol::sslv3: return {SSL3_VERSION, SSL3_VERSION};
    case protocol::tls1_0: return {TLS1_VERSION, TLS1_VERSION};
    case protocol::tls1_1: return {TLS1_1_VERSION, TLS1_1_VERSION};
    case protocol::tls1_2: return {TLS1_2_VERSION, TLS1_2_VERSION};
    case protocol::tls1_3: return {TLS1_3_VERSION, TLS1_3_VERSION};
  }
  return {0, 0};
}

bool set_versions(SSL_CTX* ctx, protocol versions) {
  auto [lowest, highest] = range_of(versions);
  // The system may ask for more than TLS 1.2; it is never loosened.
  if (versions == protocol::secure) {
    lowest = std::max(lowest, static_cast<int>(SSL_CTX_get_min_proto_version(ctx)));
  }
  if (lowest != 0 && SSL_CTX_set_min_proto_version(ctx, lowest) != 1) return false;
  if (highest != 0 && SSL_CTX_set_max_proto_version(ctx, highest) != 1) return false;
  // The handshake of these is signed with MD5 and SHA-1, which no level above 0 allows.
  bool const ancient = highest != 0 && highest < TLS1_2_VERSION;
  if (ancient) return SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0") == 1;
  return versions == protocol::sslv2_or_v3 || keep_modern_suites(ctx);
}

void set_common_defaults(SSL_CTX* ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
  // A compressed form of each certificate would be kept: 350 kB (T20).
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_TX_CERTIFICATE_COMPRESSION | SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
  // A truncated stream must not look like a finished one (T12).
  SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
  // What was loaded is what is sent: OpenSSL would otherwise look for the issuers of a lone
  // certificate among the roots, at each handshake.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_clear_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  heed_revocation_lists(SSL_CTX_get_cert_store(ctx));
}

bool set_server_defaults(SSL_CTX* ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  guard_resumption(ctx);
  // A session of one context is never accepted by another (T2).
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> id;
  return RAND_bytes(id.data(), static_cast<int>(id.size())) == 1 &&
         SSL_CTX_set_session_id_context(ctx, id.data(), static_cast<unsigned>(id.size())) == 1 &&
         SSL_CTX_set_num_tickets(ctx, 1) == 1;
}

boost::asio::ssl::context make_native(role end, protocol versions) {
  std::string const doing = "making a context for " + std::string(to_string(versions));
  if (!supported(versions)) fail(errc::unsupported_protocol, doing);
  clear_openssl_errors();
  ssl_ctx_ptr ctx(SSL_CTX_new(end == role::client ? TLS_client_method() : TLS_server_method()));
  if (!ctx) throw_openssl_error({}, doing);
  if (!set_versions(ctx.get(), versions)) throw_openssl_error(errc::unsupported_protocol, doing);
  set_common_defaults(ctx.get());
  if (end == role::server && !set_server_defaults(ctx.get())) throw_openssl_error({}, doing);
  boost::asio::ssl::context native(ctx.get());
  ctx.release();
  return native;
}

boost::asio::ssl::context take_over(boost::asio::ssl::context&& adopted) {
  if (!adopted.native_handle()) {
    fail(boost::asio::error::invalid_argument, "adopting a context that was moved from");
  }
  return std::move(adopted);
}

// Gives a chain, a key or both to a context; false as soon as OpenSSL refuses one.
bool install(SSL_CTX* ctx, certificate_chain const* chain, private_key const* key) {
  if (chain) {
    auto const& certificates = chain->certificates();
    if (SSL_CTX_use_certificate(ctx, certificates.front().native_handle()) != 1) return false;
    if (SSL_CTX_clear_chain_certs(ctx) != 1) return false;
    for (auto issuer = certificates.begin() + 1; issuer != certificates.end(); ++issuer) {
      if (SSL_CTX_add1_chain_cert(ctx, issuer->native_handle()) != 1) return false;
    }
  }
  return !key || SSL_CTX_use_PrivateKey(ctx, key->native_handle()) == 1;
}

}  // namespace

context_state::context_state(role which, protocol versions)
    : end(which), adopted(false), native_(make_native(which, versions)) {
  set_verify(end == role::client ? verify::required : verify::none);
  if (end == role::client) set_session_cache(256);
}

context_state::context_state(role which, boost::asio::ssl::context&& given)
    : end(which), adopted(true), native_(take_over(std::move(given))) {}

void context_state::check_mutable(char const* setter) const {
  if (sealed()) fail(errc::context_sealed, setter);
}

boost::asio::ssl::context& context_state::lend() const {
  if (never_lent_) fail(errc::context_sealed, "the default context, which is everybody's,");
  lent_.store(true, std::memory_order_relaxed);
  return native_;
}

void context_state::seal_for_everybody() {
  seal();
  never_lent_ = true;
}

void context_state::seal() {
  if (sealed()) return;
  std::lock_guard const lock(sealing_);
  if (sealed()) return;
  check_identity();
  X509_STORE* const shared = prepare_roots();
  install_identity();
  if (shared) SSL_CTX_set1_verify_cert_store(handle(), shared);
  sealed_.store(true, std::memory_order_release);
}

X509* context_state::leaf() const noexcept {
  return chain_ ? chain_->leaf().native_handle() : SSL_CTX_get0_certificate(handle());
}

EVP_PKEY* context_state::key() const noexcept {
  return key_ ? key_->native_handle() : SSL_CTX_get0_privatekey(handle());
}

void context_state::use(certificate_chain const& chain, std::string const& doing) {
  X509* const certificate = chain.leaf().native_handle();
  if (key() && !leaf()) check_key_of(chain, key(), doing);
  bool const key_stays = key() && belongs_to(key(), certificate);
  check_installable(&chain, nullptr, doing);
  chain_ = chain;
  if (!key_stays) key_.reset();   // it was the old chain's
}

void context_state::use(private_key const& key, std::string const& doing) {
  if (chain_) check_key_of(*chain_, key.native_handle(), doing);
  else if (leaf()) check_key_of(leaf(), key.native_handle(), doing);
  check_installable(nullptr, &key, doing);
  key_ = key;
}

void context_state::use(identity const& both) {
  check_installable(&both.chain(), &both.key(), "using a certificate chain and its key");
  chain_ = both.chain();
  key_ = both.key();
}

void context_state::check_installable(certificate_chain const* chain, private_key const* key,
                                      std::string const& doing) const {
  ssl_ctx_ptr const probe = make_probe(handle());
  if (!install(probe.get(), chain, key)) throw_openssl_error({}, doing);
}

void context_state::check_identity() const {
  if (adopted && !chain_ && !key_) return;
  if (end == role::client && !leaf() && !key()) return;
  if (leaf() && key() && belongs_to(key(), leaf())) return;
  fail(errc::no_certificate, end == role::client ? "using the client's certificate"
                                                 : "using the server's context");
}

void context_state::install_identity() {
  clear_openssl_errors();
  if (install(handle(), chain_ ? &*chain_ : nullptr, key_ ? &*key_ : nullptr)) return;
  throw_openssl_error({}, "using the certificate chain and its key");
}

void context_state::load_roots(std::filesystem::path const& file,
                               std::filesystem::path const& directory) {
  if (file.empty() && directory.empty()) {
    fail(errc::no_certificate_found, "loading roots from no file and no directory");
  }
  std::optional<authorities> found;
  std::string const loading = "loading the roots " + file.string();
  if (!file.empty()) found = authorities::from_file(file, loading);
  if (!directory.empty()) use_directory(directory);
  if (found) take_in(*found, loading);
}

void context_state::use_directory(std::filesystem::path const& directory) {
  std::string const doing = "using the directory of roots " + directory.string();
  check_directory(directory, doing);
  clear_openssl_errors();
  if (SSL_CTX_load_verify_dir(handle(), directory.string().c_str()) != 1) {
    throw_openssl_error({}, doing);
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(handle());
  heed_revocation_lists(store);
  if (has_revocation_lists(directory)) require_revocation_lists(store);
  roots_loaded_ = true;
}

void context_state::add_roots(std::string_view pem) {
  std::string const doing = "adding roots";
  take_in(authorities::from_pem(pem, doing), doing);
}

void context_state::take_in(authorities const& found, std::string const& doing) {
  found.add_to(SSL_CTX_get_cert_store(handle()), doing);
  roots_loaded_ |= found.has_certificates();
  store_is_own_ = true;
}

void context_state::add_root(certificate const& root) {
  clear_openssl_errors();
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(handle()), root.native_handle()) != 1) {
    throw_openssl_error({}, "adding a root");
  }
  roots_loaded_ = true;
}

// Roots that the user loaded through the wrapped context count, too.
bool context_state::has_roots() const noexcept {
  return roots_loaded_ || has_certificates(SSL_CTX_get_cert_store(handle()));
}

// Loads the system's roots where they are trusted. Returns the store to share, if one can be.
X509_STORE* context_state::prepare_roots() {
  bool const lent = lent_.load(std::memory_order_relaxed);
  bool trust_system = system_roots_;
  if (!trust_system && !adopted && verify_mode() != verify::none && !has_roots()) {
    // A directory given to the wrapped context cannot be seen from here. Should there be none,
    // every certificate is refused: that fails closed.
    if (end == role::server && !lent) fail(errc::no_roots, "using the server's context");
    trust_system = end == role::client;
  }
  if (!trust_system) return nullptr;
  if (!adopted && !lent && !store_is_own_ && !roots_loaded_) return system_store();
  clear_openssl_errors();
  if (SSL_CTX_set_default_verify_paths(handle()) != 1) {
    throw_openssl_error({}, "loading the system's roots");
  }
  return nullptr;
}

void context_state::load_suggested_authorities(std::filesystem::path const& file) {
  std::string const doing = "loading the suggested authorities " + file.string();
  authorities::from_file(file, doing).suggest_by(handle(), doing);
}

void context_state::set_verify(verify mode) noexcept {
  int bits = SSL_VERIFY_NONE;
  if (mode != verify::none) bits = SSL_VERIFY_PEER;
  if (mode == verify::required && end == role::server) bits |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(handle(), bits, SSL_CTX_get_verify_callback(handle()));
}

verify context_state::verify_mode() const noexcept {
  int const bits = SSL_CTX_get_verify_mode(handle());
  if ((bits & SSL_VERIFY_PEER) == 0) return verify::none;
  if (end == role::client) return verify::required;
  return (bits & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0 ? verify::required : verify::optional;
}

void context_state::set_ciphers(std::string const& tls12, std::string const& tls13) {
  set_cipher_lists(handle(), tls12, tls13);
}

void context_state::set_groups(std::string const& groups) {
  clear_openssl_errors();
  if (SSL_CTX_set1_groups_list(handle(), groups.c_str()) != 1) {
    throw_openssl_error(errc::invalid_setting, "setting the groups \"" + groups + '"');
  }
}

void context_state::offer_alpn(std::vector<std::string> const& protocols) {
  std::string const wire = alpn_wire_format(protocols);
  clear_openssl_errors();
  // SSL_CTX_set_alpn_protos returns 0 on success (T13).
  if (SSL_CTX_set_alpn_protos(handle(), reinterpret_cast<unsigned char const*>(wire.data()),
                              static_cast<unsigned>(wire.size())) != 0) {
    throw_openssl_error(errc::invalid_alpn_protocol, "setting the ALPN protocols");
  }
}

void context_state::set_session_cache(std::size_t servers) {
  if (adopted) fail(errc::invalid_setting, "set_session_cache: the context is an adopted one");
  sessions_ = servers > 0 ? std::make_unique<session_cache>(servers) : nullptr;
  // OpenSSL keeps none itself: it would remember them by their number, not by their server.
  SSL_CTX_set_session_cache_mode(
      handle(), servers > 0 ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                            : SSL_SESS_CACHE_OFF);
  SSL_CTX_sess_set_new_cb(handle(), servers > 0 ? ssl_engine::on_new_session : nullptr);
}

void context_state::set_max_hello(std::size_t bytes) {
  if (bytes == 0 || bytes > largest_max_hello) {
    fail(errc::invalid_setting, "set_max_client_hello: from 1 to " +
                                    std::to_string(largest_max_hello) + " bytes");
  }
  max_hello_ = bytes;
}

void context_state::set_session_tickets(std::size_t count) {
  if (SSL_CTX_set_num_tickets(handle(), count) != 1) {
    throw_openssl_error(errc::invalid_setting, "setting the number of session tickets");
  }
  if (count > 0) {
    SSL_CTX_clear_options(handle(), SSL_OP_NO_TICKET);
  } else {
    SSL_CTX_set_options(handle(), SSL_OP_NO_TICKET);
  }
  if (!adopted) keep_sessions(handle(), count > 0);
}

void context_state::select_alpn(std::vector<std::string> const& protocols, alpn_mismatch policy) {
  detail::select_alpn(handle(), protocols, policy);
}

}  // namespace cotls::detail
