#pragma once

#include <cotls/detail/support/waiting_list.hpp>
#include <cotls/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

namespace asio = boost::asio;

/// What happens to a transport from a given step on, each read or write that is started being one;
/// or behind a given byte.
enum class fault { none, failure, end, stall };

/// A direction of a connection, as one of its ends sees it.
enum class way { in, out };

/** One end of a connection in memory: an AsyncStream that can fragment, fail, end and stall.

    Not synchronised; meant for an `io_context` of one thread.
*/
class memory_stream {
  struct side;

 public:
  using executor_type = asio::any_io_executor;
  using lowest_layer_type = memory_stream;

  static std::pair<memory_stream, memory_stream> make_pair(asio::any_io_executor executor) {
    auto const left = std::make_shared<side>(executor);
    auto const right = std::make_shared<side>(executor);
    left->peer = right;
    right->peer = left;
    return {memory_stream(left), memory_stream(right)};
  }

  executor_type get_executor() const { return side_->executor; }
  memory_stream& lowest_layer() { return *this; }

  /** The most that one read, or one write, moves; and the most that may be on its way. */
  void set_limit(std::size_t bytes) { side_->limit = bytes; }
  void set_capacity(std::size_t bytes) {
    side_->capacity = bytes;
    side_->progress();
  }

  /** Lets the fault happen at the step with this number, counted from 0 at this end. */
  void set_fault(fault kind, std::size_t at) {
    side_->kind = kind;
    side_->fault_at = at;
  }

  /** Lets the fault happen behind so many bytes that came in, or went out, at this end. A failure
      is both directions' and both ends', the others are that direction's; the peer sees an end. */
  void set_fault_behind(fault kind, way which, std::size_t bytes) {
    side_->of(which).kind = kind;
    side_->of(which).fault_behind = bytes;
  }

  /** Ends a stall: what has met it goes on. */
  void lift_fault() {
    side_->kind = fault::none;
    for (direction* each : {&side_->readers, &side_->writers}) {
      each->kind = fault::none;
      for (transfer& one : each->transfers) one.stops = fault::none;
    }
    side_->progress();
  }

  /** Calls a function when the first read or write meets the fault, from inside its initiation. */
  void on_fault(std::function<void()> function) { side_->fault_observer = std::move(function); }

  std::size_t steps() const { return side_->steps; }
  std::size_t bytes(way which) const { return side_->of(which).passed; }

  /** Calls a function at each step, with its number: the place to cancel at. */
  void on_step(std::function<void(std::size_t)> function) { side_->observer = std::move(function); }

  template <class Buffers, class Token>
  auto async_read_some(Buffers const& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, std::shared_ptr<side> self, Buffers into) {
          transfer next;
          for (auto it = asio::buffer_sequence_begin(into); it != asio::buffer_sequence_end(into);
               ++it) {
            next.into.push_back(asio::mutable_buffer(*it));
          }
          start(std::move(handler), self, self->readers, std::move(next));
        },
        token, side_, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(Buffers const& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, std::shared_ptr<side> self, Buffers from) {
          transfer next;
          for (auto it = asio::buffer_sequence_begin(from); it != asio::buffer_sequence_end(from);
               ++it) {
            asio::const_buffer const piece(*it);
            next.from.append(static_cast<char const*>(piece.data()), piece.size());
          }
          start(std::move(handler), self, self->writers, std::move(next));
        },
        token, side_, buffers);
  }

  /** Ends the operations that are pending, as sockets do. */
  void cancel() { side_->abort_all(); }

  /** Ends our direction: the peer reads what is on its way, and then the end. */
  void close() {
    side_->closed = true;
    side_->abort_all();
    if (auto const peer = side_->peer.lock()) peer->progress();
  }

 private:
  using handlers = detail::waiting_list<error_code, std::size_t>;

  struct transfer {
    std::vector<asio::mutable_buffer> into;
    std::string from;
    handlers::ticket ticket = 0;
    fault stops = fault::none;
  };

  struct direction {
    explicit direction(asio::any_io_executor const& executor) : waiting(executor) {}

    handlers waiting;
    std::vector<transfer> transfers;
    fault kind = fault::none;
    std::size_t fault_behind = 0;
    std::size_t passed = 0;

    fault due() const {
      return passed >= fault_behind && kind != fault::none ? kind : transfers.front().stops;
    }

    // The bytes that may pass before the fault.
    std::size_t room() const {
      return kind == fault::none ? std::numeric_limits<std::size_t>::max() : fault_behind - passed;
    }

    void complete_front(error_code code, std::size_t bytes) {
      auto const ticket = transfers.front().ticket;
      transfers.erase(transfers.begin());
      waiting.complete(ticket, code, bytes);
    }

    void abort(handlers::ticket ticket) {
      std::erase_if(transfers, [&](transfer const& one) { return one.ticket == ticket; });
      waiting.complete(ticket, asio::error::operation_aborted, 0);
    }
  };

  struct side : std::enable_shared_from_this<side> {
    explicit side(asio::any_io_executor runs_on)
        : executor(std::move(runs_on)), readers(executor), writers(executor) {}

    asio::any_io_executor executor;
    std::weak_ptr<side> peer;
    std::string arrived;   // from the peer
    direction readers;
    direction writers;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    std::size_t capacity = std::numeric_limits<std::size_t>::max();
    fault kind = fault::none;
    std::size_t fault_at = 0;
    std::size_t steps = 0;
    bool met = false;   // the fault
    bool closed = false;
    bool ended = false;   // the peer's direction
    std::function<void(std::size_t)> observer;
    std::function<void()> fault_observer;

    // Completes what can go on at this end.
    void progress() {
      auto const self = shared_from_this();
      while (!readers.transfers.empty() && progress_read()) {
      }
      while (!writers.transfers.empty() && progress_write()) {
      }
      // A failure that the writers have met is the readers' too.
      while (!readers.transfers.empty() && progress_read()) {
      }
    }

    direction& of(way which) { return which == way::in ? readers : writers; }

    // What the operation in front meets.
    fault due(direction& of) {
      fault const found = of.due();
      if (found == fault::none || std::exchange(met, true)) return found;
      if (found == fault::failure) break_off_both();
      if (found == fault::end && &of == &writers) end_for_peer();
      if (fault_observer) fault_observer();
      return found;
    }

    void break_off() {
      met = true;
      kind = fault::failure;
      fault_at = 0;
      for (direction* each : {&readers, &writers}) {
        for (transfer& one : each->transfers) one.stops = fault::failure;
      }
    }

    void break_off_both() {
      break_off();
      if (auto const other = peer.lock()) {
        other->break_off();
        other->progress();
      }
    }

    void end_for_peer() {
      if (auto const other = peer.lock()) {
        other->ended = true;
        other->progress();
      }
    }

    bool progress_read() {
      switch (due(readers)) {
        case fault::none: break;
        case fault::stall: return false;
        case fault::failure: readers.complete_front(asio::error::connection_reset, 0); return true;
        case fault::end: readers.complete_front(asio::error::eof, 0); return true;
      }
      auto const& buffers = readers.transfers.front().into;
      auto const other = peer.lock();
      if (arrived.empty() && asio::buffer_size(buffers) > 0) {
        if (other && !other->closed && !closed && !ended) return false;
        readers.complete_front(asio::error::eof, 0);
        return true;
      }
      std::size_t const most = std::min({limit, readers.room(), arrived.size()});
      std::size_t const count = asio::buffer_copy(buffers, asio::buffer(arrived), most);
      arrived.erase(0, count);
      readers.passed += count;
      readers.complete_front({}, count);
      if (other) other->progress();
      return true;
    }

    bool progress_write() {
      switch (due(writers)) {
        case fault::none: break;
        case fault::stall: return false;
        case fault::failure: writers.complete_front(asio::error::connection_reset, 0); return true;
        case fault::end: writers.complete_front(asio::error::broken_pipe, 0); return true;
      }
      auto const other = peer.lock();
      if (!other || other->closed || closed) {
        writers.complete_front(asio::error::broken_pipe, 0);
        return true;
      }
      std::string const& bytes = writers.transfers.front().from;
      std::size_t const room = capacity - std::min(capacity, other->arrived.size());
      if (room == 0 && !bytes.empty()) return false;
      std::size_t const count = std::min({bytes.size(), limit, room, writers.room()});
      other->arrived.append(bytes, 0, count);
      writers.passed += count;
      writers.complete_front({}, count);
      other->progress();
      return true;
    }

    void abort_all() {
      for (direction* each : {&readers, &writers}) {
        while (!each->transfers.empty()) each->abort(each->transfers.front().ticket);
      }
    }
  };

  explicit memory_stream(std::shared_ptr<side> self) : side_(std::move(self)) {}

  template <class Handler>
  static void start(Handler handler, std::shared_ptr<side> const& self, direction& in,
                    transfer next) {
    std::size_t const step = self->steps++;
    if (self->kind != fault::none && step >= self->fault_at) next.stops = self->kind;
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto const ticket = in.waiting.add(std::move(handler), self->executor);
    next.ticket = ticket;
    in.transfers.push_back(std::move(next));
    if (slot.is_connected()) {
      slot.assign([self, &in, ticket](asio::cancellation_type) { in.abort(ticket); });
    }
    self->progress();
    if (self->observer) self->observer(step);
  }

  std::shared_ptr<side> side_;
};

}  // namespace cotls::test
