#pragma once

#include <cotls/connection_info.hpp>
#include <cotls/detail/driver/start.hpp>
#include <cotls/detail/driver/token.hpp>
#include <cotls/detail/operation/core.hpp>
#include <cotls/detail/operation/late_operations.hpp>
#include <cotls/detail/support/held.hpp>
#include <cotls/error.hpp>
#include <cotls/key_update.hpp>
#include <cotls/peer_info.hpp>

#include <memory>
#include <utility>

namespace cotls {

namespace detail {

/// What both halves of a split stream are: a share of it.
template <class Next>
class half {
 protected:
  using core_type = core<Next>;

 public:
  using executor_type = typename core_type::executor_type;
  using default_token = default_token_t<executor_type>;

  executor_type get_executor() const { return held(core_).executor(); }

  /** Tell of the connection what `stream` tells of it. */
  connection_info info() const { return held(core_).engine().info(); }
  peer_info peer() const { return held(core_).engine().peer(); }
  error last_error() const {
    return core_ ? core_->engine().last_error() : error(errc::not_connected);
  }
  ssl_st* native_handle() const noexcept {
    return core_ ? core_->engine().native_handle() : nullptr;
  }

 protected:
  explicit half(std::shared_ptr<core_type> whole) noexcept : core_(std::move(whole)) {}
  half(half&&) noexcept = default;
  half& operator=(half&& other) noexcept {
    std::swap(core_, other.core_);   // what was here ends with `other`
    return *this;
  }
  ~half() = default;

  std::shared_ptr<core_type> core_;
};

}  // namespace detail

/** The reading direction of a stream that was split; its operations are the stream's. Destroyed, it
    ends its own read with `operation_aborted`. Move-only. */
template <class Next>
class read_half : public detail::half<Next> {
  using typename detail::half<Next>::core_type;
  using detail::half<Next>::core_;

 public:
  using typename detail::half<Next>::default_token;

  explicit read_half(std::shared_ptr<core_type> whole) noexcept
      : detail::half<Next>(std::move(whole)) {}
  read_half(read_half&&) noexcept = default;
  read_half& operator=(read_half&&) noexcept = default;
  ~read_half() {
    if (core_) core_->close(core_->reading);
  }

  template <class Buffers, class Token = default_token>
  auto async_read_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::read_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers);
  }

  template <class Buffers, class Token = default_token>
  auto async_peek_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::peek_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers);
  }

  /** Ends the read that is pending as `stream::cancel` does; a write goes on. */
  void cancel() {
    if (core_) core_->cancel(core_->reading);
  }
};

/** The writing direction of a stream that was split; its operations are the stream's. Destroyed, it
    ends its own write with `operation_aborted`, and its direction with close_notify, unless a write
    was cut: as far as the transport takes it at once, or a read takes it along. Move-only. */
template <class Next>
class write_half : public detail::half<Next> {
  using typename detail::half<Next>::core_type;
  using detail::half<Next>::core_;

 public:
  using typename detail::half<Next>::default_token;

  explicit write_half(std::shared_ptr<core_type> whole) noexcept
      : detail::half<Next>(std::move(whole)) {}
  write_half(write_half&&) noexcept = default;
  write_half& operator=(write_half&&) noexcept = default;
  ~write_half() {
    if (core_) core_->end_writing();
  }

  template <class Buffers, class Token = default_token>
  auto async_write_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::write_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers, detail::amount::some);
  }

  template <class Buffers, class Token = default_token>
  auto async_write(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::write_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers, detail::amount::all);
  }

  template <class Token = default_token>
  auto async_update_key(key_update asked, Token&& token = Token()) {
    return detail::start<detail::key_update_operation<core_type>>(
        core_, std::forward<Token>(token), asked);
  }

  template <class Token = default_token>
  auto async_close_write(Token&& token = Token()) {
    return detail::start<detail::close_write_operation<core_type>>(core_,
                                                                   std::forward<Token>(token));
  }

  /** Ends the write that is pending as `stream::cancel` does; a read goes on. */
  void cancel() {
    if (core_) core_->cancel(core_->writing);
  }
};

}  // namespace cotls
