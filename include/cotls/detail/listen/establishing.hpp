#pragma once

#include <cotls/client_hello.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/driver/composed_driver.hpp>
#include <cotls/detail/engine/hello_reader.hpp>
#include <cotls/detail/listen/handshake_room.hpp>
#include <cotls/detail/operation/core.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace cotls::detail {

/** A server's connection on its way from an accepted socket to a stream:

        accepted -> [hello] -> [another context] -> handshake -> the stream
                       |                              |
                       +------------------------------+-> farewell, when we have refused the client
                                                      +-> closed

    A listener takes it all the way, an `incoming` step by step. It has a seat in the listener's room
    until it has arrived, and one limit for its time, which is counted while something is asked of
    the client. What is not asked for costs nothing.
*/
template <class Protocol>
class establishing : public std::enable_shared_from_this<establishing<Protocol>> {
  using clock = std::chrono::steady_clock;

 public:
  using socket_type = typename Protocol::socket;
  using endpoint_type = typename Protocol::endpoint;
  using stream_type = stream<socket_type>;
  using hello_core = core<socket_type, hello_reader>;

  establishing(socket_type&& socket, endpoint_type peer);

  /** Says for which context the client has come, should no other be chosen, and how much time there
      is.
      @param early  Whether the handshake is to stop where early data is here. */
  void begin(server_context const& context, clock::duration limit, bool early = false);

  /** Takes a seat. Displaced from it, the operation in progress finds the end of the transport. */
  void take_seat(handshake_room& room);
  std::unique_ptr<handshake_room::seat> give_seat() noexcept { return std::move(seat_); }
  handshake_room::seat* seat() const noexcept { return seat_.get(); }

  asio::any_io_executor const& executor() const noexcept { return executor_; }
  endpoint_type const& peer() const noexcept { return peer_; }

  /** True before the handshake: the socket, and what was read of it, are still here. */
  bool waits() const noexcept { return socket_ || hello_; }

  /** True while a hello is being read. */
  bool reads_hello() const noexcept { return hello_ && hello_->reading.busy; }

  /** The socket of one that waits. Lent to the program, it may be closed at any time. */
  socket_type& socket() noexcept { return hello_ ? hello_->next() : *socket_; }
  socket_type& expose() noexcept;

  /** Begins to count the time for a hello.
      @par Errors `errc::not_connected`, `errc::operation_in_progress`; without memory for it */
  error_code begin_hello();
  std::shared_ptr<hello_core> const& reading() const noexcept { return hello_; }

  /** Returns the hello, unless there is a failure, which is remembered. */
  client_hello end_hello(error_code const& code);

  /** Makes the stream and begins to count the time for its handshake.
      @param chosen  Null stands for the context that the client has come for.
      @par Errors `errc::not_connected`, `errc::operation_in_progress`; the context's, and the
      connection stays as it is */
  error_code begin_handshake(server_context const* chosen = nullptr);

  /** Returns what is left of the time. */
  clock::duration left() const noexcept { return left_; }

  /** What shakes hands; empty when that has not begun, or was abandoned. */
  stream_type& shaking() noexcept { return shaking_; }

  /** Returns the stream, unless there is a failure, which is remembered. A client that was refused
      hears of it.
      @param code  Becomes `errc::displaced` when the seat was not the connection's any more.
      @param over  Called when a farewell, should there be one, has come to its end. */
  stream_type end_handshake(error_code& code, std::function<void()> over = nullptr);

  /** True when the handshake's end has begun a farewell. */
  bool says_farewell() const noexcept { return says_farewell_; }

  std::pair<socket_type, std::vector<std::byte>> release();
  void refuse(alert reason);
  void abandon();

  /** Makes the exception for an operation that failed with this code. */
  error failure(error_code code) const;

 private:
  void make_reader();
  socket_type take_socket();
  void stop_counting() noexcept;
  void leave_room() noexcept;
  void say_farewell(socket_type socket, std::function<void()> over);

  asio::any_io_executor executor_;
  endpoint_type peer_;
  std::optional<server_context> context_;
  std::optional<socket_type> socket_;   // until somebody asks for the hello or the handshake
  std::shared_ptr<hello_core> hello_;   // until the handshake
  stream_type shaking_;
  clock::duration left_{};
  clock::time_point began_;
  std::optional<error> failed_;
  std::unique_ptr<handshake_room::seat> seat_;   // left before the socket is closed
  bool says_farewell_ = false;
  bool stops_early_ = false;
};

/// Starts the handshake that was begun; completes with `void(error_code)`.
template <class Protocol, class Handler>
void start_handshake(std::shared_ptr<establishing<Protocol>> one, Handler&& handler) {
  using operation = handshake_operation<core<typename Protocol::socket>>;
  compose<seated<operation>>(access::core(one->shaking()), one->left(),
                             std::forward<Handler>(handler), one->seat());
}

extern template class establishing<asio::ip::tcp>;
extern template class establishing<asio::local::stream_protocol>;

}  // namespace cotls::detail
