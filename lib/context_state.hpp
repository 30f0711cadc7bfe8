#pragma once

#include <cotls/context.hpp>
#include <cotls/detail/hello_framing.hpp>
#include <cotls/detail/role.hpp>

#include "roots.hpp"
#include "session_cache.hpp"

#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cotls::detail {

/** What the copies of one context share: the wrapped asio context and whether it is in use.

    Each setter checks everything first and changes the context last. The chain, the key and the
    system's roots are kept here and given to OpenSSL by seal(): OpenSSL keeps a certificate for
    each type of key and cannot forget one, so a chain that was overwritten would go on being
    offered to peers that prefer its type (S3).
*/
class context_state {
 public:
  /// Makes the wrapped context with cotls's defaults; throws errc::unsupported_protocol.
  context_state(role end, protocol versions);
  /// Adopts a context as it is.
  context_state(role end, boost::asio::ssl::context&& adopted);

  /// Throws errc::context_sealed, naming the setter, once the context is in use.
  void check_mutable(char const* setter) const;

  /** Ends the time in which the context can be changed. Thread-safe; the first call does the work:
      a client that verifies and was given no root loads the system's; a server without certificate
      and key throws errc::no_certificate (S2), one that verifies without roots errc::no_roots (S7).
      A call that throws leaves the context unsealed. An adopted context is not judged. */
  void seal();

  bool sealed() const noexcept { return sealed_.load(std::memory_order_acquire); }
  SSL_CTX* handle() const noexcept { return native_.native_handle(); }

  /// Seals a context that is never lent.
  void seal_for_everybody();

  /// Lends the wrapped context to the user, whose changes to it are then to be reckoned with. Throws
  /// errc::context_sealed for one that is everybody's.
  boost::asio::ssl::context& lend() const;

  /// @param doing  What the error says was tried: `"using the private key key.pem"`.
  void use(certificate_chain const& chain, std::string const& doing);
  void use(private_key const& key, std::string const& doing);
  void use(identity const& both);
  void load_roots(std::filesystem::path const& file, std::filesystem::path const& directory);
  void add_roots(std::string_view pem);
  void add_root(certificate const& root);
  void use_system_roots() noexcept { system_roots_ = true; }
  void load_suggested_authorities(std::filesystem::path const& file);
  void set_verify(verify mode) noexcept;
  verify verify_mode() const noexcept;
  void set_ciphers(std::string const& tls12, std::string const& tls13);
  void set_groups(std::string const& groups);
  void offer_alpn(std::vector<std::string> const& protocols);
  void set_session_cache(std::size_t servers);
  void set_session_tickets(std::size_t count);
  void set_small_first_records(bool on) noexcept { small_first_records_ = on; }
  bool small_first_records() const noexcept { return small_first_records_; }
  void set_max_hello(std::size_t bytes);
  std::size_t max_hello() const noexcept { return max_hello_; }
  void select_alpn(std::vector<std::string> const& protocols, alpn_mismatch policy);

  /// The sessions that clients may resume; null when none are kept.
  session_cache* sessions() const noexcept { return sessions_.get(); }

  role const end;
  bool const adopted;

 private:
  X509* leaf() const noexcept;
  EVP_PKEY* key() const noexcept;
  void check_installable(certificate_chain const* chain, private_key const* key,
                         std::string const& doing) const;
  void check_identity() const;
  void use_directory(std::filesystem::path const& directory);
  void take_in(authorities const& found, std::string const& doing);
  bool has_roots() const noexcept;
  X509_STORE* prepare_roots();
  void install_identity();

  mutable boost::asio::ssl::context native_;
  std::optional<certificate_chain> chain_;
  std::optional<private_key> key_;
  std::unique_ptr<session_cache> sessions_;
  bool roots_loaded_ = false;
  bool store_is_own_ = false;   // roots or revocation lists are in it
  bool never_lent_ = false;
  bool system_roots_ = false;
  bool small_first_records_ = false;
  std::size_t max_hello_ = default_max_hello;
  mutable std::atomic<bool> lent_{false};
  std::mutex sealing_;
  std::atomic<bool> sealed_{false};
};

}  // namespace cotls::detail
