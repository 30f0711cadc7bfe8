#pragma once

#include <cotls/blocking/context_or_protocol.hpp>
#include <cotls/blocking/stream.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/support/timeouts.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace cotls::blocking {

/** How a listener listens. */
class listen_options {
 public:
  using duration = std::chrono::steady_clock::duration;

  listen_options() {}

  /** A backlog alone will do for options. */
  listen_options(int backlog) : backlog_(backlog) {}

  /** Connections that the system may keep until they are accepted (`listen`). */
  listen_options& backlog(int connections) { backlog_ = connections; return *this; }

  /** Takes an address that connections of an earlier listener still linger on (`SO_REUSEADDR`); on
      by default. */
  listen_options& reuse_address(bool value) { reuse_address_ = value; return *this; }

  /** Lets several listeners share a port, among which the system deals (`SO_REUSEPORT`). */
  listen_options& reuse_port(bool value = true) { reuse_port_ = value; return *this; }

  /** The longest that an accept waits for a client; by default as long as it takes. */
  listen_options& accept_timeout(duration limit) { accept_timeout_ = limit; return *this; }

  /** The time for a whole handshake. 10 s by default. */
  listen_options& handshake_timeout(duration limit) { handshake_timeout_ = limit; return *this; }

  /** Hands a connection out, its handshake not done, as soon as early data of the client's is here
      and was accepted; as `cotls::listener_options::early_data`. */
  listen_options& early_data(bool value) { early_data_ = value; return *this; }

  int backlog() const noexcept { return backlog_; }
  bool reuse_address() const noexcept { return reuse_address_; }
  bool reuse_port() const noexcept { return reuse_port_; }
  bool early_data() const noexcept { return early_data_; }
  duration accept_timeout() const noexcept { return accept_timeout_; }
  duration handshake_timeout() const noexcept { return handshake_timeout_; }

 private:
  int backlog_ = asio::socket_base::max_listen_connections;
  bool reuse_address_ = true;
  bool reuse_port_ = false;
  bool early_data_ = false;
  duration accept_timeout_ = duration::max();
  duration handshake_timeout_ = detail::usual_handshake_timeout;
};

/** Accepts connections and shakes hands with them, one at a time.

    The context can be changed until the first accept, which seals it: a listener may be made of a
    protocol's word, and be given its certificate and key afterwards, through `context()`.

    One that was moved from is empty: its calls fail with `errc::not_connected`.

    @par Concurrency `accept`, `accept_ready`, `wait_ready` and `close` may be called from several
    threads at once; settings, moving and destroying must not meet them.
*/
class listener {
 public:
  using duration = stream::duration;

  /** Binds and listens. @par Errors `errc::unsupported_protocol`; the system's */
  listener(asio::ip::tcp::endpoint const& endpoint,
           context_or_protocol<server_context> const& context,
           listen_options const& options = listen_options());

  /** The same, at the first address of a host that can be bound.
      @param host  A name or an address of this machine; empty: all addresses, of IPv6 and IPv4.
      @param port  0 to 65535; 0: the system chooses.
      @par Errors `errc::invalid_port`; the lookup's */
  listener(std::string_view host, int port, context_or_protocol<server_context> const& context,
           listen_options const& options = listen_options());

  /** The same, at a Unix domain socket. Its file must not exist, and is not removed at the end. */
  listener(asio::local::stream_protocol::endpoint const& path,
           context_or_protocol<server_context> const& context,
           listen_options const& options = listen_options());

  /** Waits for a connection and shakes hands with it. A peer that is slow holds up the next one
      for no longer than the handshake timeout. One that is refused is listened to until it has
      heard of it and ends, within that time and for 2 s at most.

      @par Errors The listener stays usable after a handshake that failed (its codes as those of
      `cotls::stream::async_handshake`); after `asio::error::timed_out`, when no client came in
      time; after `errc::no_certificate` and `errc::no_roots`, once the context has what is missing;
      and when descriptors or memory have run out (`asio::error::no_descriptors`,
      `boost::system::errc::too_many_files_open_in_system`, `asio::error::no_buffer_space`,
      `asio::error::no_memory`): the client waits meanwhile, and the next accept would fail at once
      again, so release some, or wait a little. Not after `asio::error::operation_aborted`: the
      listener was closed. */
  stream accept();

  /** The same; on failure the stream is empty. */
  stream accept(error_code& code);

  /** Tells whether a client waits to be accepted, which it goes on doing.
      @par Errors `asio::error::operation_aborted` after `close` */
  bool accept_ready() const { return wait_ready(duration::zero()); }

  /** Waits until a client waits to be accepted; false when none came in time. */
  bool wait_ready(duration limit = duration::max()) const;

  /** Stops listening: clients that were not accepted are reset, and accepts, those that wait in
      other threads included, end with `asio::error::operation_aborted`. A handshake that has begun
      goes on. The descriptor is closed with the listener. */
  void close() noexcept;

  void set_handshake_timeout(duration limit) noexcept { options_.handshake_timeout(limit); }
  void set_accept_timeout(duration limit) noexcept { options_.accept_timeout(limit); }

  /** Returns the address that is listened on.
      @par Errors `asio::error::address_family_not_supported` for a Unix domain socket */
  asio::ip::tcp::endpoint local_endpoint() const;
  std::uint16_t port() const { return local_endpoint().port(); }

  /** Returns the descriptor, which has input when a client waits (`poll`). It does not block. -1
      for one that was moved from. */
  int native_handle() const noexcept { return socket_.get(); }

  server_context& context() noexcept { return context_; }

 private:
  int descriptor() const;
  detail::owned_descriptor accept_socket(asio::ip::tcp::endpoint& peer);

  server_context context_;
  listen_options options_;
  detail::owned_descriptor socket_;
};

}  // namespace cotls::blocking
