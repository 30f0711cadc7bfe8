#pragma once

#include <cotls/address_family.hpp>

#include "error/fail.hpp"
#include "identity/host_name.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace cotls::detail {

/** Returns where a host that is an address is connected to; none for a name, which is looked up.
    @par Errors `asio::error::address_family_not_supported` for one of another family */
inline std::optional<asio::ip::tcp::endpoint> literal_endpoint(std::string const& host, int port,
                                                               address_family family) {
  auto const literal = host_name(host).address();
  if (!literal) return std::nullopt;
  bool const allowed = family == address_family::any ||
                       literal->is_v4() == (family == address_family::ipv4);
  if (!allowed) {
    fail(asio::error::address_family_not_supported, "connecting to " + host_and_port(host, port));
  }
  return asio::ip::tcp::endpoint(*literal, static_cast<std::uint16_t>(port));
}

/** Calls what looks a name up, with the protocol whose addresses alone are wanted before the other
    arguments, or with none. */
template <class Resolve>
auto look_up_in(address_family family, Resolve resolve) {
  if (family == address_family::any) return resolve();
  return resolve(family == address_family::ipv4 ? asio::ip::tcp::v4() : asio::ip::tcp::v6());
}

}  // namespace cotls::detail
