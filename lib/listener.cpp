// A connection's way:  accept -> handshake (many at a time, each with its deadline) -> ready -> taken
//                                   |
//                                   +-> observer, when it fails
// Everything below is behind one mutex; handlers are completed by posts, the observer is called
// without it.

#include <cotls/listener.hpp>

#include "context_state.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <deque>
#include <mutex>
#include <set>

namespace cotls {

namespace detail {

namespace {

using tcp = asio::ip::tcp;

// A strand over an executor whose type is known fits into any_io_executor's own storage; one over
// another any_io_executor does not, and costs five allocations each time a handler runs on it.
asio::any_io_executor make_strand(asio::any_io_executor const& executor) {
  if (auto const* known = executor.target<asio::io_context::executor_type>()) {
    return asio::make_strand(*known);
  }
  return asio::make_strand(executor);
}

}  // namespace

class listener_state : public std::enable_shared_from_this<listener_state> {
 public:
  listener_state(tcp::acceptor&& acceptor, server_context context, listener_options options)
      : context_(std::move(context)),
        options_(std::move(options)),
        acceptor_(std::move(acceptor)),
        retry_(acceptor_.get_executor()),
        stop_limit_(acceptor_.get_executor()),
        waiters_(acceptor_.get_executor()),
        stops_(acceptor_.get_executor()) {}

  tcp::acceptor& acceptor() noexcept { return acceptor_; }
  server_context& context() noexcept { return context_; }

  void add(std::function<accept_waiters::ticket(accept_waiters&)> const& add_to,
           asio::cancellation_slot slot) {
    std::scoped_lock const lock(mutex_);
    auto const ticket = add_to(waiters_);
    if (error_code const unusable = seal()) return waiters_.complete(ticket, unusable, {});
    if (slot.is_connected()) {
      slot.assign([self = shared_from_this(), ticket](asio::cancellation_type) {
        self->cancel(ticket);
      });
    }
    hand_out();
    accept_more();
  }

  void close(error_code reason = asio::error::operation_aborted) {
    std::scoped_lock const lock(mutex_);
    close_now(reason, asio::error::operation_aborted);
  }

  void replace(server_context next) {
    next.state()->seal();
    std::scoped_lock const lock(mutex_);
    std::swap(context_, next);
  }

  void stop(std::function<void(stop_waiters&)> const& add_to,
            std::chrono::steady_clock::duration limit) {
    std::scoped_lock const lock(mutex_);
    add_to(stops_);
    stopping_ = true;
    error_code ignored;   // the descriptor is gone in any case
    acceptor_.close(ignored);
    retry_.cancel();
    if (closed_) return close_now({}, {});
    stop_limit_.expires_at(moment_after(limit));
    stop_limit_.async_wait([weak = weak_from_this()](error_code code) {
      if (auto const self = weak.lock(); self && !code) self->stop_at_limit();
    });
    end_if_drained();
  }

 private:
  // A connection until its handshake is done. What happens to it runs on its strand, whatever the
  // stream's executor: closing the listener may meet the handshake on another thread.
  struct connection {
    asio::any_io_executor strand;
    tcp_stream stream;
    tcp::endpoint peer;
  };

  // Ends everything; `reason` is for the accepts that wait, `stopped` for those who wait for the end.
  void close_now(error_code reason, error_code stopped) {
    closed_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    stop_limit_.cancel();
    while (!waiters_.empty()) waiters_.complete_first(reason, {});
    while (!stops_.empty()) stops_.complete_first(stopped);
    ready_.clear();
    for (auto const& one : shaking_) {
      asio::post(one->strand, [one] { one->stream = tcp_stream(); });
    }
  }

  // An accept that has not been told of the end yet may still bring a connection.
  void end_if_drained() {
    if (stopping_ && !closed_ && !accepting_ && shaking_.empty() && ready_.empty()) {
      close_now(asio::error::operation_aborted, {});
    }
  }

  void stop_at_limit() {
    std::scoped_lock const lock(mutex_);
    if (!closed_) close_now(asio::error::operation_aborted, asio::error::timed_out);
  }

  server_context current_context() {
    std::scoped_lock const lock(mutex_);
    return context_;
  }

  error_code seal() {
    if (closed_) return asio::error::operation_aborted;
    try {
      context_.state()->seal();
      return {};
    } catch (boost::system::system_error const& unusable) {
      return unusable.code();
    }
  }

  void cancel(accept_waiters::ticket ticket) {
    std::scoped_lock const lock(mutex_);
    waiters_.complete(ticket, asio::error::operation_aborted, {});
  }

  void hand_out() {
    while (!waiters_.empty() && !ready_.empty()) {
      tcp_stream first = std::move(ready_.front());
      ready_.pop_front();
      waiters_.complete_first({}, std::move(first));
    }
    end_if_drained();
  }

  void accept_more() {
    bool const full = shaking_.size() + ready_.size() >= options_.max_handshakes();
    if (closed_ || stopping_ || accepting_ || full) return;
    accepting_ = true;
    asio::any_io_executor const strand = make_strand(acceptor_.get_executor());
    acceptor_.async_accept(
        options_.stream_executor() ? options_.stream_executor() : strand,
        [self = shared_from_this(), strand](error_code code, tcp::socket socket) {
          self->accepted(code, std::move(socket), strand);
        });
  }

  void accepted(error_code code, tcp::socket socket, asio::any_io_executor const& strand) {
    if (code) return not_accepted(code);
    std::shared_ptr<connection> made;
    try {
      made = std::make_shared<connection>();
      made->strand = strand;
      error_code ignored;   // a peer that is gone already fails its handshake
      made->peer = socket.remote_endpoint(ignored);
      socket.set_option(tcp::no_delay(true), ignored);
      made->stream = tcp_stream(std::move(socket), current_context());
      made->stream.set_handshake_timeout(options_.handshake_timeout());
    } catch (std::exception const&) {
      return not_accepted(asio::error::no_memory);
    }
    std::scoped_lock const lock(mutex_);
    accepting_ = false;
    if (closed_) return;
    shaking_.insert(made);
    made->stream.async_handshake(
        asio::bind_executor(strand, [self = shared_from_this(), made](error_code failed) {
          self->shaken(made, failed);
        }));
    accept_more();
  }

  // A descriptor or memory may be free again soon; a connection that was reset before it was
  // accepted is the peer's affair; after anything else the acceptor is of no use (A9).
  void not_accepted(error_code code) {
    bool const exhausted = code == asio::error::no_descriptors || code == asio::error::no_memory ||
                           code == asio::error::no_buffer_space ||
                           code == boost::system::errc::too_many_files_open_in_system;
    bool const gone = code == asio::error::operation_aborted ||
                      code == asio::error::bad_descriptor ||
                      code == asio::error::invalid_argument;
    if (gone) return no_more(code);
    tell({}, error(code));
    std::scoped_lock const lock(mutex_);
    if (!exhausted) {
      accepting_ = false;
      return accept_more();
    }
    retry_.expires_after(std::chrono::milliseconds(20));
    retry_.async_wait([self = shared_from_this()](error_code) {
      std::scoped_lock const relock(self->mutex_);
      self->accepting_ = false;
      self->accept_more();
      self->end_if_drained();
    });
  }

  // The acceptor was closed, by us or beneath us.
  void no_more(error_code code) {
    std::scoped_lock const lock(mutex_);
    accepting_ = false;
    if (!stopping_ && !closed_) close_now(code, asio::error::operation_aborted);
    end_if_drained();
  }

  void shaken(std::shared_ptr<connection> const& one, error_code failed) {
    if (failed && one->stream) {
      tell(one->peer, one->stream.core()->failure(failed, "handshake"));
    }
    std::scoped_lock const lock(mutex_);
    shaking_.erase(one);
    if (closed_) return;
    if (!failed) ready_.push_back(std::move(one->stream));
    hand_out();
    accept_more();
  }

  void tell(tcp::endpoint const& peer, error const& reason) const {
    if (options_.observer()) options_.observer()(accept_failure(peer, reason));
  }

  server_context context_;
  listener_options const options_;
  std::mutex mutex_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  asio::steady_timer stop_limit_;
  std::set<std::shared_ptr<connection>> shaking_;
  std::deque<tcp_stream> ready_;
  accept_waiters waiters_;
  stop_waiters stops_;
  bool stopping_ = false;
  bool accepting_ = false;   // an accept, or the pause before it is tried again, is pending
  bool closed_ = false;
};

void await_stream(std::shared_ptr<listener_state> const& state,
                  std::function<accept_waiters::ticket(accept_waiters&)> const& add,
                  asio::cancellation_slot slot) {
  state->add(add, slot);
}

void await_stop(std::shared_ptr<listener_state> const& state,
                std::function<void(stop_waiters&)> const& add,
                std::chrono::steady_clock::duration limit) {
  state->stop(add, limit);
}

}  // namespace detail

namespace {

asio::ip::tcp::acceptor listen(asio::any_io_executor executor,
                               asio::ip::tcp::endpoint const& endpoint,
                               listener_options const& options) {
  asio::ip::tcp::acceptor acceptor(std::move(executor));
  acceptor.open(endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  if (options.reuse_port()) {
    using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
    acceptor.set_option(reuse_port(true));
  }
  acceptor.bind(endpoint);
  acceptor.listen(options.backlog());
  return acceptor;
}

}  // namespace

listener::listener(asio::any_io_executor executor, asio::ip::tcp::endpoint const& endpoint,
                   server_context const& context, listener_options const& options)
    : listener(listen(std::move(executor), endpoint, options), context, options) {}

listener::listener(asio::ip::tcp::acceptor&& acceptor, server_context const& context,
                   listener_options const& options)
    : state_(std::make_shared<detail::listener_state>(std::move(acceptor), context, options)) {}

listener::listener(listener&&) noexcept = default;

listener& listener::operator=(listener&& other) noexcept {
  if (this != &other) {
    if (state_) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}

listener::~listener() {
  if (state_) state_->close();
}

listener::executor_type listener::get_executor() const {
  return state_->acceptor().get_executor();
}

asio::ip::tcp::endpoint listener::local_endpoint() const {
  return state_->acceptor().local_endpoint();
}

int listener::native_handle() const { return state_->acceptor().native_handle(); }

server_context& listener::context() noexcept { return state_->context(); }

void listener::close() { state_->close(); }

void listener::replace_context(server_context const& context) { state_->replace(context); }

}  // namespace cotls
