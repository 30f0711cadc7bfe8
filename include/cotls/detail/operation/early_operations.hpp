#pragma once

#include <cotls/detail/operation/operation.hpp>

/* What a server reads and writes before its handshake is done (RFC 8446 section 2.3). */

namespace cotls::detail {

/// Reads early data, at least one byte unless the buffers are empty. Holds both directions, for it
/// shakes hands on the way.
template <class Connection, class Buffers>
class early_read_operation
    : public operation<Connection, early_read_operation<Connection, Buffers>> {
  using base = operation<Connection, early_read_operation>;

 public:
  static constexpr bool counts_bytes = true;
  static constexpr char const* name = "reading early data";

  early_read_operation(Connection* connection, Buffers const& buffers) noexcept
      : base(connection), buffers_(buffers) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(true, true)) return action::complete;
    if (this->ends(waited, by, errc::handshake_timeout)) return over();
    if (!this->flushed()) return this->wait_for_output();
    if (failed_) return over();
    buffer_slices<asio::mutable_buffer, Buffers> slices(buffers_);
    if (slices.empty()) return this->finish();
    step const next = this->engine().read_early(slices.span());
    this->transferred_ = next.bytes;
    this->error_ = next.error;
    failed_ = this->engine().failed();
    if (next.want != want::nothing) return this->follow(next.want);
    return failed_ && !this->flushed() ? this->wait_for_output() : over();   // T18
  }

 private:
  // Its end is the early data's; any other failure is the handshake's.
  action over() {
    bool const is_failure = this->error_ && this->error_ != asio::error::eof &&
                            this->error_ != asio::error::operation_aborted &&
                            this->error_ != asio::error::operation_not_supported;
    if (is_failure) this->engine().give_up_handshake(this->error_);
    return this->finish();
  }

  Buffers buffers_;
  bool failed_ = false;   // and the peer may not have been told
};

/// Writes all of the buffers, as early as it can be done.
template <class Connection, class Buffers>
using early_write_operation = write_operation<Connection, Buffers, moment::early>;

}  // namespace cotls::detail
