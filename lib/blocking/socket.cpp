// What the blocking facade asks of the system.

#include "blocking/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace cotls::detail {

socket_handle::~socket_handle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

error_code last_system_error() noexcept {
  return error_code(errno, boost::system::system_category());
}

socket_handle make_socket(int family, error_code& failed) {
  socket_handle made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.get() < 0) failed = last_system_error();
  return made;
}

void set_no_delay(int descriptor) noexcept {
  int const on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace cotls::detail
