#include "system/socket.hpp"

#include "error/fail.hpp"
#include "system/system_error.hpp"

#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace cotls::detail {

using boost::asio::ip::tcp;

owned_descriptor make_socket(int family, error_code& failed) {
  owned_descriptor made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) failed = last_system_error();
  return made;
}

void set_no_delay(int descriptor) noexcept {
  int const on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool is_tcp(tcp::endpoint const& address) noexcept {
  int const family = address.data()->sa_family;
  return family == AF_INET || family == AF_INET6;
}

tcp::endpoint tcp_endpoint(int (*ask)(int, sockaddr*, socklen_t*), int descriptor,
                           char const* doing) {
  tcp::endpoint found;
  auto size = static_cast<socklen_t>(found.capacity());
  if (ask(descriptor, found.data(), &size) != 0) fail(last_system_error(), doing);
  if (!is_tcp(found)) fail(boost::asio::error::address_family_not_supported, doing);
  found.resize(size);
  return found;
}

std::string address_of_peer(int descriptor) {
  tcp::endpoint found;
  auto size = static_cast<socklen_t>(found.capacity());
  if (::getpeername(descriptor, found.data(), &size) != 0 || !is_tcp(found)) return {};
  found.resize(size);
  std::string const address = found.address().to_string();
  return (found.address().is_v6() ? '[' + address + ']' : address) + ':' +
         std::to_string(found.port());
}

}  // namespace cotls::detail
