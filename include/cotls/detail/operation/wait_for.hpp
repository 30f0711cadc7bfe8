#pragma once

#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/support/moment.hpp>
#include <cotls/error.hpp>

#include <boost/asio/error.hpp>

#include <chrono>

namespace cotls::detail {

/** Waits on the calling thread until a descriptor has input or takes output, as the action asks; a
    yield does not wait. Says in `failed` why it could not.
    @return `interruption::deadline` when the moment has passed before. */
interruption wait_for(int descriptor, action what, give_up_at until, error_code& failed) noexcept;

/** Waits for a socket of Asio's. One that its user has made non-blocking is only looked at: it is
    said to fail with `would_block`, as its own calls do. */
template <class Socket>
interruption wait_for_socket(Socket& socket, action what, give_up_at until, error_code& failed) {
  bool const only_looks = socket.non_blocking();
  if (only_looks) until = std::chrono::steady_clock::now();
  interruption const by = wait_for(socket.native_handle(), what, until, failed);
  if (!only_looks || by == interruption::none) return by;
  failed = asio::error::would_block;
  return interruption::none;
}

}  // namespace cotls::detail
