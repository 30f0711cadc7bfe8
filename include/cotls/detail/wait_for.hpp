#pragma once

#include <cotls/detail/operation.hpp>
#include <cotls/error.hpp>

#include <boost/asio/error.hpp>

#include <chrono>
#include <optional>

namespace cotls::detail {

/** The moment at which a call gives up; none: it waits as long as it takes. */
using give_up_at = std::optional<std::chrono::steady_clock::time_point>;

/** Waits on the calling thread until a descriptor has input or takes output, as the action asks;
    false when the moment has passed, or when waiting failed. (`poll`) */
bool wait_for(int descriptor, action what, give_up_at until, error_code& failed);

/** Waits for a socket of Asio's. One that its user has made non-blocking is only looked at: it is
    said to fail with `would_block`, as its own calls do. */
template <class Socket>
interruption wait_for_socket(Socket& socket, action what, give_up_at until, error_code& failed) {
  bool const only_looks = socket.non_blocking();
  if (only_looks) until = std::chrono::steady_clock::now();
  if (wait_for(socket.native_handle(), what, until, failed) || failed) return interruption::none;
  if (!only_looks) return interruption::deadline;
  failed = asio::error::would_block;
  return interruption::none;
}

}  // namespace cotls::detail
