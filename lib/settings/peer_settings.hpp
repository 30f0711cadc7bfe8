#pragma once

#include <cotls/detail/support/role.hpp>
#include <cotls/verify.hpp>

#include "settings/setting.hpp"
#include "trust/roots.hpp"

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <vector>

namespace cotls::detail {

/** What is asked of the peer's certificate, and which authorities a server suggests for it. */
class peer_settings {
 public:
  void set_verify(verify mode) noexcept { mode_.set(mode); }

  setting<verify> const& mode() const noexcept { return mode_; }

  /** @par Errors errc::no_certificate_found, the system's */
  void suggest(std::filesystem::path const& file);

  /** @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, role end, peer_settings const& applied) const;

  /** Returns what a context asks. */
  static verify mode_of(SSL_CTX const* context, role end) noexcept;

  bool operator==(peer_settings const&) const = default;

 private:
  setting<verify> mode_;
  std::vector<std::shared_ptr<authorities const>> suggested_;
};

}  // namespace cotls::detail
