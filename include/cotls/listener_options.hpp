#pragma once

#include <cotls/detail/support/timeouts.hpp>
#include <cotls/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace cotls {

namespace asio = boost::asio;

/** A connection that came to nothing, as a listener's observer is told of it. */
class accept_failure {
 public:
  accept_failure(asio::ip::tcp::endpoint peer, error reason)
      : peer_(std::move(peer)), reason_(std::move(reason)) {}

  /** Returns the peer's address; unspecified when accepting itself failed, and for the clients of a
      Unix domain socket. */
  asio::ip::tcp::endpoint const& peer() const noexcept { return peer_; }
  error const& reason() const noexcept { return reason_; }

 private:
  asio::ip::tcp::endpoint peer_;
  error reason_;
};

/** What a listener does with a connection that comes while it has as many as it may have
    (`listener_options::max_handshakes`). */
enum class overload : std::uint8_t {
  wait,     ///< It stays in the system's backlog until there is room.
  refuse,   ///< It is accepted and closed at once (`errc::overloaded`).
  /** One that makes no progress gives way (`errc::displaced`): of those that have sent nothing the
      oldest; otherwise of those whose client hello is not whole the one that has sent least;
      otherwise one that was answered a third of the handshake timeout ago and is not done.
      While there is none, the new one waits. */
  drop_oldest,
};

/** How a listener listens. */
class listener_options {
 public:
  using observer_type = std::function<void(accept_failure const&)>;

  listener_options() {}

  /** Connections that the system may keep until they are accepted (`listen`). */
  listener_options& backlog(int connections) { backlog_ = connections; return *this; }

  /** The time for a whole handshake. 10 s by default. */
  listener_options& handshake_timeout(std::chrono::steady_clock::duration limit) {
    handshake_timeout_ = limit;
    return *this;
  }

  /** Hands a connection out, its handshake not done, as soon as early data of the client's is here
      and was accepted (`server_context::set_early_data`); the others as ever. Of each that comes of
      such a listener, `stream::async_read_early` is asked first. Off by default: early data is
      rejected then. */
  listener_options& early_data(bool value) { early_data_ = value; return *this; }

  /** Connections at the most that have not been handed out with their handshake done, incoming ones
      included. 1,024 by default. Those that were refused, and have only to hear of it, do not keep
      others out. */
  listener_options& max_handshakes(std::size_t connections) {
    max_handshakes_ = connections;
    return *this;
  }

  /** What is done with connections beyond that, or beyond the descriptors that the process may have.
      By default one that makes no progress gives way, so that a crowd of silent clients does not
      hold up the good ones; with the others it does, for a handshake timeout. */
  listener_options& on_overload(overload policy) { overload_ = policy; return *this; }

  /** Lets the address be bound while connections of an earlier listener linger (`SO_REUSEADDR`). On
      by default. */
  listener_options& reuse_address(bool value) { reuse_address_ = value; return *this; }

  /** Lets several listeners share a port, among which the system deals (`SO_REUSEPORT`). */
  listener_options& reuse_port(bool value = true) { reuse_port_ = value; return *this; }

  /** Says whether a listener at an IPv6 address keeps IPv4 out (`IPV6_V6ONLY`). By default as the
      system has it: on Linux, one at `::` takes both. */
  listener_options& v6_only(bool value) { v6_only_ = value; return *this; }

  /** Is told of each connection that came to nothing before it was handed out, but for those that
      were dropped when the listener was closed. Called on the thread at hand, and perhaps from
      several at once. What it throws is caught and lost. */
  listener_options& observer(observer_type function) {
    observer_ = std::move(function);
    return *this;
  }

  /** The executor of accepted streams. By default each gets a strand of its own. */
  listener_options& stream_executor(asio::any_io_executor executor) {
    stream_executor_ = std::move(executor);
    return *this;
  }

  int backlog() const noexcept { return backlog_; }
  std::chrono::steady_clock::duration handshake_timeout() const noexcept {
    return handshake_timeout_;
  }
  bool early_data() const noexcept { return early_data_; }
  std::size_t max_handshakes() const noexcept { return max_handshakes_; }
  overload on_overload() const noexcept { return overload_; }
  bool reuse_address() const noexcept { return reuse_address_; }
  bool reuse_port() const noexcept { return reuse_port_; }
  std::optional<bool> v6_only() const noexcept { return v6_only_; }
  observer_type const& observer() const noexcept { return observer_; }
  asio::any_io_executor const& stream_executor() const noexcept {
    return stream_executor_;
  }

 private:
  int backlog_ = asio::socket_base::max_listen_connections;
  std::chrono::steady_clock::duration handshake_timeout_ = detail::usual_handshake_timeout;
  std::size_t max_handshakes_ = 1024;
  overload overload_ = overload::drop_oldest;
  bool reuse_address_ = true;
  bool reuse_port_ = false;
  bool early_data_ = false;
  std::optional<bool> v6_only_;   // empty: the system's default
  observer_type observer_;
  asio::any_io_executor stream_executor_;   // empty: a strand each
};

}  // namespace cotls
