#include "system/socket.hpp"

#include "system/system_error.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace cotls::detail {

owned_descriptor make_socket(int family, error_code& failed) {
  owned_descriptor made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) failed = last_system_error();
  return made;
}

void set_no_delay(int descriptor) noexcept {
  int const on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace cotls::detail
