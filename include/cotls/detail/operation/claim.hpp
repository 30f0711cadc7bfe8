#pragma once

#include <cotls/detail/operation/action.hpp>
#include <cotls/detail/operation/gate.hpp>
#include <cotls/error.hpp>

#include <boost/asio/error.hpp>

#include <cstddef>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/** What every operation has: its result, its claims of the directions, and what ends it whatever it
    does.
    @tparam Derived  The operation, which then has these few lines inside of its own: called, they
                     would be felt by whoever reads in small pieces. */
template <class Connection, class Derived>
class claim {
 public:
  error_code const& error() const noexcept { return error_; }
  std::size_t transferred() const noexcept { return transferred_; }

  /** True while it holds the reading direction. */
  bool reads() const noexcept { return holds_reading_; }

 protected:
  explicit claim(Connection* connection) noexcept : connection_(connection) {}

  Connection& connection() const noexcept { return *connection_; }
  auto& engine() const noexcept { return connection_->engine(); }
  bool writes() const noexcept { return holds_writing_; }

  // Claims the directions at the first call; false when one of them is another operation's, or its
  // owner is gone.
  bool begin(bool reads, bool writes) {
    if (holds_reading_ || holds_writing_) return true;
    if (!connection_) {
      error_ = errc::not_connected;
      return false;
    }
    gate& reading = connection_->reading;
    gate& writing = connection_->writing;
    if ((reads && reading.busy) || (writes && writing.busy)) {
      error_ = errc::operation_in_progress;
      return false;
    }
    if ((reads && reading.closed) || (writes && writing.closed)) {
      error_ = asio::error::operation_aborted;
      return false;
    }
    if (reads) reading.claim(writes);
    if (writes) writing.claim(reads);
    holds_reading_ = reads;
    holds_writing_ = writes;
    return true;
  }

  // True once after a wait for input: whoever asks looks for it, and the operation not again.
  bool waited_for_input() noexcept { return std::exchange(waits_for_input_, false); }

  // Whether the driver comes back with something that ends the operation. A wait that the
  // connection itself ended, to be looked at again, is no such thing.
  template <class Code>
  bool ends(error_code const& waited, interruption by, Code at_deadline) {
    if (std::exchange(came_back_, true)) return is_ended_by(waited, by, at_deadline);
    return false;   // it has only begun
  }

  action wait_input(action for_it) {
    waits_for_input_ = true;
    return rest(for_it);
  }

  // Whatever is waited for, the executor runs something else meanwhile.
  action rest(action what) {
    connection_->reading.rested();
    connection_->writing.rested();
    return what;
  }

  // Sends what is unsent; false when some must wait. What the transport refused is no longer
  // unsent: whoever reads finds out why, and perhaps the peer's alert before it.
  bool flushed() {
    if (engine().unsent() == 0) return true;
    engine().flush();
    return engine().unsent() == 0;
  }

  // Of an operation that writes nothing, whose end concerns nobody else.
  action succeed() {
    give_back();
    return action::complete;
  }

  void give_back() {
    if (std::exchange(holds_reading_, false)) {
      connection_->reading.busy = false;
      connection_->input_done();
    }
    if (std::exchange(holds_writing_, false)) connection_->writing.busy = false;
  }

  error_code error_;
  std::size_t transferred_ = 0;

 private:
  template <class Code>
  bool is_ended_by(error_code const& waited, interruption by, Code at_deadline) {
    bool woken = false;
    bool cancelled = by == interruption::cancelled;
    if (holds_reading_) look_at(connection_->reading, woken, cancelled);
    if (holds_writing_) look_at(connection_->writing, woken, cancelled);
    if (by == interruption::deadline) {
      error_ = at_deadline;
    } else if (cancelled) {
      error_ = asio::error::operation_aborted;
    } else if (waited && !(woken && waited == asio::error::operation_aborted)) {
      error_ = waited;
    } else {
      // Woken only to look again, it leaves the transport's input to the reader who waits for it.
      if (waited_for_input() && !waited) engine().input_arrived();
      return false;
    }
    return true;
  }

  static void look_at(gate& held, bool& woken, bool& cancelled) noexcept {
    woken |= std::exchange(held.woken, false);
    cancelled |= std::exchange(held.cancelled, false) || held.closed;
  }

  Connection* connection_;
  bool came_back_ = false;
  bool waits_for_input_ = false;
  bool holds_reading_ = false;
  bool holds_writing_ = false;
};

}  // namespace cotls::detail
