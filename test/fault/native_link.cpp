// Two TCP connections over loopback with a relay between them:
//
//   near end <--socket--> near_side_  ( relay )  far_side_ <--socket--> far end
//
// A chunk that the relay has received is a step; it is held, dropped or passed on. The relay counts
// bytes as well, and takes no more than it may pass before the byte at which the trouble comes.

#include "connection_over.hpp"
#include "link.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <vector>

namespace cotls::test {

namespace {

/// The near end of a connection that async_connect makes.
class connecting final : public connection_over<tcp::socket> {
 public:
  connecting(asio::any_io_executor executor, int port, connection_settings const& how)
      : connection_over(how), executor_(std::move(executor)), port_(port) {}

  operation opening() const override { return operation::connect; }

  done open() override {
    client_context const& context = shared_client_context(how().version);
    connect_options options;
    options.handshake_timeout(how().deadline);
    if (how().composed) {
      auto [code, made] =
          co_await async_connect(executor_, "127.0.0.1", port_, context, options, as_deferred);
      co_return keep(code, std::move(made));
    }
    auto [code, made] = co_await async_connect("127.0.0.1", port_, context, options, as_result);
    co_return keep(code, std::move(made));
  }

 private:
  error_code keep(error_code code, tcp_stream made) {
    if (!code) adopt(std::move(made));
    return code;
  }

  asio::any_io_executor executor_;
  int port_;
};

/// The near end of a connection that a listener accepts.
class accepting final : public connection_over<tcp::socket> {
 public:
  accepting(asio::any_io_executor executor, connection_settings const& how)
      : connection_over(how),
        listener_(executor, any_port(), shared_server_context(how.version),
                  listener_options()
                      .handshake_timeout(how.deadline)
                      .stream_executor(executor)
                      .observer([this](accept_failure const& told) { refuse(told); })) {}

  tcp::endpoint address() const { return listener_.local_endpoint(); }

  operation opening() const override { return operation::accept; }
  int refusals() const override { return refusals_; }

  done open() override {
    if (how().composed) {
      auto [code, made] = co_await listener_.async_accept(as_deferred);
      co_return keep(code, std::move(made));
    }
    auto [code, made] = co_await listener_.async_accept(as_result);
    co_return keep(code, std::move(made));
  }

  void close() override {
    listener_.close();
    connection_over::close();
  }

 private:
  // No other connection will come: what waits for one is told what became of this one.
  void refuse(accept_failure const& told) {
    ++refusals_;
    reason_ = told.reason().code();
    listener_.close();
  }

  error_code keep(error_code code, tcp_stream made) {
    if (!code) adopt(std::move(made));
    return code && refusals_ > 0 ? reason_ : code;
  }

  int refusals_ = 0;
  error_code reason_;
  listener listener_;
};

class relay final : public link, public std::enable_shared_from_this<relay> {
 public:
  relay(asio::io_context& context, plan const& how, link_settings const& what)
      : context_(context),
        how_(how),
        what_(what),
        acceptor_(context, tcp::v4()),
        near_side_(context),
        far_side_(context),
        far_(context) {
    narrow(acceptor_);
    acceptor_.bind(any_port());
    acceptor_.listen();
    join(far_, far_side_);
  }

  std::unique_ptr<connection> make(end which, connection_settings const& how) override {
    if (which == end::far) {
      return std::make_unique<connection_over<tcp::socket>>(how, std::move(far_));
    }
    asio::any_io_executor const executor = context_.get_executor();
    switch (what_.begins) {
      case beginning::joined: break;
      case beginning::connected:
        return std::make_unique<connecting>(executor, acceptor_.local_endpoint().port(), how);
      case beginning::accepted: {
        auto made = std::make_unique<accepting>(executor, how);
        near_side_.connect(made->address());
        near_side_.set_option(tcp::no_delay(true));
        return made;
      }
    }
    tcp::socket near(context_);
    join(near, near_side_);
    return std::make_unique<connection_over<tcp::socket>>(how, std::move(near));
  }

  void start(std::function<void()> met) override {
    met_by_ = std::move(met);
    if (near_side_.is_open()) return carry();
    acceptor_.async_accept(near_side_, [self = shared_from_this()](error_code code) {
      if (code) return;
      self->near_side_.set_option(tcp::no_delay(true));
      self->carry();
    });
  }

  void lift() override {
    for (lane& each : lanes_) each.held = false;
    lifted_.cancel();
  }

  void dropped(end) override {}   // the kernel has told us

  void close() override {
    error_code ignored;
    acceptor_.close(ignored);
    reset();
    lift();
    met_by_ = nullptr;
  }

  measures measured() const override { return {steps_, lanes_[0].passed, lanes_[1].passed}; }

 private:
  // One direction; `way::in` is the near end's.
  struct lane {
    tcp::socket* from;
    tcp::socket* to;
    std::size_t passed = 0;
    bool held = false;   // nothing passes until the link is lifted
    bool cut = false;    // what comes is thrown away
  };

  // Small buffers, so that a writer soon waits; small segments, or each would wait for a delayed
  // acknowledgement. Accepted sockets take both over.
  template <class Socket>
  void narrow(Socket& socket) {
    if (what_.capacity >= 1'000'000) return;
    using segment_size = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_MAXSEG>;
    auto const share = static_cast<int>(what_.capacity / 4);
    socket.set_option(segment_size(2048));
    socket.set_option(asio::socket_base::send_buffer_size(share));
    socket.set_option(asio::socket_base::receive_buffer_size(share));
  }

  void join(tcp::socket& outside, tcp::socket& inside) {
    outside.open(tcp::v4());
    narrow(outside);
    outside.connect(acceptor_.local_endpoint());
    inside = acceptor_.accept();
    outside.set_option(tcp::no_delay(true));
    inside.set_option(tcp::no_delay(true));
  }

  void carry() {
    spawn(context_, pump(shared_from_this(), lanes_[0]));
    spawn(context_, pump(shared_from_this(), lanes_[1]));
  }

  bool counts_bytes_of(lane const& at) const noexcept {
    return (how_.counted == unit::bytes_in && &at == &lanes_[0]) ||
           (how_.counted == unit::bytes_out && &at == &lanes_[1]);
  }

  asio::awaitable<void> pump([[maybe_unused]] std::shared_ptr<relay> alive, lane& at) {
    std::vector<char> chunk(how_.limit);
    for (;;) {
      std::size_t most = chunk.size();
      if (counts_bytes_of(at) && !met_) {
        most = std::min(most, how_.at - at.passed);
        if (most == 0) {
          meet(at);
          continue;
        }
      }
      while (at.held) co_await lifted_.async_wait(as_result);
      auto const [ended, count] =
          co_await at.from->async_read_some(asio::buffer(chunk, most), as_result);
      if (!ended && how_.counted == unit::steps && steps_++ == how_.at) meet(at);
      while (at.held) co_await lifted_.async_wait(as_result);
      if (ended) co_return finish(at, ended);
      if (at.cut) continue;
      auto const [failed, sent] =
          co_await asio::async_write(*at.to, asio::buffer(chunk, count), as_result);
      at.passed += sent;
      at.cut = at.cut || failed;
    }
  }

  // A trouble at a byte is that direction's; one at a step is both directions'.
  void meet(lane& at) {
    met_ = true;
    for (lane& each : lanes_) {
      if (how_.counted != unit::steps && &each != &at) continue;
      switch (how_.transport_fault()) {
        case fault::none: break;
        case fault::failure: break;
        case fault::end: end_of(each); break;
        case fault::stall: each.held = true; break;
      }
    }
    if (how_.transport_fault() == fault::failure) reset();
    if (how_.kind != trouble::none && met_by_) asio::post(context_, met_by_);
  }

  void finish(lane& at, error_code code) {
    if (code == asio::error::eof) return end_of(at);
    reset();
  }

  void end_of(lane& at) {
    at.cut = true;
    error_code ignored;   // the other side may be gone
    at.to->shutdown(tcp::socket::shutdown_send, ignored);
  }

  // Closes both sides with a reset, which leaves no connection in TIME_WAIT either.
  void reset() {
    for (tcp::socket* each : {&near_side_, &far_side_}) {
      error_code ignored;   // not connected, or closed
      each->set_option(asio::socket_base::linger(true, 0), ignored);
      each->close(ignored);
    }
  }

  asio::io_context& context_;
  plan const how_;
  link_settings const what_;
  tcp::acceptor acceptor_;
  tcp::socket near_side_;
  tcp::socket far_side_;
  tcp::socket far_;
  asio::steady_timer lifted_{context_, asio::steady_timer::time_point::max()};
  std::array<lane, 2> lanes_{lane{&far_side_, &near_side_}, lane{&near_side_, &far_side_}};
  std::size_t steps_ = 0;
  bool met_ = false;
  std::function<void()> met_by_;
};

}  // namespace

std::shared_ptr<link> make_native_link(asio::io_context& context, plan const& how,
                                       link_settings const& what) {
  return std::make_shared<relay>(context, how, what);
}

}  // namespace cotls::test
