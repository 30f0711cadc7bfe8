// From settings to an SSL_CTX:
//
//   setter -> settings, checked and stored
//                |  apply: when it is lent, or else by seal()
//                v
//   wrapped context --- seal(): check_identity -> apply -> the system's roots -> the identity
//
// A step that throws has changed nothing that a mended context would trip over. The identity and
// the system's roots wait for seal() in any case (S3).

#include "context/context_state.hpp"

#include "context/base_context.hpp"
#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/trial_context.hpp"
#include "settings/cipher_list.hpp"

#include <boost/asio/error.hpp>

#include <openssl/ssl.h>

#include <utility>

namespace cotls::detail {

namespace {

constexpr std::size_t usual_servers = 256;

boost::asio::ssl::context wrap(ssl_ctx_ptr made) {
  boost::asio::ssl::context wrapped(made.get());
  made.release();
  return wrapped;
}

boost::asio::ssl::context take_over(boost::asio::ssl::context&& adopted) {
  if (!adopted.native_handle()) {
    fail(boost::asio::error::invalid_argument, "adopting a context that was moved from");
  }
  return std::move(adopted);
}

}  // namespace

context_state::context_state(role which, protocol versions, library_options const& from)
    : end(which),
      adopted(false),
      native_(wrap(make_base_context(which, version_settings(versions), from))) {
  settings_.peer.set_verify(end == role::client ? verify::required : verify::none, end);
  if (end == role::client) settings_.sessions.set_cache(usual_servers);
}

context_state::context_state(role which, boost::asio::ssl::context&& given)
    : end(which), adopted(true), native_(take_over(std::move(given))) {}

void context_state::check_mutable(char const* setter) const {
  if (sealed()) fail(errc::context_sealed, setter);
}

verify context_state::verify_mode() const noexcept {
  setting<verify> const& mode = settings_.peer.mode();
  if (!mode.set_since(applied_.peer.mode())) return peer_settings::mode_of(handle(), end);
  verify const set = mode.value();
  return end == role::client && set == verify::optional ? verify::required : set;
}

std::optional<std::chrono::system_clock::time_point> context_state::expires() const {
  auto first = settings_.identity.expires(handle());
  settings_.hosts.for_each([&first](host_settings::host const& each) {
    auto const next = each->expires();
    if (next && (!first || *next < *first)) first = next;
  });
  return first;
}

ssl_ctx_ptr context_state::make_trial() const {
  ssl_ctx_ptr trial = make_trial_context(handle());
  copy_suites(handle(), trial.get());
  settings_.algorithms.apply_to(trial.get(), applied_.algorithms);
  return trial;
}

void context_state::apply() { settings_.apply_to(handle(), end, adopted, applied_); }

boost::asio::ssl::context& context_state::expose() {
  if (never_lent_) fail(errc::context_sealed, "the default context, which is everybody's,");
  if (!sealed()) apply();
  lent_.store(true, std::memory_order_relaxed);
  return native_;
}

void context_state::seal(void (*install)(context_state&)) {
  if (sealed()) return;
  std::lock_guard const lock(sealing_);
  if (sealed()) return;
  check_identity();
  // What an adopted context has may be one of several.
  if (!settings_.identity.empty()) settings_.ocsp.check(settings_.identity.leaf(handle()));
  settings_.hosts.for_each([install](host_settings::host const& each) { each->seal(install); });
  apply();
  settings_.algorithms.check(handle());
  settings_.peer.check(verify_mode());
  settings_.sessions.check(settings_.peer.has_last_word());
  check_asked();
  X509_STORE* const shared = prepare_system_roots();
  settings_.identity.apply_to(handle(), end);
  // The program's hook may show what it likes.
  may_wait_for_signer_ = settings_.identity.may_wait() || settings_.hooks.shows_certificates();
  install(*this);
  if (shared) SSL_CTX_set1_verify_cert_store(handle(), shared);
  sealed_.store(true, std::memory_order_release);
}

void context_state::check_identity() const {
  bool const shows_none = !settings_.hosts.empty() &&
                          settings_.hosts.unknown() == unknown_host::refuse;
  bool const is_told = end == role::server && settings_.hooks.shows_certificates();
  if ((adopted || shows_none || is_told) && settings_.identity.empty()) return;
  settings_.identity.check_complete(end, handle());
}

// What would be without effect.
void context_state::check_asked() const {
  if (settings_.ocsp.wanted() != ocsp::none && !needs_roots(verify_mode())) {
    fail(errc::invalid_setting, "set_ocsp without verify::required");
  }
  if (end == role::server && settings_.peer.late() && verify_mode() == verify::none) {
    fail(errc::invalid_setting, "set_late_authentication of a server without set_verify");
  }
}

// Roots that the user loaded through the wrapped context count, too.
bool context_state::has_roots() const noexcept {
  return settings_.trust.has_roots() || has_certificates(SSL_CTX_get_cert_store(handle()));
}

bool context_state::must_trust_system() const {
  if (settings_.trust.trusts_system()) return true;
  if (adopted || !needs_roots(verify_mode()) || has_roots()) return false;
  // A directory given to the wrapped context cannot be seen from here. Should there be none, every
  // certificate is refused: that fails closed. A verifier of the program's may know better.
  bool const decided = settings_.peer.decides() != nullptr || settings_.peer.on_chain();
  bool const expects_roots = !is_lent() && !decided;
  if (end == role::server && expects_roots) fail(errc::no_roots, "using the server's context");
  return end == role::client;
}

// Loads the system's roots where they are trusted. Returns the store to share, if one can be.
X509_STORE* context_state::prepare_system_roots() {
  if (!must_trust_system()) return nullptr;
  bool const own_library = !is_default(library_of(handle()));
  if (!adopted && !is_lent() && !own_library && settings_.trust.empty()) return system_store();
  clear_openssl_errors();
  if (SSL_CTX_set_default_verify_paths(handle()) != 1) {
    throw_openssl_error({}, "loading the system's roots");
  }
  return nullptr;
}

}  // namespace cotls::detail
