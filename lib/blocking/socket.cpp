// What the blocking facade asks of the system.

#include "blocking/socket.hpp"
#include "farewell.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

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

void let_last_words_arrive(int descriptor, give_up_at until) noexcept {
  std::array<std::byte, 16 * 1024> unread;
  ::shutdown(descriptor, SHUT_WR);
  for (std::size_t taken = 0; taken < largest_farewell;) {
    ssize_t const got = ::recv(descriptor, unread.data(), unread.size(), MSG_DONTWAIT);
    if (got == 0) return;
    if (got > 0) {
      taken += static_cast<std::size_t>(got);
      continue;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return;
    error_code failed;
    auto const by = wait_for(descriptor, action::wait_input, until, failed);
    if (failed || by != interruption::none) return;
  }
}

}  // namespace cotls::detail
