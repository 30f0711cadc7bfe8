#pragma once

#include <cotls/detail/settings/special_options.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;

namespace cotls::detail {

/** What one connection is to be, beside its context. */
class connection_options {
 public:
  connection_options() {}

  /** Returns the special options to change them; copies of these options keep theirs. */
  special_options& own_special() {
    special = special ? std::make_shared<special_options>(*special)
                      : std::make_shared<special_options>();
    return *special;
  }

  bool accepts_any_name() const noexcept { return special && special->any_name; }

  /** Checks the special options: what can be said without a context.
      @par Errors errc::invalid_host_name, errc::invalid_setting */
  void check() const;

  /** Checks the algorithms and versions, at the security level of a context.
      @par Errors errc::invalid_setting, errc::unsupported_protocol */
  void check_algorithms(ssl_ctx_st* of) const;

  std::string host;                  ///< verified and sent as SNI; clients only
  std::vector<std::string> also_accepted;   ///< instead of the host, in a certificate
  std::vector<std::string> alpn;     ///< overrides the context's, when not empty
  std::uint16_t port = 0;            ///< with the host, whose sessions are resumed; 0: nobody's
  std::shared_ptr<special_options> special;   ///< null for most: frames of coroutines hold us
};

}  // namespace cotls::detail
