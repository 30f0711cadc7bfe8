#include <cotls/detail/channel/held_flight.hpp>

#include "system/system_error.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace cotls::detail {

std::size_t socket_reference::send(void const* data, std::size_t size,
                                   error_code& failed) const noexcept {
  for (;;) {
    ssize_t const sent = ::send(descriptor(socket), data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) failed = last_system_error();
    return 0;
  }
}

held_flight::held_flight(socket_reference over, void const* data, std::size_t size) : over_(over) {
  auto const* first = static_cast<std::byte const*>(data);
  rest_.bytes.assign(first, first + size);
}

void held_flight::leave() noexcept {
  std::scoped_lock const lock(mutex_);
  if (rest_.bytes.empty() || rest_.failed) return;
  std::size_t const sent = over_.send(rest_.bytes.data(), rest_.bytes.size(), rest_.failed);
  rest_.bytes.erase(rest_.bytes.begin(), rest_.bytes.begin() + static_cast<std::ptrdiff_t>(sent));
}

held_flight::rest held_flight::take() noexcept {
  std::scoped_lock const lock(mutex_);
  return std::exchange(rest_, {});
}

}  // namespace cotls::detail
