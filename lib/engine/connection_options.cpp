#include <cotls/client_options.hpp>

#include <cotls/detail/engine/connection_options.hpp>

#include "error/fail.hpp"
#include "identity/host_name.hpp"
#include "settings/connection_settings.hpp"

namespace cotls::detail {

void connection_options::check() const {
  if (!special) return;
  if (special->early && special->early->bytes.size() > max_early_request) {
    fail(errc::invalid_setting, "early_data of more than 64 KiB");
  }
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

namespace cotls {

client_options& client_options::early_data(boost::asio::const_buffer bytes, unaccepted otherwise) {
  auto const* const first = static_cast<std::byte const*>(bytes.data());
  auto request = bytes.size() > 0 ? std::make_shared<detail::early_request>() : nullptr;
  if (request) *request = {{first, first + bytes.size()}, otherwise};
  inner_.own_special().early = std::move(request);
  return *this;
}

}  // namespace cotls
