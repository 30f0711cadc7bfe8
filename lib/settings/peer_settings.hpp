#pragma once

#include <cotls/detail/support/role.hpp>
#include <cotls/verify.hpp>

#include "trust/roots.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace cotls::detail {

/** What is asked of the peer's certificate, and which authorities a server suggests for it. */
class peer_settings {
 public:
  void set_verify(verify mode) noexcept { mode_ = mode; }

  /** Returns nothing where a context's own mode counts. */
  std::optional<verify> mode() const noexcept { return mode_; }

  /** @par Errors errc::no_certificate_found, the system's */
  void suggest(std::filesystem::path const& file);

  /** Returns how many files of authorities are suggested. */
  std::size_t suggestions() const noexcept { return suggested_.size(); }

  /** @param from  So many files of authorities the context suggests already. */
  void apply_to(SSL_CTX* context, role end, std::size_t from = 0) const;

  /** Returns what a context asks. */
  static verify mode_of(SSL_CTX const* context, role end) noexcept;

  bool operator==(peer_settings const&) const = default;

 private:
  std::optional<verify> mode_;
  std::vector<std::shared_ptr<authorities const>> suggested_;
};

}  // namespace cotls::detail
