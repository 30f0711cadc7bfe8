#pragma once

#include <cotls/detail/support/hook.hpp>
#include <cotls/detail/support/role.hpp>
#include <cotls/key_pin.hpp>
#include <cotls/verification.hpp>
#include <cotls/verify.hpp>

#include "settings/program_function.hpp"
#include "settings/setting.hpp"
#include "trust/roots.hpp"

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace cotls {

struct connection_info;
class peer_info;

}  // namespace cotls

namespace cotls::detail {

/** Whether the chain that a peer sends must lead to a trusted root. */
constexpr bool needs_roots(verify mode) noexcept {
  switch (mode) {
    case verify::none:
    case verify::ask:
    case verify::require_any: return false;
    case verify::optional:
    case verify::required: return true;
  }
  return true;
}

/** What is asked of the peer's certificate, who decides on it, and which authorities a server
    suggests for it. */
class peer_settings {
 public:
  using verifier = std::function<bool(bool accepted, verification const& seen)>;
  using chain_hook = hook<bool, bool, peer_info const&>;
  using last_word = hook<bool, peer_info const&, connection_info const&>;

  /** @par Errors errc::invalid_setting for a client that is to ask and not to verify */
  void set_verify(verify mode, role end);
  setting<verify> const& mode() const noexcept { return mode_; }

  /** @par Errors errc::invalid_setting for a negative one */
  void set_depth(int most);

  /** How long the peer's list of certificates may be, in bytes.
      @par Errors errc::invalid_setting */
  void set_max_list(std::size_t bytes);

  /** Whether a client's certificate is asked for after the handshake, and not in it. */
  void set_late(bool on) { late_.set(on); }
  bool late() const noexcept { return late_.value(); }

  /** As of when certificates and lists are valid or not; none: as of each handshake. */
  void set_time(std::optional<std::chrono::system_clock::time_point> moment) { time_.set(moment); }

  /** Who decides on each certificate, told what OpenSSL thinks of it; null: nobody but OpenSSL. */
  void set_verifier(verifier decides) { verifier_.set(std::move(decides)); }
  verifier const* decides() const noexcept { return verifier_.get(); }

  /** Who decides on each chain as a whole; null: nobody but OpenSSL. */
  void set_on_chain(chain_hook decides) { on_chain_.set(std::move(decides)); }
  std::shared_ptr<chain_hook const> const& on_chain() const noexcept { return on_chain_.shared(); }

  /** Who decides on each connection once it is established; null: nobody. */
  void set_last_word(last_word decides) { last_word_.set(std::move(decides)); }
  std::shared_ptr<last_word const> const& established() const noexcept {
    return last_word_.shared();
  }

  /** Of which keys a verified chain must have one; none: of whichever.
      @par Errors errc::invalid_setting for none */
  void set_pins(std::vector<key_pin> pins);
  std::vector<key_pin> const& pins() const noexcept { return pins_; }

  /** Whether a connection that is established may still be refused. */
  bool has_last_word() const noexcept { return established() || on_chain() || !pins_.empty(); }

  /** Checks what would be without effect.
      @par Errors errc::invalid_setting for what decides on verified chains, where none is */
  void check(verify mode) const;

  /** @par Errors errc::no_certificate_found, the system's */
  void suggest(std::filesystem::path const& file);

  /** @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, role end, peer_settings const& applied) const;

  /** Returns what a context asks. */
  static verify mode_of(SSL_CTX const* context, role end) noexcept;

  bool operator==(peer_settings const&) const = default;

 private:
  setting<verify> mode_;
  setting<int> depth_;
  setting<std::size_t> max_list_;
  setting<bool> late_;
  setting<std::optional<std::chrono::system_clock::time_point>> time_;
  program_function<verifier> verifier_;
  program_function<chain_hook> on_chain_;
  program_function<last_word> last_word_;
  std::vector<key_pin> pins_;
  std::vector<std::shared_ptr<authorities const>> suggested_;
};

}  // namespace cotls::detail
