#pragma once

#include <cotls/context.hpp>
#include <cotls/detail/listen/handshake_room.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace cotls::detail {

// A strand over an executor whose type is known fits into any_io_executor's own storage; one over
// another any_io_executor does not, and costs five allocations each time a handler runs on it.
inline asio::any_io_executor make_strand(asio::any_io_executor const& executor) {
  if (auto const* known = executor.target<asio::io_context::executor_type>()) {
    return asio::make_strand(*known);
  }
  return asio::make_strand(executor);
}

/// A connection until its handshake is done. What happens to it runs on its strand, whatever the
/// stream's executor: closing the listener may meet the handshake on another thread.
template <class Protocol>
struct listener_connection {
  using socket_type = typename Protocol::socket;

  listener_connection(socket_type&& accepted, asio::any_io_executor runs_on)
      : strand(std::move(runs_on)), socket(std::move(accepted)) {}

  /// Displaced, its operation in progress finds the end of the transport.
  void take_seat(handshake_room& room) {
    int const descriptor = socket.native_handle();
    seat = room.enter([descriptor] { ::shutdown(descriptor, SHUT_RDWR); });
  }

  void drop() {
    seat->leave();
    stream = cotls::stream<socket_type>();
  }

  asio::any_io_executor strand;
  socket_type socket;   // until the handshake begins
  typename Protocol::endpoint peer;
  std::optional<server_context> context;
  cotls::stream<socket_type> stream;
  std::uint64_t number = 0;
  std::chrono::steady_clock::time_point began;
  std::unique_ptr<handshake_room::seat> seat;   // left before the socket is closed
};

/// One whose handshake is done.
template <class Stream>
struct ready_connection {
  Stream stream;
  std::unique_ptr<handshake_room::seat> seat;
};

}  // namespace cotls::detail
