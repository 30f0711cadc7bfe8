#include <cotls/detail/engine/connection_options.hpp>

#include "error/fail.hpp"
#include "identity/host_name.hpp"
#include "settings/connection_settings.hpp"

namespace cotls::detail {

void connection_options::check_names() const {
  if (!special) return;
  if (special->any_name && !also_accepted.empty()) {
    fail(errc::invalid_setting, "accept_any_name together with also_accept");
  }
  if (!special->server_name || special->server_name->empty()) return;
  // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
  if (host_name(*special->server_name).address()) {
    fail(errc::invalid_host_name, "asking for the server name " + *special->server_name);
  }
}

void connection_options::check_algorithms(SSL_CTX* of) const {
  if (special && special->has_algorithms()) connection_settings(*special, of);
}

}  // namespace cotls::detail
