#include "operation/last_words.hpp"

#include <cotls/detail/operation/wait_for.hpp>

#include "operation/farewell.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace cotls::detail {

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
