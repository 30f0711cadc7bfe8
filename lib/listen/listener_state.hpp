#pragma once

// A connection's way:
//
//   patient_acceptor -> fresh -> handshakes: many at a time, each with its deadline -> ready
//                         |           |                                                  |
//                         |           +-> observer, when one fails or is displaced       |
//                         +-> async_accept_incoming     accept_queue: async_accept  <----+
//
// What becomes of each by itself is `establishing`; from its placing on it has a seat in a room
// (handshake_room.hpp). Everything is behind one mutex but the handshakes, which run on the strands
// of their connections; handlers are completed by posts, the observer is called without the mutex.

#include <cotls/listener.hpp>

#include <cotls/detail/listen/establishing.hpp>
#include <cotls/detail/listen/handshake_room.hpp>

#include "engine/seal.hpp"
#include "listen/accept_queue.hpp"
#include "listen/handshakes.hpp"
#include "listen/patient_acceptor.hpp"
#include "listen/reloader.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <cstdint>
#include <functional>
#include <mutex>
#include <new>
#include <optional>

namespace cotls::detail {

// A strand over an executor whose type is known fits into any_io_executor's own storage; one over
// another any_io_executor does not, and costs five allocations each time a handler runs on it (A27).
inline asio::any_io_executor make_strand(asio::any_io_executor const& executor) {
  if (auto const* known = executor.target<asio::io_context::executor_type>()) {
    return asio::make_strand(*known);
  }
  return asio::make_strand(executor);
}

template <class Protocol>
class listener_state : public std::enable_shared_from_this<listener_state<Protocol>> {
  using acceptor_type = typename Protocol::acceptor;
  using endpoint_type = typename Protocol::endpoint;
  using socket_type = typename Protocol::socket;
  using stream_type = stream<socket_type>;
  using incoming_type = basic_incoming<Protocol>;
  using connection = establishing<Protocol>;

 public:
  listener_state(acceptor_type&& acceptor, server_context context, listener_options options)
      : context_(std::move(context)),
        options_(std::move(options)),
        room_(std::make_shared<handshake_room>(options_.max_handshakes(),
                                               options_.handshake_timeout() / 3)),
        acceptor_(std::move(acceptor)),
        look_again_(executor()),
        stop_limit_(executor()),
        waiting_(executor()) {}

  asio::any_io_executor executor() noexcept { return acceptor_.native().get_executor(); }

  endpoint_type local_endpoint() {
    std::scoped_lock const lock(mutex_);
    return acceptor_.native().local_endpoint();
  }

  int native_handle() {
    std::scoped_lock const lock(mutex_);
    return acceptor_.native().native_handle();
  }

  server_context context() {
    std::scoped_lock const lock(mutex_);
    return context_;
  }

  void await_stream(add_to<stream_waiters<Protocol>> const& add, asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    if (!wait(waiting_.streams, add, slot, unusable())) return;
    waiting_.runs_ahead = true;
    go_on();
  }

  void await_incoming(add_to<incoming_waiters<Protocol>> const& add,
                      asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    if (!wait(waiting_.incomings, add, slot, closed())) return;
    waiting_.runs_ahead = false;
    go_on();
  }

  void await_ready(add_to<event_waiters> const& add, asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    if (!wait(waiting_.events, add, slot, unusable())) return;
    waiting_.runs_ahead = true;
    go_on();
  }

  bool ready() {
    std::scoped_lock const lock(mutex_);
    if (closed_) return false;
    detail::seal(context_);
    waiting_.runs_ahead = true;
    go_on();
    return handshakes_.ready();
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
    wait(waiting_.stops, add, slot, {});
    stopping_ = true;
    acceptor_.close();
    if (closed_) return close_now({}, {});
    stop_limit_.expires_at(moment_after(limit));
    stop_limit_.async_wait([weak = this->weak_from_this()](error_code code) {
      if (auto const self = weak.lock(); self && !code) self->stop_at_limit();
    });
    end_if_drained();
  }

 private:
  // What happens to a connection runs on its strand, whatever the stream's executor: closing the
  // listener may meet the handshake on another thread.
  struct running {
    std::shared_ptr<connection> one;
    asio::any_io_executor strand;
  };

  // Adds a handler to a list; false when it has failed at once.
  template <class... Values>
  bool wait(waiting_list<error_code, Values...>& list,
            add_to<waiting_list<error_code, Values...>> const& add, asio::cancellation_slot slot,
            error_code unusable) {
    auto const ticket = add(list);
    if (unusable) {
      list.complete(ticket, unusable, Values()...);
      return false;
    }
    if (slot.is_connected()) {
      slot.assign([self = this->shared_from_this(), &list, ticket](asio::cancellation_type) {
        std::scoped_lock const lock(self->mutex_);
        list.complete(ticket, asio::error::operation_aborted, Values()...);
      });
    }
    return true;
  }

  // Ends everything; `reason` is for those who wait, `stopped` for those who wait for the end.
  void close_now(error_code reason, error_code stopped) {
    closed_ = true;
    acceptor_.close();
    look_again_.cancel();
    stop_limit_.cancel();
    if (reloader_) reloader_->stop();
    waiting_.end_accepts(reason);
    end_all(waiting_.stops, stopped);
    handshakes_.drop_ready();
    fresh_.reset();
    for (auto const& [number, each] : handshakes_.all()) {
      asio::post(each.strand, [one = each.one] { one->abandon(); });
    }
    room_->cut_refused();
  }

  // An accept that has not been told of the end yet may still bring a connection.
  void end_if_drained() {
    bool const busy = acceptor_.busy() || fresh_ || !handshakes_.none();
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

  bool incoming_is_next() const { return waiting_.incoming_is_next(handshakes_.in_progress()); }
  bool wanted() const { return incoming_is_next() || waiting_.streams_wanted(); }

  // Does whatever can be done after something has changed.
  void go_on() {
    while (!waiting_.streams.empty() && handshakes_.ready()) {
      waiting_.streams.complete_first({}, handshakes_.take());
    }
    place_fresh();
    if (handshakes_.ready()) end_all(waiting_.events, {});
    accept_more();
    end_if_drained();
  }

  void place_fresh() {
    if (!fresh_ || !wanted() || !make_room_or_look_again()) return;
    running placed = std::move(*fresh_);
    fresh_.reset();
    placed.one->take_seat(*room_);
    if (incoming_is_next()) {
      waiting_.incomings.complete_first({}, incoming_type(std::move(placed.one)));
    } else {
      shake(std::move(placed));
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
      if (self) asio::post(self->executor(), [self] { self->look_again(); });
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
    if (closed_ || stopping_ || acceptor_.busy() || fresh_) return;
    if (!wanted()) return;
    if (options_.on_overload() == overload::wait && !make_room_or_look_again()) return;
    asio::any_io_executor const strand = make_strand(executor());
    acceptor_.accept(options_.stream_executor() ? options_.stream_executor() : strand,
                     [self = this->shared_from_this(), strand](
                         error_code code, socket_type socket, endpoint_type const& peer) {
                       self->accepted(code, std::move(socket), peer, strand);
                     });
  }

  void accepted(error_code code, socket_type socket, endpoint_type const& peer,
                asio::any_io_executor const& strand) {
    if (code) return not_accepted(code);
    std::shared_ptr<connection> made;
    try {
      made = std::make_shared<connection>(std::move(socket), peer);
    } catch (std::bad_alloc const&) {
      return not_accepted(asio::error::no_memory);
    }
    if constexpr (std::same_as<Protocol, asio::ip::tcp>) {
      error_code ignored;   // a peer that is gone already fails its handshake
      made->socket().set_option(asio::ip::tcp::no_delay(true), ignored);   // A10
    }
    if (refuses()) {
      made.reset();
      tell(peer, error(errc::overloaded));
    }
    std::scoped_lock const lock(mutex_);
    acceptor_.ended();
    if (closed_) return;
    if (made) {
      made->begin(context_, options_.handshake_timeout(), options_.early_data());
      fresh_ = running{std::move(made), strand};
    }
    go_on();
  }

  bool refuses() {
    std::scoped_lock const lock(mutex_);
    return options_.on_overload() == overload::refuse && wanted() && !room_->make_room(mercy());
  }

  void not_accepted(error_code code) {
    setback const met = setback_of(code);
    if (met != setback::final) tell({}, error(code));
    std::scoped_lock const lock(mutex_);
    switch (met) {
      case setback::passing:
        acceptor_.ended();
        return accept_more();
      case setback::final:
        acceptor_.ended();
        if (!stopping_ && !closed_) close_now(code, asio::error::operation_aborted);
        return end_if_drained();
      case setback::exhausted: break;
    }
    room_->displace(mercy());
    acceptor_.retry([self = this->shared_from_this()] {
      std::scoped_lock const relock(self->mutex_);
      self->acceptor_.ended();
      self->accept_more();
      self->end_if_drained();
    });
  }

  // Begins a handshake, on its strand: its first step may be a signature, for which nobody else
  // should have to wait.
  void shake(running begun) {
    auto const number = handshakes_.begin(begun);
    asio::post(begun.strand, [self = this->shared_from_this(), begun, number] {
      error_code const failed = begun.one->begin_handshake();
      if (failed) return self->shaken(begun.one, number, failed);
      start_handshake(begun.one,
                      asio::bind_executor(begun.strand, [self, begun, number](error_code code) {
                        self->shaken(begun.one, number, code);
                      }));
    });
  }

  void shaken(std::shared_ptr<connection> const& one, std::uint64_t number, error_code failed) {
    bool const dropped = !one->shaking() && (!failed || failed == asio::error::operation_aborted);
    if (dropped) failed = asio::error::operation_aborted;   // closed meanwhile
    auto const over = failed ? when_farewell_ends() : nullptr;
    stream_type made = one->end_handshake(failed, over);
    if (failed && !dropped) tell(*one, failed);
    std::scoped_lock const lock(mutex_);
    handshakes_.end(number);
    if (over && one->says_farewell()) handshakes_.farewell_began();
    if (closed_) return;
    if (failed) {
      acceptor_.retry_now();   // a descriptor is free
    } else {
      handshakes_.arrived(std::move(made), one->give_seat());
    }
    go_on();
  }

  // Null without memory for it: a stop does not wait for that one.
  std::function<void()> when_farewell_ends() noexcept {
    try {
      return [self = this->shared_from_this()] {
        asio::post(self->executor(), [self] {
          std::scoped_lock const lock(self->mutex_);
          self->handshakes_.farewell_ended();
          if (!self->closed_) self->go_on();
        });
      };
    } catch (std::bad_alloc const&) {
      return nullptr;
    }
  }

  void tell(connection const& one, error_code failed) const {
    try {
      tell(one.peer(), one.failure(failed));
    } catch (std::bad_alloc const&) {
      // There is no memory to say it.
    }
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
  patient_acceptor<Protocol> acceptor_;
  asio::steady_timer look_again_;   // whether somebody gives way
  asio::steady_timer stop_limit_;
  std::shared_ptr<reloader> reloader_;
  std::optional<running> fresh_;   // accepted, and nobody has it yet
  handshakes<running, stream_type> handshakes_;
  accept_queue<Protocol> waiting_;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace cotls::detail
