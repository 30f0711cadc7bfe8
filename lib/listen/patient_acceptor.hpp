#pragma once

#include <cotls/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/// What a failed accept means for the next one (A9).
enum class setback : std::uint8_t {
  passing,    ///< It is the client's affair: a connection that was reset before it was accepted.
  exhausted,  ///< A descriptor or memory may be free again soon.
  final,      ///< The acceptor is of no use: it was closed, by us or beneath us.
};

setback setback_of(error_code code) noexcept;

/** An acceptor with one accept pending at the most, which tries again later when descriptors or
    memory have run out. Behind its owner's lock. */
template <class Protocol>
class patient_acceptor {
  using socket_type = typename Protocol::socket;
  using endpoint_type = typename Protocol::endpoint;

 public:
  explicit patient_acceptor(typename Protocol::acceptor&& acceptor)
      : acceptor_(std::move(acceptor)), retry_(acceptor_.get_executor()) {}

  typename Protocol::acceptor& native() noexcept { return acceptor_; }

  /** True while an accept, or the pause before it is tried again, is pending. */
  bool busy() const noexcept { return busy_; }

  /** Accepts one. @param handler `void(error_code, socket_type, endpoint_type)`, without the lock;
      `ended` or `retry` is to follow, with it */
  template <class Handler>
  void accept(asio::any_io_executor const& streams, Handler handler) {
    busy_ = true;
    acceptor_.async_accept(streams, peer_,
                           [this, handler = std::move(handler)](error_code code,
                                                                socket_type socket) mutable {
                             handler(code, std::move(socket), peer_);
                           });
  }

  void ended() noexcept { busy_ = false; }

  /** Waits a little. @param handler `void()`, without the lock; `ended` is to follow */
  template <class Handler>
  void retry(Handler handler) {
    retry_.expires_after(std::chrono::milliseconds(20));
    retry_.async_wait([handler = std::move(handler)](error_code) mutable { handler(); });
  }

  /** A descriptor is free: the pause is over. */
  void retry_now() { retry_.cancel(); }

  void close() {
    error_code ignored;   // the descriptor is gone in any case
    acceptor_.close(ignored);
    retry_.cancel();
  }

 private:
  typename Protocol::acceptor acceptor_;
  endpoint_type peer_;   // of the accept that is pending
  asio::steady_timer retry_;
  bool busy_ = false;
};

}  // namespace cotls::detail
