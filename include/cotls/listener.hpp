#pragma once

#include <cotls/context.hpp>
#include <cotls/detail/support/initiation.hpp>
#include <cotls/detail/support/waiting_list.hpp>
#include <cotls/incoming.hpp>
#include <cotls/listener_options.hpp>
#include <cotls/protocol.hpp>
#include <cotls/reload_options.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace cotls {

namespace detail {

template <class Protocol>
class listener_state;

/// The handlers that wait for a listener; one ticket each.
template <class Protocol>
using stream_waiters = waiting_list<error_code, stream<typename Protocol::socket>>;
template <class Protocol>
using incoming_waiters = waiting_list<error_code, basic_incoming<Protocol>>;
using event_waiters = waiting_list<error_code>;

/// Puts a handler into a list, under the listener's lock.
template <class List>
using add_to = std::function<typename List::ticket(List&)>;

}  // namespace detail

/** Accepts connections and shakes hands with them, many at a time.

    A slow or hostile peer never holds up the others: handshakes run beside each other, each under a
    deadline, and one that fails is reported to the observer and forgotten. Accepting begins with
    the first accept, which seals the context. When the process or the system is out of descriptors
    or memory, the listener waits a little and goes on.

    Accepts are served in the order in which they were asked. Connections that come while none waits
    are dealt with as the latest one was: after `async_accept`, they shake hands and are ready for
    the next; after `async_accept_incoming`, they wait untouched.

    @par Concurrency  Safe to use from several threads, but for moving and destroying. Closing it, or
    destroying it, ends accepts that wait and handshakes in progress; what was handed out lives on.
*/
template <class Protocol>
class basic_listener {
  using state_type = detail::listener_state<Protocol>;
  using stream_waiters = detail::stream_waiters<Protocol>;
  using incoming_waiters = detail::incoming_waiters<Protocol>;
  using event_waiters = detail::event_waiters;

 public:
  using executor_type = asio::any_io_executor;
  using endpoint_type = typename Protocol::endpoint;
  using acceptor_type = typename Protocol::acceptor;
  using stream_type = stream<typename Protocol::socket>;
  using incoming_type = basic_incoming<Protocol>;

  /** Binds and listens. The path of a Unix domain socket must be free; it is not removed.
      @par Errors `cotls::error` with the system's code, for an address that cannot be bound. */
  basic_listener(asio::any_io_executor executor, endpoint_type const& endpoint,
                 server_context const& context,
                 listener_options const& options = listener_options());

  /** The same with a context made for a protocol: its certificate and whatever else it needs are
      given to it through `context()`. @par Errors `errc::unsupported_protocol` too */
  basic_listener(asio::any_io_executor executor, endpoint_type const& endpoint, protocol versions,
                 listener_options const& options = listener_options())
      : basic_listener(std::move(executor), endpoint, server_context(versions), options) {}

  /** Listens at a host name or address of this machine: at the first of its addresses that can be
      bound. An empty one means all: IPv6 and IPv4, or IPv4 where there is no IPv6.

      A name is looked up on the calling thread.
      @param port  0 to 65535; 0 lets the system choose.
      @par Errors `errc::invalid_port`; the lookup's; the system's for the last address */
  basic_listener(asio::any_io_executor executor, std::string_view host, int port,
                 server_context const& context,
                 listener_options const& options = listener_options())
    requires std::same_as<Protocol, asio::ip::tcp>;

  basic_listener(asio::any_io_executor executor, std::string_view host, int port,
                 protocol versions, listener_options const& options = listener_options())
    requires std::same_as<Protocol, asio::ip::tcp>
      : basic_listener(std::move(executor), host, port, server_context(versions), options) {}

  /** Adopts an acceptor that is listening. */
  basic_listener(acceptor_type&& acceptor, server_context const& context,
                 listener_options const& options = listener_options());

  /** One that was moved from is empty: what is asked of it throws `errc::not_connected`. */
  basic_listener(basic_listener&&) noexcept;
  basic_listener& operator=(basic_listener&&) noexcept;
  ~basic_listener();

  executor_type get_executor() const;

  /** Return where it listens. @par Errors The system's, after `close` */
  endpoint_type local_endpoint() const;
  std::uint16_t port() const
    requires std::same_as<Protocol, asio::ip::tcp>
  {
    return local_endpoint().port();
  }

  /** Returns the acceptor's descriptor; -1 after `close`. */
  int native_handle() const;

  /** Returns the context in use, a copy that shares its settings, as all copies do: they can be
      changed through it until the first accept. For another context there is `replace_context`. */
  server_context context() const;

  /** Hands out a stream whose handshake is done. `void(error_code, stream_type)`

      @par Errors `errc::no_certificate` when the context has no certificate and key; the system's
      when the acceptor is of no more use; `operation_aborted` after `close`.
      @par Cancellation All types; connections are not lost by it.
  */
  template <class Token = asio::use_awaitable_t<>>
  auto async_accept(Token&& token = Token()) {
    return wait<void(error_code, stream_type)>(await_stream, token);
  }

  /** Hands out a connection before its handshake. `void(error_code, incoming_type)`

      The context need not have a certificate, where another is chosen for each connection. What is
      handed out counts for `max_handshakes` until its handshake is done, or it was released,
      refused or destroyed; while its client is waited for, it may give way as any other
      (`listener_options::on_overload`), unless `next_layer` was called. The observer is not told.
      @par Errors As `async_accept`, but for the context's.
      @par Cancellation All types; connections are not lost by it.
  */
  template <class Token = asio::use_awaitable_t<>>
  auto async_accept_incoming(Token&& token = Token()) {
    return wait<void(error_code, incoming_type)>(await_incoming, token);
  }

  /** Tells whether `async_accept` would complete at once with a stream. Begins to accept, as that
      does; for anything to come of it the executor must run.
      @par Errors `cotls::error` as `async_accept`, when the context cannot be used */
  bool accept_ready();

  /** Waits until `async_accept` would complete at once, and takes nothing. `void(error_code)`

      Where several wait or accept, all of them are woken, and one of them gets the stream.
      @par Errors As `async_accept`.
      @par Cancellation All types. */
  template <class Token = asio::use_awaitable_t<>>
  auto async_wait_ready(Token&& token = Token()) {
    return wait<void(error_code)>(await_ready, token);
  }

  /** Uses another context for the connections that are accepted from here on, and seals it. Those
      accepted before keep theirs, and none is dropped.
      @par Errors `errc::no_certificate`, `errc::no_roots`: the listener keeps what it has. */
  void replace_context(server_context const& context);

  /** Makes the context anew whenever one of its files has changed, and uses it (`replace_context`).

      It is made once before this returns, and from then on when a file is another one (renamed,
      exchanged by a symbolic link), or its size or a time has changed. Files that belong together
      are not exchanged at one moment: while what is made of them cannot be used, the listener keeps
      what it has, and tries again each time it looks. A change within the resolution of the file
      system's clock shows in no time: after a fresh one the context is made once more 2 s later.

      It ends with the listener, or with the next call.
      @param make  Reads the files. Runs on the listener's executor, as the observer does, which it
                   holds up for as long as it takes; one call at a time.
      @par Errors What the first `make` throws, and those of `replace_context`: nothing is watched
      then, or what was watched before. */
  void reload_when_changed(std::vector<std::filesystem::path> files,
                           std::function<server_context()> make,
                           reload_options const& options = reload_options());

  /** Stops listening. Accepts that wait end with `operation_aborted`. */
  void close();

  /** Stops listening, and lets the handshakes in progress come to their end. `void(error_code)`

      Completes when all that were accepted have been handed to accepts, or have failed; then
      accepts that still wait end with `operation_aborted`. What is done with the streams is the
      caller's affair. Connections that the system has not given to us are reset.
      @par Errors `asio::error::timed_out` when the limit cut off what was in progress.
      @par Cancellation All types. It ends the wait alone: the listener stops all the same.
  */
  template <class Token = asio::use_awaitable_t<>>
  auto async_stop(std::chrono::steady_clock::duration limit, Token&& token = Token()) {
    auto const stop = [limit](state_type& state, detail::add_to<event_waiters> const& add,
                              asio::cancellation_slot slot) {
      await_stop(state, add, slot, limit);
    };
    return wait<void(error_code)>(stop, token);
  }

 private:
  using slot_type = asio::cancellation_slot;

  static void await_stream(state_type& state, detail::add_to<stream_waiters> const& add,
                           slot_type slot);
  static void await_incoming(state_type& state, detail::add_to<incoming_waiters> const& add,
                             slot_type slot);
  static void await_ready(state_type& state, detail::add_to<event_waiters> const& add,
                          slot_type slot);
  static void await_stop(state_type& state, detail::add_to<event_waiters> const& add,
                         slot_type slot, std::chrono::steady_clock::duration limit);

  // Starts an operation whose handler waits in one of the state's lists.
  template <class Signature, class Start, class Token>
  auto wait(Start start, Token& token) {
    auto const initiate = [](auto handler, std::shared_ptr<state_type> const& state,
                             asio::any_io_executor const& executor, Start how) {
      auto const slot = asio::get_associated_cancellation_slot(handler);
      how(*state, [&](auto& waiters) { return waiters.add(std::move(handler), executor); }, slot);
    };
    return asio::async_initiate<Token, Signature>(detail::initiation(get_executor(), initiate),
                                                  token, state_, get_executor(), start);
  }

  std::shared_ptr<state_type> state_;
};

/** Accepts TCP connections, and sets `TCP_NODELAY`. */
using listener = basic_listener<asio::ip::tcp>;

/** Accepts connections over a Unix domain socket. */
using local_listener = basic_listener<asio::local::stream_protocol>;

extern template class basic_listener<asio::ip::tcp>;
extern template class basic_listener<asio::local::stream_protocol>;

}  // namespace cotls
