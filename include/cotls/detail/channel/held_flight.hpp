#pragma once

#include <cotls/error.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace cotls::detail {

class held_flight;

/// A socket, and how to find its descriptor: the number is never cached (A16).
struct socket_reference {
  void* socket;
  int (*descriptor)(void*);
  /// Posts a handler that lets a flight leave; null where there is no executor.
  void (*leave_soon)(void*, std::shared_ptr<held_flight> const&) = nullptr;

  /** Returns what was sent, without blocking: 0 when there is no room or it has failed. */
  std::size_t send(void const* data, std::size_t size, error_code& failed) const noexcept;
};

/** The last flight of a handshake, which waits for the first data to leave together with it.

    It leaves in one of two ways. Before any wait, or with what is sent next, the connection takes it
    back (`take`). And soon, when the peer waits for it: by a handler that was posted when it was
    held (`leave`), which runs once the handler has returned that goes on from the handshake. A lone
    coroutine needs no strand, so that both may come at once, on two threads: they touch the socket,
    and what is here, under the mutex. Once it is taken, the handler touches nothing.
*/
class held_flight {
 public:
  held_flight(socket_reference over, void const* data, std::size_t size);

  /** Sends what has not left, unless it was taken. */
  void leave() noexcept;

  struct rest {
    std::vector<std::byte> bytes;
    error_code failed;
  };

  /** Takes what has not left. */
  rest take() noexcept;

 private:
  std::mutex mutex_;
  socket_reference over_;
  rest rest_;   // empty once it was taken
};

}  // namespace cotls::detail
