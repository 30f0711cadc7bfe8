#pragma once

#include <cotls/connect_options.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/support/carried_handler.hpp>
#include <cotls/error.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cotls::detail {

/// What a connection to this host and port is to be; throws when there is none such.
client_options checked_options(std::string_view host, int port, connect_options const& options);

/// Throws for algorithms and versions that the connection cannot be told of; the context is sealed.
void check_algorithms(client_context const& context, client_options const& options);

/// Kept apart: in the frames of the coroutines that pass it on it would make these too large for
/// Asio to keep their memory.
class connect_request {
 public:
  connect_request(std::string_view to, int at, client_context const& with,
                  connect_options const& how)
      : host(to), port(at), context(with), options(how) {}

  std::string host;
  int port;
  client_context context;
  connect_options options;
};

/** What waits for a connection, whatever type of handler it is: the coroutine that makes the
    connection is compiled once, in the library. */
class connect_waiter {
 public:
  virtual ~connect_waiter() = default;

  /** Where it is to be completed. */
  virtual asio::any_io_executor executor() const = 0;

  /** With an error the stream is empty, and its `last_error` says all that is known. */
  virtual void complete(error_code code, tcp_stream made) = 0;
};

template <class Handler>
class connect_waiter_for final : public connect_waiter {
  using own_executor = asio::associated_executor_t<Handler, asio::any_io_executor>;
  // An executor of another kind is only dispatched to (A19).
  static constexpr bool runs_there = std::is_convertible_v<own_executor, asio::any_io_executor>;

 public:
  connect_waiter_for(Handler&& handler, asio::any_io_executor const& streams)
      : handler_(std::move(handler)), streams_(streams) {}

  asio::any_io_executor executor() const override {
    if constexpr (runs_there) {
      return asio::get_associated_executor(handler_, streams_);
    } else {
      return streams_;
    }
  }

  void complete(error_code code, tcp_stream made) override {
    if constexpr (runs_there) {
      std::move(handler_)(code, std::move(made));
    } else {
      asio::dispatch(streams_, bind_args(std::move(handler_), code, std::move(made)));
    }
  }

 private:
  Handler handler_;
  asio::any_io_executor streams_;
};

/** Connects, on a strand of its own.
    @param streams  The executor of the stream that comes of it.
    @param slot     Cancels it. */
void start_connecting(asio::any_io_executor const& streams, asio::cancellation_slot slot,
                      std::unique_ptr<connect_request> request,
                      std::unique_ptr<connect_waiter> waiter);

}  // namespace cotls::detail
