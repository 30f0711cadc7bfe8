#pragma once

#include <cotls/detail/support/role.hpp>

#include <openssl/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace cotls::detail {

/** Commands of OpenSSL's configuration files, from text. */
class configuration_commands {
 public:
  /** @par Errors errc::invalid_setting, naming a line that is none */
  configuration_commands(std::string_view text, role end);

  /** Carries them out, in their order.
      @par Errors errc::invalid_setting, naming the command that is not known or whose value is not
      taken; the suites that come of it are checked as `check_selected_suites` does */
  void apply_to(SSL_CTX* context) const;

 private:
  struct command {
    std::string name;
    std::string value;
  };

  std::vector<command> commands_;
  role end_;
};

/** Applies a section of the system's policy (`SSL_CTX_config`).
    @par Errors errc::invalid_setting */
void apply_system_policy(SSL_CTX* context, std::string const& section);

}  // namespace cotls::detail
