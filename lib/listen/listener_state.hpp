#pragma once

// A connection's way:
//
//   accept -> fresh -> handshake (many at a time, each with its deadline) -> ready -> async_accept
//               |           +-> observer, when it fails or is displaced -> farewell, when we refused
//               +-> async_accept_incoming
//
// From here to its end, or until it is handed out with its handshake done, each has a seat in a room
// (handshake_room.hpp). Everything is behind one mutex but the handshakes, which run on the strands
// of their connections; handlers are completed by posts, the observer is called without the mutex.

#include <cotls/listener.hpp>

#include <cotls/detail/listen/handshake_room.hpp>
#include <cotls/detail/support/access.hpp>

#include "engine/seal.hpp"
#include "listen/listener_connection.hpp"
#include "listen/reloader.hpp"
#include "operation/farewell.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <new>

namespace cotls::detail {

template <class Protocol>
class listener_state : public std::enable_shared_from_this<listener_state<Protocol>> {
  using acceptor_type = typename Protocol::acceptor;
  using endpoint_type = typename Protocol::endpoint;
  using socket_type = typename Protocol::socket;
  using stream_type = stream<socket_type>;
  using incoming_type = basic_incoming<Protocol>;
  using streams_type = stream_waiters<Protocol>;
  using incomings_type = incoming_waiters<Protocol>;

 public:
  listener_state(acceptor_type&& acceptor, server_context context, listener_options options)
      : context_(std::move(context)),
        options_(std::move(options)),
        room_(std::make_shared<handshake_room>(options_.max_handshakes(),
                                               options_.handshake_timeout() / 3)),
        acceptor_(std::move(acceptor)),
        retry_(acceptor_.get_executor()),
        look_again_(acceptor_.get_executor()),
        stop_limit_(acceptor_.get_executor()),
        streams_(acceptor_.get_executor(), &last_ticket_),
        incomings_(acceptor_.get_executor(), &last_ticket_),
        events_(acceptor_.get_executor()),
        stops_(acceptor_.get_executor()) {}

  asio::any_io_executor executor() noexcept { return acceptor_.get_executor(); }

  endpoint_type local_endpoint() {
    std::scoped_lock const lock(mutex_);
    return acceptor_.local_endpoint();
  }

  int native_handle() {
    std::scoped_lock const lock(mutex_);
    return acceptor_.native_handle();
  }

  server_context context() {
    std::scoped_lock const lock(mutex_);
    return context_;
  }

  void await_stream(add_to<streams_type> const& add, asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    if (!wait(streams_, add, slot, unusable())) return;
    runs_ahead_ = true;
    go_on();
  }

  void await_incoming(add_to<incomings_type> const& add, asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    if (!wait(incomings_, add, slot, closed())) return;
    runs_ahead_ = false;
    go_on();
  }

  void await_ready(add_to<event_waiters> const& add, asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    if (!wait(events_, add, slot, unusable())) return;
    runs_ahead_ = true;
    go_on();
  }

  bool ready() {
    std::scoped_lock const lock(mutex_);
    if (closed_) return false;
    detail::seal(context_);
    runs_ahead_ = true;
    go_on();
    return !ready_.empty();
  }

  void close() {
    std::scoped_lock const lock(mutex_);
    close_now(asio::error::operation_aborted, asio::error::operation_aborted);
  }

  void replace(server_context next) {
    detail::seal(next);
    std::scoped_lock const lock(mutex_);
    std::swap(context_, next);
  }

  /** Uses a reloader's context, and what it makes from here on, until the next is watched. */
  void watch(std::shared_ptr<reloader> files, server_context first) {
    detail::seal(first);
    std::scoped_lock const lock(mutex_);
    std::swap(context_, first);
    std::swap(reloader_, files);
    if (files) files->stop();
    if (!closed_) reloader_->start();
  }

  /** Uses what a reloader has made, unless another is watched meanwhile. */
  void replace(server_context next, reloader const& by) {
    detail::seal(next);
    std::scoped_lock const lock(mutex_);
    if (reloader_.get() == &by) std::swap(context_, next);
  }

  void stop(add_to<event_waiters> const& add, asio::cancellation_slot slot,
            std::chrono::steady_clock::duration limit) {
    std::scoped_lock const lock(mutex_);
    wait(stops_, add, slot, {});
    stopping_ = true;
    error_code ignored;   // the descriptor is gone in any case
    acceptor_.close(ignored);
    retry_.cancel();
    if (closed_) return close_now({}, {});
    stop_limit_.expires_at(moment_after(limit));
    stop_limit_.async_wait([weak = this->weak_from_this()](error_code code) {
      if (auto const self = weak.lock(); self && !code) self->stop_at_limit();
    });
    end_if_drained();
  }

 private:
  using connection = listener_connection<Protocol>;
  using connection_ptr = std::shared_ptr<connection>;

  template <class... Values>
  static void end(waiting_list<error_code, Values...>& list,
                   typename waiting_list<error_code, Values...>::ticket which, error_code code) {
    list.complete(which, code, Values()...);
  }

  template <class... Values>
  static void end_all(waiting_list<error_code, Values...>& list, error_code code) {
    while (!list.empty()) list.complete_first(code, Values()...);
  }

  // Adds a handler to a list; false when it has failed at once.
  template <class List>
  bool wait(List& list, add_to<List> const& add, asio::cancellation_slot slot,
            error_code unusable) {
    auto const ticket = add(list);
    if (unusable) {
      end(list, ticket, unusable);
      return false;
    }
    if (slot.is_connected()) {
      slot.assign([self = this->shared_from_this(), &list, ticket](asio::cancellation_type) {
        std::scoped_lock const lock(self->mutex_);
        end(list, ticket, asio::error::operation_aborted);
      });
    }
    return true;
  }

  // Ends everything; `reason` is for those who wait, `stopped` for those who wait for the end.
  void close_now(error_code reason, error_code stopped) {
    closed_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    look_again_.cancel();
    stop_limit_.cancel();
    if (reloader_) reloader_->stop();
    end_all(streams_, reason);
    end_all(incomings_, reason);
    end_all(events_, reason);
    end_all(stops_, stopped);
    ready_.clear();
    fresh_.reset();
    for (auto const& each : shaking_) {
      asio::post(each.second->strand, [one = each.second] { one->drop(); });
    }
    room_->cut_refused();
  }

  // An accept that has not been told of the end yet may still bring a connection.
  void end_if_drained() {
    bool const busy = accepting_ || fresh_ || !shaking_.empty() || farewells_ > 0 || !ready_.empty();
    if (stopping_ && !closed_ && !busy) close_now(asio::error::operation_aborted, {});
  }

  void stop_at_limit() {
    std::scoped_lock const lock(mutex_);
    if (!closed_) close_now(asio::error::operation_aborted, asio::error::timed_out);
  }

  error_code closed() const {
    return closed_ ? error_code(asio::error::operation_aborted) : error_code();
  }

  error_code unusable() {
    if (closed_) return closed();
    try {
      detail::seal(context_);
      return {};
    } catch (boost::system::system_error const& unusable) {
      return unusable.code();
    }
  }

  // Whether anybody wants connections to shake hands.
  bool streams_wanted() const noexcept {
    return runs_ahead_ || !streams_.empty() || !events_.empty();
  }

  // First come, first served: a connection is for the first who wants an incoming one as soon as
  // each accept that was asked before has one that shakes hands.
  bool incoming_is_next() const {
    return !incomings_.empty() && streams_.count_before(incomings_.first()) <= shaking_.size();
  }

  // Does whatever can be done after something has changed.
  void go_on() {
    while (!streams_.empty() && !ready_.empty()) {
      stream_type first = std::move(ready_.front().stream);
      ready_.pop_front();
      streams_.complete_first({}, std::move(first));
    }
    place_fresh();
    if (!ready_.empty()) end_all(events_, {});
    accept_more();
    end_if_drained();
  }

  bool wanted() const { return incoming_is_next() || streams_wanted(); }

  void place_fresh() {
    if (!fresh_ || !wanted()) return;
    if (!make_room_or_look_again()) return;
    fresh_->take_seat(*room_);
    if (incoming_is_next()) {
      incomings_.complete_first({}, incoming_type(std::make_shared<incoming_state<Protocol>>(
                                        std::move(fresh_->socket), fresh_->peer, *fresh_->context,
                                        options_.handshake_timeout(), std::move(fresh_->seat))));
      fresh_.reset();
    } else {
      shake(std::move(fresh_));
    }
  }

  // Those that were refused, and wait for nothing but the end, make room whatever the policy.
  handshake_room::mercy mercy() const noexcept {
    bool const drops = options_.on_overload() == overload::drop_oldest;
    return drops ? handshake_room::mercy::progress : handshake_room::mercy::all_but_refused;
  }

  bool make_room_or_look_again() {
    if (room_->make_room(mercy())) return true;   // as nearly always, without a function to be kept
    bool const made = room_->make_room(mercy(), [weak = this->weak_from_this()] {
      auto const self = weak.lock();
      if (self) asio::post(self->acceptor_.get_executor(), [self] { self->look_again(); });
    });
    if (made) return true;
    if (options_.on_overload() != overload::drop_oldest) return false;
    auto const next = room_->next_out_of_patience();
    if (next == std::chrono::steady_clock::time_point::max()) return false;
    look_again_.expires_at(next);
    look_again_.async_wait([weak = this->weak_from_this()](error_code code) {
      if (auto const self = weak.lock(); self && !code) self->look_again();
    });
    return false;
  }

  void look_again() {
    std::scoped_lock const lock(mutex_);
    if (!closed_) go_on();
  }

  void accept_more() {
    if (closed_ || stopping_ || accepting_ || fresh_) return;
    if (!wanted()) return;
    if (options_.on_overload() == overload::wait && !make_room_or_look_again()) return;
    accepting_ = true;
    asio::any_io_executor const strand = make_strand(acceptor_.get_executor());
    acceptor_.async_accept(
        options_.stream_executor() ? options_.stream_executor() : strand, peer_,
        [self = this->shared_from_this(), strand](error_code code, socket_type socket) {
          self->accepted(code, std::move(socket), strand);
        });
  }

  void accepted(error_code code, socket_type socket, asio::any_io_executor const& strand) {
    if (code) return not_accepted(code);
    connection_ptr made;
    try {
      made = std::make_shared<connection>(std::move(socket), strand);
    } catch (std::bad_alloc const&) {
      return not_accepted(asio::error::no_memory);
    }
    if constexpr (std::same_as<Protocol, asio::ip::tcp>) {
      error_code ignored;   // a peer that is gone already fails its handshake
      made->socket.set_option(asio::ip::tcp::no_delay(true), ignored);   // A10
    }
    made->peer = peer_;
    if (refuses()) {
      made.reset();
      tell(peer_, error(errc::overloaded));
    }
    std::scoped_lock const lock(mutex_);
    accepting_ = false;
    if (closed_) return;
    fresh_ = std::move(made);
    if (fresh_) fresh_->context = context_;
    go_on();
  }

  bool refuses() {
    std::scoped_lock const lock(mutex_);
    return options_.on_overload() == overload::refuse && wanted() && !room_->make_room(mercy());
  }

  // A descriptor or memory may be free again soon; a connection that was reset before it was
  // accepted is the peer's affair; after anything else the acceptor is of no use (A9).
  void not_accepted(error_code code) {
    bool const exhausted = code == asio::error::no_descriptors || code == asio::error::no_memory ||
                           code == asio::error::no_buffer_space ||
                           code == boost::system::errc::too_many_files_open_in_system;
    bool const gone = code == asio::error::operation_aborted ||
                      code == asio::error::bad_descriptor ||
                      code == asio::error::invalid_argument;
    if (gone) return no_more(code);
    tell({}, error(code));
    std::scoped_lock const lock(mutex_);
    if (!exhausted) {
      accepting_ = false;
      return accept_more();
    }
    room_->displace(mercy());
    retry_.expires_after(std::chrono::milliseconds(20));
    retry_.async_wait([self = this->shared_from_this()](error_code) {
      std::scoped_lock const relock(self->mutex_);
      self->accepting_ = false;
      self->accept_more();
      self->end_if_drained();
    });
  }

  // The acceptor was closed, by us or beneath us.
  void no_more(error_code code) {
    std::scoped_lock const lock(mutex_);
    accepting_ = false;
    if (!stopping_ && !closed_) close_now(code, asio::error::operation_aborted);
    end_if_drained();
  }

  // Begins a handshake, on its strand: its first step may be a signature, for which nobody else
  // should have to wait.
  void shake(connection_ptr one) {
    one->number = ++last_number_;
    shaking_.emplace(one->number, one);
    asio::post(one->strand, [self = this->shared_from_this(), one] {
      one->began = std::chrono::steady_clock::now();
      try {
        one->stream = stream_type(std::move(one->socket), *one->context);
      } catch (boost::system::system_error const& unusable) {
        return self->shaken(one, unusable.code());
      } catch (std::exception const&) {
        return self->shaken(one, asio::error::no_memory);
      }
      compose<seated<handshake_operation<core<socket_type>>>>(
          access::core(one->stream), self->options_.handshake_timeout(),
          asio::bind_executor(one->strand,
                              [self, one](error_code failed) { self->shaken(one, failed); }),
          one->seat.get());
    });
  }

  void shaken(connection_ptr const& one, error_code failed) {
    if (!failed && !one->stream) failed = asio::error::operation_aborted;   // closed meanwhile
    if (!failed && !one->seat->holds()) failed = errc::displaced;
    if (failed && (one->stream || failed != asio::error::operation_aborted)) {
      tell(one->peer, *one, failed);
    }
    bool const leaves = failed && is_refusal(failed) && one->stream && one->seat->refuses();
    if (failed && !leaves) one->drop();
    std::scoped_lock const lock(mutex_);
    shaking_.erase(one->number);
    if (closed_) return;
    if (leaves && !says_farewell(one)) one->drop();   // the client sees a reset instead
    if (!failed) ready_.push_back({std::move(one->stream), std::move(one->seat)});
    if (failed) retry_.cancel();   // a descriptor is free
    go_on();
  }

  void tell(endpoint_type const& peer, connection const& one, error_code failed) const {
    try {
      bool const known = failed != errc::displaced && one.stream;
      tell(peer, known ? access::core(one.stream)->failure(failed, "handshake") : error(failed));
    } catch (std::bad_alloc const&) {
      // There is no memory to say it.
    }
  }

  // False without memory for it.
  bool says_farewell(connection_ptr const& one) {
    auto const taken = std::chrono::steady_clock::now() - one->began;
    std::function<void()> over;
    try {
      over = [self = this->shared_from_this(), one] {
        one->seat->leave();
        asio::post(self->acceptor_.get_executor(), [self] {
          std::scoped_lock const lock(self->mutex_);
          --self->farewells_;
          if (!self->closed_) self->go_on();
        });
      };
    } catch (std::bad_alloc const&) {
      return false;
    }
    ++farewells_;
    farewell<socket_type>::say(access::core(one->stream)->transport().take_next(),
                               options_.handshake_timeout() - taken, std::move(over));
    return true;
  }

  // What an observer throws must not keep a place from being left.
  void tell(endpoint_type const& peer, error const& reason) const {
    if (!options_.observer()) return;
    try {
      if constexpr (std::same_as<Protocol, asio::ip::tcp>) {
        options_.observer()(accept_failure(peer, reason));
      } else {
        options_.observer()(accept_failure({}, reason));
      }
    } catch (...) {
      // It was told.
    }
  }

  server_context context_;
  listener_options const options_;
  std::shared_ptr<handshake_room> const room_;
  std::mutex mutex_;
  acceptor_type acceptor_;
  endpoint_type peer_;   // of the accept that is pending
  asio::steady_timer retry_;
  asio::steady_timer look_again_;   // whether somebody gives way
  asio::steady_timer stop_limit_;
  std::shared_ptr<reloader> reloader_;
  connection_ptr fresh_;   // accepted, and nobody has it yet
  std::map<std::uint64_t, connection_ptr> shaking_;   // the oldest first
  std::deque<ready_connection<stream_type>> ready_;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::size_t farewells_ = 0;   // in progress
  streams_type streams_;
  incomings_type incomings_;
  event_waiters events_;   // for a stream to be ready
  event_waiters stops_;
  bool runs_ahead_ = false;   // the latest to ask wants streams
  bool stopping_ = false;
  bool accepting_ = false;   // an accept, or the pause before it is tried again, is pending
  bool closed_ = false;
};

}  // namespace cotls::detail
