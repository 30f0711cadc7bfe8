#pragma once

#include <cotls/detail/operation/claim.hpp>
#include <cotls/detail/support/buffer_slices.hpp>
#include <cotls/error.hpp>
#include <cotls/step.hpp>

#include <boost/asio/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/* What an operation on a stream does next. No I/O, executor, clock or cryptography of its own: a
   driver carries the actions out and comes back with what became of them.

       driver                       operation                      engine
         |---- advance(waited) -------->|                             |
         |                              |---- read / write / ... ---->|
         |                              |<--- step{want, bytes} ------|
         |<--- action ------------------|
         |  (waits, asks, or yields)    |
         |---- advance(waited) -------->|   ... until action::complete

   `Connection` is what both directions share: `engine()`, the gates `reading` and `writing`,
   `interrupt()`, which ends the waits of both, and `input_done()`. It is a parameter so that a test
   can script it. */

namespace cotls::detail {

/// What the operations on an engine have in common.
template <class Connection, class Derived>
class operation : public claim<Connection, Derived> {
  using base = claim<Connection, Derived>;

 public:
  static constexpr bool shakes_hands = false;

 protected:
  using base::base;
  using base::connection;
  using base::engine;
  using base::error_;
  using base::flushed;

  // What to do about what OpenSSL wants before it goes on.
  action follow(want next) {
    switch (next) {
      case want::input: return wait_for_input();
      case want::output: return ease_back_pressure();
      case want::client_hello:
      case want::certificate:
      case want::verification:
      case want::established:
      case want::session:
      case want::signature: return this->rest(action::ask);
      case want::nothing:
      case want::connect:
      case want::accept:
      case want::async:
      case want::async_job: break;   // of a BIO or an engine that no operation is over
    }
    return finish(errc::unexpected_result);
  }

  // What to wait for when input is missing. Ciphertext that could not leave must not be forgotten
  // over it, unless a writer is on the way with it.
  action wait_for_input() {
    engine().send_flight();   // the peer may be waiting for it, too
    bool const owns_unsent = this->writes() || !connection().writing.busy;
    bool const sends = owns_unsent && engine().unsent() > 0;
    return this->wait_input(sends ? action::wait_either : action::wait_input);
  }

  action wait_for_output() { return this->rest(action::wait_output); }

  // What to do when OpenSSL was stopped because of what it has emitted or taken at one go.
  action ease_back_pressure() {
    return this->rest(engine().must_send() ? action::wait_output : action::yield);
  }

  action finish() {
    bool const wrote = this->writes() && !this->reads();
    this->give_back();
    if (wrote) tell_reader();
    if (error_ && error_ != asio::error::operation_aborted) {
      engine().note_failure(error_, Derived::name);
    }
    return action::complete;
  }

  action finish(error_code code) {
    error_ = code;
    return finish();
  }

  // What a write leaves is a waiting reader's, who did not know of it: the ciphertext of one that was
  // cut, or data that is OpenSSL's already.
  void tell_reader() {
    bool const left = engine().unsent() > 0 || error_ == errc::unread_data;
    if (!left || !connection().reading.busy) return;
    connection().reading.woken = true;
    connection().interrupt();
  }

  // False while an alert of ours must be waited for: what the peer did wrong is the peer's to know
  // before it is reported (T18). A writer in progress is on the way with it.
  bool alert_sent() {
    bool const others = !this->writes() && connection().writing.busy;
    return !engine().failed() || others || flushed();
  }
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
    return this->follow(next.want);
  }

 private:
  // Whether the peer waits for what was said last: an alert (T18), or a flight that ends its own
  // handshake, too.
  bool awaited() const { return this->error_ || this->engine().peer_awaits_flight(); }

  // A last flight that could not be sent is a failure, too. After any, the connection is of no use;
  // one that was only cancelled, or has met early data, goes on with the next handshake.
  action over() {
    if (!this->error_) this->error_ = this->engine().send_failure();
    bool const goes_on =
        this->error_ == asio::error::operation_aborted || this->error_ == errc::unread_data;
    if (this->error_ && !goes_on) this->engine().give_up_handshake(this->error_);
    return this->finish();
  }

  bool done_ = false;
};

/// Whether a read takes what it reads, or leaves it for the next one.
enum class taking : std::uint8_t { all, nothing };

/// Reads what is here, at least one byte unless the buffers are empty.
template <class Connection, class Buffers, taking Takes = taking::all>
class read_operation : public operation<Connection, read_operation<Connection, Buffers, Takes>> {
  using base = operation<Connection, read_operation>;

 public:
  static constexpr bool counts_bytes = true;
  static constexpr char const* name = Takes == taking::all ? "read" : "peek";

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
    auto const next = look(slices.span());
    this->transferred_ = next.bytes;
    if (next.bytes > 0 || next.error) {
      // Who looks again and again at the same must not starve the rest, nor its own cancellation.
      if constexpr (Takes == taking::nothing) budget.took(1, 0);
      if (next.ciphertext > 0) budget.took(next.records, next.ciphertext);
      if (!next.error) return this->succeed();
      this->error_ = next.error;
      failed_ = !this->alert_sent();   // T18
      return failed_ ? this->wait_for_output() : this->finish();
    }
    return this->follow(next.want);
  }

 private:
  auto look(std::span<asio::mutable_buffer const> into) {
    if constexpr (Takes == taking::nothing) return this->engine().peek(into);
    return this->engine().read(into);
  }

  Buffers buffers_;
  bool failed_ = false;   // and the peer has not been told
};

/// Looks at what is here, at least one byte unless the buffers are empty.
template <class Connection, class Buffers>
using peek_operation = read_operation<Connection, Buffers, taking::nothing>;

/// How much of its buffers a write takes before it is done.
enum class amount : std::uint8_t { some, all };

/// When a write may leave: behind the handshake, or before it is done.
enum class moment : std::uint8_t { open, early };

/// Writes; done when the ciphertext is the transport's. Cut off, its count says what was taken.
template <class Connection, class Buffers, moment When = moment::open>
class write_operation : public operation<Connection, write_operation<Connection, Buffers, When>> {
  using base = operation<Connection, write_operation>;

 public:
  static constexpr bool counts_bytes = true;
  static constexpr char const* name = When == moment::open ? "write" : "writing early";

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
      step const next = put(slices.span());
      this->transferred_ += next.bytes;
      budget.took(1, next.bytes);
      if (next.error) return this->finish(next.error);
      bool const goes_on =
          next.want == want::nothing || (next.want == want::output && this->engine().unsent() > 0);
      if (!goes_on) return this->follow(next.want);
    }
  }

 private:
  step put(std::span<asio::const_buffer const> from) {
    if constexpr (When == moment::early) return this->engine().write_early(from);
    return this->engine().write(from);
  }

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
    if (next.want != want::nothing) return this->follow(next.want);
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
      if (next.error && this->alert_sent()) return this->finish(next.error);
      if (!next.error && next.want != want::nothing) return this->follow(next.want);
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
