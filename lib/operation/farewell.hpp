#pragma once

#include <cotls/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace cotls::detail {

/** The longest that a peer which was refused is listened to, and the most that it may send. */
inline constexpr std::chrono::seconds longest_farewell(2);
inline constexpr std::size_t largest_farewell = 1024 * 1024;

/** True when a failure is one that we have told the peer by an alert. */
inline bool is_refusal(error_code const& code) noexcept {
  return code.category() == openssl_category() || code == errc::client_hello_too_long ||
         code == errc::peer_not_allowed || code == errc::unserved_host;
}

/** Ends a connection so that what was said last arrives.

    RFC 9293 section 3.6.1: closing "with data still in the receive buffer" sends a reset, at which
    the peer's system drops what its program has not read: our alert. So our direction ends alone,
    and what the peer sends is discarded until it ends, too, for a time and an amount that have a
    limit. Keeps itself alive; on a strand of its own.
*/
template <class Socket>
class farewell : public std::enable_shared_from_this<farewell<Socket>> {
  using clock = std::chrono::steady_clock;

 public:
  /** Begins with it later, as long as there is time; without memory the peer sees a reset.
      @param over  Called, and destroyed, before the socket is closed. */
  static void say(Socket socket, clock::duration left, std::function<void()> over) noexcept {
    std::shared_ptr<farewell> self;
    try {
      self = std::make_shared<farewell>(std::move(socket), std::move(over));
      asio::post(self->strand_, [self, left] { self->begin(left); });
    } catch (std::exception const&) {
      if (!self) over();   // which nobody has taken
    }
  }

  farewell(Socket socket, std::function<void()> over)
      : strand_(asio::make_strand(socket.get_executor())),
        timer_(socket.get_executor()),
        socket_(std::move(socket)),
        over_(std::move(over)) {}
  ~farewell() { end(); }

 private:
  void begin(clock::duration left) {
    error_code failed;
    socket_.shutdown(Socket::shutdown_send, failed);
    if (!failed) socket_.non_blocking(true, failed);
    if (failed) return end();
    timer_.expires_after(std::min<clock::duration>(left, longest_farewell));
    timer_.async_wait(asio::bind_executor(strand_, [self = this->shared_from_this()](error_code) {
      self->end();
    }));
    discard();
  }

  void discard() {
    constexpr std::size_t at_one_go = 256 * 1024;
    std::array<std::byte, 16 * 1024> unread;
    error_code failed;
    std::size_t const most = std::min(discarded_ + at_one_go, largest_farewell);
    while (!failed && discarded_ < most) {
      discarded_ += socket_.read_some(asio::buffer(unread), failed);
    }
    if (failed != asio::error::would_block && (failed || most == largest_farewell)) return end();
    socket_.async_wait(Socket::wait_read,
                       asio::bind_executor(strand_, [self = this->shared_from_this()](error_code) {
                         if (self->socket_.is_open()) self->discard();
                       }));
  }

  void end() {
    timer_.cancel();
    if (auto const over = std::exchange(over_, nullptr)) over();
    error_code ignored;
    socket_.close(ignored);
  }

  asio::strand<asio::any_io_executor> strand_;
  asio::steady_timer timer_;
  Socket socket_;
  std::function<void()> over_;
  std::size_t discarded_ = 0;
};

}  // namespace cotls::detail
