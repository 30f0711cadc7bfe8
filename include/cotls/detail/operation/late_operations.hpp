#pragma once

#include <cotls/detail/operation/operation.hpp>
#include <cotls/key_update.hpp>

/* What can be said of a handshake's matters once it is done, in TLS 1.3 (RFC 8446 section 4.6). */

namespace cotls::detail {

/// Changes the key that is sent with; done when the message that says so has left.
template <class Connection>
class key_update_operation : public operation<Connection, key_update_operation<Connection>> {
  using base = operation<Connection, key_update_operation>;

 public:
  static constexpr bool counts_bytes = false;
  static constexpr char const* name = "key update";

  key_update_operation(Connection* connection, key_update asked) noexcept
      : base(connection), asked_(asked) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(false, true)) return action::complete;
    if (this->ends(waited, by, asio::error::timed_out)) return this->finish();
    if (!this->flushed()) return this->wait_for_output();
    if (!said_) {
      if (this->engine().send_error()) return this->finish(this->engine().send_failure());
      step const next = this->engine().update_key(asked_);
      if (next.error) return this->finish(next.error);
      if (next.want != want::nothing) return this->follow(next.want);
      said_ = true;
      if (!this->flushed()) return this->wait_for_output();
    }
    return this->finish(this->engine().send_failure());
  }

 private:
  key_update asked_;
  bool said_ = false;
};

/// Asks a client for its certificate; done when its answer was verified. Holds both directions.
template <class Connection>
class certificate_request_operation
    : public operation<Connection, certificate_request_operation<Connection>> {
  using base = operation<Connection, certificate_request_operation>;

 public:
  static constexpr bool counts_bytes = false;
  static constexpr char const* name = "requesting a certificate";

  explicit certificate_request_operation(Connection* connection) noexcept : base(connection) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(true, true)) return action::complete;
    if (this->ends(waited, by, errc::handshake_timeout)) return this->finish();
    if (!this->flushed()) return this->wait_for_output();
    step const next = this->engine().request_certificate();
    this->error_ = next.error;
    if (next.error) return this->alert_sent() ? this->finish() : this->wait_for_output();   // T18
    if (next.want != want::nothing) return this->follow(next.want);
    return this->finish();
  }
};

}  // namespace cotls::detail
