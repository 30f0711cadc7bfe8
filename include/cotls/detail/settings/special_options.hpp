#pragma once

#include <cotls/early_data.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/session.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cotls::detail {

/// Of which OpenSSL is to take all in one call.
constexpr std::size_t max_early_request = std::size_t{64} * 1024;

/** What a client has to say as early as it can. */
struct early_request {
  std::vector<std::byte> bytes;
  unaccepted otherwise = unaccepted::send_late;
};

/** What few connections want otherwise than their context has it. */
class special_options {
 public:
  special_options() {}

  /** Whether OpenSSL is to be told of versions or algorithms. */
  bool has_algorithms() const noexcept {
    return versions || !tls12.empty() || !tls13.empty() || groups || signatures;
  }

  /** Whether it matters to whoever resumes a session that it was so with the one before. */
  bool has_variety() const noexcept { return has_algorithms() || server_name || any_name; }

  std::optional<version_range> versions;
  std::string tls12;                       ///< suites; empty: the context's
  std::string tls13;
  std::optional<std::string> groups;
  std::optional<std::string> signatures;
  std::optional<std::string> server_name;  ///< sent as SNI instead of the host; empty: none is sent
  std::optional<cotls::session> session;   ///< that is offered before those of the context
  std::shared_ptr<early_request const> early;   ///< null: nothing is sent before it can be
  bool any_name = false;                   ///< a chain is verified, and not whom it is for
};

}  // namespace cotls::detail
