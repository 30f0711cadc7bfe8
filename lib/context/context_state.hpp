#pragma once

#include <cotls/detail/support/role.hpp>
#include <cotls/library_options.hpp>
#include <cotls/protocol.hpp>
#include <cotls/verify.hpp>

#include "openssl/openssl_ptr.hpp"
#include "settings/settings.hpp"

#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

namespace cotls::detail {

/** What the copies of one context share: its settings, and the wrapped asio context, to which they
    are applied when it is sealed or, as far as they can be seen in it, when it is lent. */
class context_state {
 public:
  /** Makes the wrapped context with cotls's defaults.
      @par Errors as `make_base_context` */
  context_state(role end, protocol versions, library_options const& from = library_options());

  /** Adopts a context, which keeps what is not set. */
  context_state(role end, boost::asio::ssl::context&& adopted);

  /** Changes the settings, which are then the caller's to check before anything is stored.
      @par Errors errc::context_sealed, naming the setter, once the context is in use */
  template <class Change>
  void change(char const* setter, Change const& make) {
    check_mutable(setter);
    make(settings_);
    if (is_lent()) apply();   // later changes of the program's come on top
  }

  /** Changes the wrapped context itself, on top of what was set before: once a trial context has
      taken the same.
      @par Errors as `change` */
  template <class Change>
  void change_wrapped(char const* setter, Change const& make) {
    check_mutable(setter);
    make(make_trial().get());
    apply();
    make(handle());
  }

  detail::settings const& settings() const noexcept { return settings_; }

  /** Returns what is asked of the peer. */
  verify verify_mode() const noexcept;

  /** Returns when the first certificate expires that this context, or a host of it, shows. */
  std::optional<std::chrono::system_clock::time_point> expires() const;

  /** Makes a context with the suites and the security level of this one: for checks. */
  ssl_ctx_ptr make_trial() const;

  /** Ends the time in which the context can be changed. Thread-safe; the first call does the work:
      a client that verifies and was given no root loads the system's; a server without certificate
      and key throws errc::no_certificate (S2), one that verifies without roots errc::no_roots (S7).
      A call that throws leaves the context unsealed. An adopted context is not judged.
      @param install  Adds the callbacks of those who use the context. */
  void seal(void (*install)(context_state&));

  /** Tells whether a handshake may wait for a signer, once the context is sealed. */
  bool may_wait_for_signer() const noexcept { return may_wait_for_signer_; }

  bool sealed() const noexcept { return sealed_.load(std::memory_order_acquire); }
  SSL_CTX* handle() const noexcept { return native_.native_handle(); }

  /** Says that a sealed context is everybody's, and never lent. */
  void keep() noexcept { never_lent_ = true; }

  /** Lends the wrapped context to the user, whose changes to it are then to be reckoned with.
      @par Errors errc::context_sealed for one that is everybody's */
  boost::asio::ssl::context& expose();

  bool is_lent() const noexcept { return lent_.load(std::memory_order_relaxed); }

  /** The sessions that clients may resume; null when none are kept. */
  session_cache* sessions() const noexcept { return settings_.sessions.cache(); }

  role const end;
  bool const adopted;

 private:
  void check_mutable(char const* setter) const;
  void apply();
  void check_identity() const;
  void check_asked() const;
  bool has_roots() const noexcept;
  bool must_trust_system() const;
  X509_STORE* prepare_system_roots();

  mutable boost::asio::ssl::context native_;   // whose handle a constant one does not tell
  detail::settings settings_;
  detail::settings applied_;   // of those, what the wrapped context has
  bool never_lent_ = false;
  bool may_wait_for_signer_ = false;
  std::atomic<bool> lent_{false};
  std::mutex sealing_;
  std::atomic<bool> sealed_{false};
};

}  // namespace cotls::detail
