#pragma once

#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/support/role.hpp>
#include <cotls/error.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>

#include <tuple>
#include <utility>

// Where the operations of `ssl_stream` differ from those of `stream`: as asio::ssl has it.

namespace cotls::detail {

/// An operation that reports a truncated connection with the code that users of asio::ssl compare
/// with.
template <class Operation>
class as_asio_reports : public Operation {
 public:
  using Operation::Operation;

  error_code error() const noexcept {
    error_code const& code = Operation::error();
    bool const truncated = code == errc::stream_truncated || code == errc::handshake_truncated;
    return truncated ? error_code(asio::ssl::error::stream_truncated) : code;
  }
};

/// A handshake that says which end it is of, and begins with bytes that were received before it.
template <class Connection, class... Received>
class handshake_as : public handshake_operation<Connection> {
  using base = handshake_operation<Connection>;

 public:
  static constexpr bool counts_bytes = sizeof...(Received) > 0;

  handshake_as(Connection* connection, role end, Received const&... received)
      : base(connection), untold_(connection), end_(end), received_(received...) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    Connection* const untold = std::exchange(untold_, nullptr);
    // What `begin` is about to refuse must not change the connection.
    if (untold && !untold->reading.busy && !untold->writing.busy) {
      untold->engine().set_role(end_);
      std::apply([&self = *this](auto const&... buffers) { (self.give(buffers), ...); }, received_);
    }
    return base::advance(waited, by);
  }

 private:
  template <class Buffers>
  void give(Buffers const& buffers) {
    auto const end = asio::buffer_sequence_end(buffers);
    for (auto it = asio::buffer_sequence_begin(buffers); it != end; ++it) {
      asio::const_buffer const piece(*it);
      this->engine().give_input(piece.data(), piece.size());
      this->transferred_ += piece.size();
    }
  }

  Connection* untold_;
  role end_;
  std::tuple<Received...> received_;
};

/// A shutdown that leaves the peer's close_notify to a read that is pending.
template <class Connection>
class shutdown_beside_read : public shutdown_operation<Connection> {
  using base = shutdown_operation<Connection>;

 public:
  explicit shutdown_beside_read(Connection* connection) noexcept
      : base(connection), unasked_(connection), close_(connection) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (unasked_) closes_only_ = unasked_->reading.busy;
    unasked_ = nullptr;
    return closes_only_ ? close_.advance(waited, by) : base::advance(waited, by);
  }

  error_code const& error() const noexcept { return closes_only_ ? close_.error() : base::error(); }

 private:
  Connection* unasked_;
  close_write_operation<Connection> close_;
  bool closes_only_ = false;
};

}  // namespace cotls::detail
