#pragma once

#include <cotls/detail/operation/gate.hpp>
#include <cotls/detail/support/buffer_slices.hpp>
#include <cotls/error.hpp>
#include <cotls/step.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

/* What an operation on a stream does next. No I/O, executor, clock or cryptography of its own: a
   driver carries the actions out and comes back with what became of them.

       driver                       operation                      engine
         |---- advance(waited) -------->|                             |
         |                              |---- read / write / ... ---->|
         |                              |<--- step{want, bytes} ------|
         |<--- action ------------------|
         |  (waits, or yields)          |
         |---- advance(waited) -------->|   ... until action::complete

   `Connection` is what both directions share: `engine()`, the gates `reading` and `writing`,
   `interrupt()`, which ends the waits of both, and `input_done()`. It is a parameter so that a test
   can script it. */

namespace cotls::detail {

namespace asio = boost::asio;

/// What a driver must do before it calls `advance` again.
enum class action : std::uint8_t {
  complete,      ///< Nothing: the operation is done, its result stands.
  wait_input,    ///< Wait until the transport has input.
  wait_output,   ///< Wait until the transport takes output.
  wait_either,   ///< Wait for whichever comes first.
  yield,         ///< Let the executor run something else.
};

/// Why a driver comes back before what it waited for.
enum class interruption : std::uint8_t { none, cancelled, deadline };

/// What the operations have in common: their result, their claims, and what ends any of them.
template <class Connection, class Derived>
class operation {
 public:
  static constexpr bool shakes_hands = false;

  error_code const& error() const noexcept { return error_; }
  std::size_t transferred() const noexcept { return transferred_; }

  /** True while it holds the reading direction. */
  bool reads() const noexcept { return holds_reading_; }

 protected:
  explicit operation(Connection* connection) noexcept : connection_(connection) {}

  Connection& connection() const noexcept { return *connection_; }
  auto& engine() const noexcept { return connection_->engine(); }

  // Claims the directions at the first call; false when one of them is another operation's.
  bool begin(bool reads, bool writes) {
    if (started_) return true;
    started_ = true;
    if (!connection_) {
      error_ = errc::not_connected;
      return false;
    }
    if ((reads && connection_->reading.busy) || (writes && connection_->writing.busy)) {
      error_ = errc::operation_in_progress;
      return false;
    }
    if (reads) connection_->reading.claim(writes);
    if (writes) connection_->writing.claim(reads);
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

  // What to wait for when input is missing. Ciphertext that could not leave must not be forgotten
  // over it, unless a writer is on the way with it.
  action wait_for_input() {
    waits_for_input_ = true;
    engine().send_flight();   // the peer may be waiting for it, too
    bool const owns_unsent = holds_writing_ || !connection_->writing.busy;
    return rest(owns_unsent && engine().unsent() > 0 ? action::wait_either : action::wait_input);
  }

  action wait_for_output() { return rest(action::wait_output); }

  // What to do when OpenSSL was stopped because of what it has emitted or taken at one go.
  action relieve() { return rest(engine().must_send() ? action::wait_output : action::yield); }

  // Whatever is waited for, the executor runs something else meanwhile.
  action rest(action what) {
    connection_->reading.rested();
    connection_->writing.rested();
    return what;
  }

  action finish() {
    if (holds_reading_) {
      connection_->reading.busy = false;
      connection_->input_done();
    }
    if (holds_writing_) {
      connection_->writing.busy = false;
      // What a write leaves is a waiting reader's, who did not know of it: the ciphertext of one that
      // was cut, or data that is OpenSSL's already.
      bool const left = engine().unsent() > 0 || error_ == errc::unread_data;
      if (left && !holds_reading_ && connection_->reading.busy) {
        connection_->reading.woken = true;
        connection_->interrupt();
      }
    }
    holds_reading_ = holds_writing_ = false;
    if (error_ && error_ != asio::error::operation_aborted) {
      engine().note_failure(error_, Derived::name);
    }
    return action::complete;
  }

  action finish(error_code code) {
    error_ = code;
    return finish();
  }

  // Sends what is unsent; false when some must wait. What the transport refused is no longer
  // unsent: whoever reads finds out why, and perhaps the peer's alert before it.
  bool flushed() {
    if (engine().unsent() == 0) return true;
    engine().flush();
    return engine().unsent() == 0;
  }

  // False while an alert of ours must be waited for: what the peer did wrong is the peer's to know
  // before it is reported (T18). A writer in progress is on the way with it.
  bool alert_sent() {
    bool const others = !holds_writing_ && connection_->writing.busy;
    return !engine().failed() || others || flushed();
  }

  error_code error_;
  std::size_t transferred_ = 0;

 private:
  static void look_at(gate& held, bool& woken, bool& cancelled) noexcept {
    woken |= std::exchange(held.woken, false);
    cancelled |= std::exchange(held.cancelled, false) || held.closed;
  }

  Connection* connection_;
  bool started_ = false;
  bool waits_for_input_ = false;
  bool holds_reading_ = false;
  bool holds_writing_ = false;
};

/// Performs the handshake. Holds both directions.
template <class Connection>
class handshake_operation : public operation<Connection, handshake_operation<Connection>> {
  using base = operation<Connection, handshake_operation>;

 public:
  static constexpr bool counts_bytes = false;
  static constexpr bool shakes_hands = true;
  static constexpr char const* name = "handshake";

  explicit handshake_operation(Connection* connection) noexcept : base(connection) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(true, true)) return action::complete;
    if (this->ends(waited, by, errc::handshake_timeout)) return over();
    if (!this->flushed()) return this->wait_for_output();
    if (done_) return over();
    step const next = this->engine().handshake();
    this->error_ = next.error;
    done_ = next.error || next.want == want::nothing;
    if (done_) return !awaited() || this->flushed() ? over() : this->wait_for_output();
    if (next.want == want::input) return this->wait_for_input();
    if (next.want == want::output) return this->relieve();
    return this->finish(errc::unexpected_result);
  }

 private:
  // Whether the peer waits for what was said last: an alert (T18), or a flight that ends its own
  // handshake, too.
  bool awaited() const { return this->error_ || this->engine().peer_awaits_flight(); }

  // A last flight that could not be sent is a failure, too. After any, the connection is of no use;
  // one that was only cancelled goes on with the next handshake.
  action over() {
    if (!this->error_) this->error_ = this->engine().send_failure();
    if (this->error_ && this->error_ != asio::error::operation_aborted) {
      this->engine().give_up_handshake(this->error_);
    }
    return this->finish();
  }

  bool done_ = false;
};

/// Reads what is here, at least one byte unless the buffers are empty.
template <class Connection, class Buffers>
class read_operation : public operation<Connection, read_operation<Connection, Buffers>> {
  using base = operation<Connection, read_operation>;

 public:
  static constexpr bool counts_bytes = true;
  static constexpr char const* name = "read";

  read_operation(Connection* connection, Buffers const& buffers) noexcept
      : base(connection), buffers_(buffers) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(true, false)) return action::complete;
    if (this->ends(waited, by, asio::error::timed_out)) return this->finish();
    if (failed_) return this->alert_sent() ? this->finish() : this->wait_for_output();
    buffer_slices<asio::mutable_buffer, Buffers> slices(buffers_);
    if (slices.empty()) return this->finish();
    gate& budget = this->connection().reading;
    // Before data is taken, never after: whoever is cancelled while it yields has taken nothing.
    if (budget.exhausted()) return this->rest(action::yield);
    if (!this->connection().writing.busy) this->flushed();
    auto const next = this->engine().read(slices.span());
    this->transferred_ = next.bytes;
    if (next.bytes > 0 || next.error) {
      if (next.ciphertext > 0) budget.took(next.records, next.ciphertext);
      if (!next.error) return this->finish();
      this->error_ = next.error;
      failed_ = !this->alert_sent();   // T18
      return failed_ ? this->wait_for_output() : this->finish();
    }
    if (next.want == want::input) return this->wait_for_input();
    if (next.want == want::output) return this->relieve();
    return this->finish(errc::unexpected_result);
  }

 private:
  Buffers buffers_;
  bool failed_ = false;   // and the peer has not been told
};

/// How much of its buffers a write takes before it is done.
enum class amount : std::uint8_t { some, all };

/// Writes; done when the ciphertext is the transport's. Cut off, its count says what was taken.
template <class Connection, class Buffers>
class write_operation : public operation<Connection, write_operation<Connection, Buffers>> {
  using base = operation<Connection, write_operation>;

 public:
  static constexpr bool counts_bytes = true;
  static constexpr char const* name = "write";

  write_operation(Connection* connection, Buffers const& buffers, amount wanted) noexcept
      : base(connection), buffers_(buffers), wanted_(wanted) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(false, true)) return action::complete;
    if (this->ends(waited, by, asio::error::timed_out)) return this->finish();
    gate& budget = this->connection().writing;
    for (;;) {
      if (!this->flushed()) return this->wait_for_output();
      if (this->engine().send_error()) return this->finish(this->engine().send_failure());
      if (this->transferred_ > 0 && wanted_ == amount::some) return this->finish();
      buffer_slices<asio::const_buffer, Buffers> slices(buffers_, this->transferred_);
      if (slices.empty()) return this->finish();
      if (budget.exhausted()) return this->rest(action::yield);
      step const next = this->engine().write(slices.span());
      this->transferred_ += next.bytes;
      budget.took(1, next.bytes);
      if (next.error) return this->finish(next.error);
      if (next.want == want::input) return this->wait_for_input();
      if (next.want != want::nothing && next.want != want::output) {
        return this->finish(errc::unexpected_result);
      }
      bool const paused = next.want == want::output && this->engine().unsent() == 0;
      if (paused) return this->relieve();
    }
  }

 private:
  Buffers buffers_;
  amount wanted_;
};

/// Sends close_notify. Reading goes on.
template <class Connection>
class close_write_operation : public operation<Connection, close_write_operation<Connection>> {
  using base = operation<Connection, close_write_operation>;

 public:
  static constexpr bool counts_bytes = false;
  static constexpr char const* name = "sending close_notify";

  explicit close_write_operation(Connection* connection) noexcept : base(connection) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(false, true)) return action::complete;
    if (this->ends(waited, by, errc::shutdown_timeout)) return this->finish();
    if (!this->flushed()) return this->wait_for_output();
    step const next = this->engine().close_write();
    if (next.error) return this->finish(next.error);
    if (next.want == want::input) return this->wait_for_input();
    if (next.want == want::output) return this->relieve();
    if (next.want != want::nothing) return this->finish(errc::unexpected_result);
    if (!this->flushed()) return this->wait_for_output();
    return this->finish(this->engine().send_failure());
  }
};

/// Sends close_notify and waits for the peer's. Holds both directions.
template <class Connection>
class shutdown_operation : public operation<Connection, shutdown_operation<Connection>> {
  using base = operation<Connection, shutdown_operation>;

 public:
  static constexpr bool counts_bytes = false;
  static constexpr char const* name = "shutdown";

  explicit shutdown_operation(Connection* connection) noexcept : base(connection) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(true, true)) return action::complete;
    if (this->ends(waited, by, errc::shutdown_timeout)) return this->finish();
    gate& budget = this->connection().reading;
    for (;;) {
      bool const left = this->flushed();
      if (ended_) return left ? this->finish() : this->wait_for_output();
      auto const next = this->engine().shutdown();
      if (next.want == want::input) return this->wait_for_input();
      if (next.want == want::output) return this->relieve();
      if (next.error && this->alert_sent()) return this->finish(next.error);
      if (!next.error && next.want != want::nothing) return this->finish(errc::unexpected_result);
      this->error_ = next.error;
      ended_ = next.error || next.bytes == 0;
      budget.took(next.records, next.ciphertext);
      if (budget.exhausted()) return this->rest(action::yield);
    }
  }

 private:
  bool ended_ = false;   // the peer's close_notify is here, or the connection has failed
};

}  // namespace cotls::detail
