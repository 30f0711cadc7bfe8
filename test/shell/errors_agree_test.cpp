// The same failure met by a completion handler, a coroutine, a tuple and the blocking facade: each
// is told the same.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <functional>
#include <optional>
#include <string_view>
#include <thread>

namespace cotls::test::errors_agree_test {
namespace {

// Runs on a thread of its own, so that blocking calls can be served, until it is destroyed.
class served {
 public:
  using session = std::function<asio::awaitable<void>(tcp_stream)>;

  served(server_context const& with, session each)
      : listener_(context_.get_executor(), any_port(), with), each_(std::move(each)) {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~served() {
    context_.stop();
    thread_.join();
  }

  int port() const { return listener_.port(); }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto [code, made] = co_await listener_.async_accept(as_result);
      if (code) co_return;
      auto const executor = made.get_executor();
      asio::co_spawn(executor, each_(std::move(made)), asio::detached);
    }
  }

  asio::io_context context_;
  listener listener_;
  session each_;
  std::thread thread_;
};

// Says nothing more, and keeps the connection until the client has ended it.
asio::awaitable<void> keep(tcp_stream made) {
  char one = 0;
  for (;;) {
    auto const [end, n] =
        co_await made.next_layer().async_read_some(asio::buffer(&one, 1), as_result);
    if (end) co_return;
  }
}

// Ends its direction without close_notify.
asio::awaitable<void> cut(tcp_stream made) {
  made.next_layer().shutdown(tcp::socket::shutdown_send);
  co_await keep(std::move(made));
}

template <class Call>
error thrown_by(Call const& call) {
  try {
    call();
  } catch (error const& thrown) {
    return thrown;
  }
  throw std::logic_error("it did not fail");
}

// What a completion handler gets, and what it can ask for.
struct told {
  error_code code;
  error more{error_code()};
};

void agree(error const& known, error const& same) {
  BOOST_TEST(known.code() == same.code());
  BOOST_TEST(known.what() == same.what());
  BOOST_TEST(known.status() == same.status());
  BOOST_TEST(known.verify_result() == same.verify_result());
  BOOST_TEST((known.alert() == same.alert()));
  BOOST_TEST(known.openssl_stack() == same.openssl_stack());
}

void agree(error const& known, told const& same) {
  BOOST_TEST(known.code() == same.code);
  agree(known, same.more);
}

// "what was tried failed: why [category: name]"
void has_the_shape_of_a_message(error const& known) {
  std::string_view const text = known.what();
  std::size_t const failed = text.find(" failed: ");
  std::size_t const name = text.rfind(std::string(" [") + known.code().category().name() + ": ");
  BOOST_TEST((failed > 0 && failed < name && name < text.size()), text);
  BOOST_TEST(text.ends_with(']'));
}

// A connection that cannot be made, tried in each way; returns what all of them say.
struct attempt {
  std::string host;
  int port;
  client_context context = localhost_client();
  connect_options options{};

  error thrown() const {
    return thrown_by([this] {
      asio::io_context io;
      run(io, [this]() -> asio::awaitable<void> {
        co_await async_connect(host, port, context, options);
      }());
    });
  }

  told handled() const {
    asio::io_context io;
    told heard;
    async_connect(io.get_executor(), host, port, context, options,
                  [&](error_code code, tcp_stream none) {
                    BOOST_TEST(!none);
                    heard = {code, none.last_error()};
                  });
    run_for(io);
    return heard;
  }

  told in_a_tuple() const {
    asio::io_context io;
    told heard;
    run(io, [&]() -> asio::awaitable<void> {
      auto const [code, none] = co_await async_connect(host, port, context, options, as_result);
      heard = {code, none.last_error()};
    }());
    return heard;
  }

  error blocking() const {
    return thrown_by([this] { blocking::connect(host, port, context, options); });
  }

  error said_by_all() const {
    error const known = thrown();
    agree(known, handled());
    agree(known, in_a_tuple());
    agree(known, blocking());
    has_the_shape_of_a_message(known);
    return known;
  }
};

// An operation of a connection that was made, tried in each way.
struct use {
  int port;
  std::function<asio::awaitable<void>(tcp_stream&)> awaited;
  std::function<void(tcp_stream&, std::function<void(error_code)>)> handled;
  std::function<void(blocking::stream&)> blocked;
  client_context context = localhost_client();

  tcp_stream connect(asio::io_context& io) const {
    tcp_stream made;
    run(io, [&]() -> asio::awaitable<void> {
      made = co_await async_connect("localhost", port, context);
    }());
    made.set_shutdown_timeout(30ms);
    return made;
  }

  error said_by_all() const {
    asio::io_context io;
    tcp_stream stream = connect(io);
    error const known = thrown_by([&] { run(io, awaited(stream)); });
    agree(known, stream.last_error());

    tcp_stream other = connect(io);
    told heard;
    handled(other, [&](error_code code) { heard = {code, other.last_error()}; });
    run_for(io);
    agree(known, heard);

    blocking::stream waiting = blocking::connect("localhost", port, context);
    waiting.set_shutdown_timeout(30ms);
    agree(known, thrown_by([&] { blocked(waiting); }));
    agree(known, waiting.last_error());
    has_the_shape_of_a_message(known);
    return known;
  }
};

char one = 0;

use reading(int port) {
  return {port,
          [](tcp_stream& from) -> asio::awaitable<void> {
            co_await from.async_read_some(asio::buffer(&one, 1));
          },
          [](tcp_stream& from, std::function<void(error_code)> done) {
            from.async_read_some(asio::buffer(&one, 1),
                                 [done](error_code code, std::size_t) { done(code); });
          },
          [](blocking::stream& from) { from.read_some(asio::buffer(&one, 1)); }};
}

use shutting_down(int port) {
  return {port,
          [](tcp_stream& made) -> asio::awaitable<void> { co_await made.async_shutdown(); },
          [](tcp_stream& made, std::function<void(error_code)> done) { made.async_shutdown(done); },
          [](blocking::stream& made) { made.shutdown(); }};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(errors_agree)

BOOST_AUTO_TEST_CASE(about_an_expired_certificate) {
  identity const expired = make_self_signed(
      {"localhost"}, self_signed_options().valid(-std::chrono::hours(48), -std::chrono::hours(24)));
  served const server(server_context().use(expired), keep);
  error const known =
      attempt{"localhost", server.port(), client_context().add_root(expired.chain().leaf())}
          .said_by_all();
  BOOST_TEST(known.verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(known.what() == "handshake with localhost:" + std::to_string(server.port()) +
                                 " failed: the peer's certificate has expired (depth 0, "
                                 "CN=localhost) [ssl: certificate verify failed]");
}

BOOST_AUTO_TEST_CASE(about_a_certificate_for_another_host) {
  served const server(localhost_server(), keep);
  error const known = attempt{"localhost", server.port(), localhost_client(),
                              connect_options().verify_host("other.test")}
                          .said_by_all();
  BOOST_TEST(known.verify_result() == X509_V_ERR_HOSTNAME_MISMATCH);
}

BOOST_AUTO_TEST_CASE(about_an_unknown_authority) {
  served const server(server_context().use(make_self_signed({"localhost"})), keep);
  error const known = attempt{"localhost", server.port()}.said_by_all();
  BOOST_TEST(known.status() == status::ssl);
  BOOST_TEST(known.verify_result() == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

BOOST_AUTO_TEST_CASE(about_an_alert_in_the_handshake) {
  served const server(localhost_server().set_alpn({"h2"}, alpn_mismatch::refuse), keep);
  error const known = attempt{"localhost", server.port(), localhost_client().set_alpn({"smtp"})}
                          .said_by_all();
  BOOST_TEST(known.code() == alert::no_application_protocol);
}

BOOST_AUTO_TEST_CASE(about_a_refused_connection) {
  asio::io_context unused;
  tcp::acceptor closed(unused, any_port());
  int const port = closed.local_endpoint().port();
  closed.close();
  error const known = attempt{"127.0.0.1", port}.said_by_all();
  BOOST_TEST(known.code() == asio::error::connection_refused);
}

BOOST_AUTO_TEST_CASE(about_a_deadline) {
  asio::io_context unused;
  tcp::acceptor const silent(unused, any_port());
  error const known = attempt{"127.0.0.1", silent.local_endpoint().port(), localhost_client(),
                              connect_options().timeout(40ms)}
                          .said_by_all();
  BOOST_TEST((known.code() == boost::system::errc::timed_out));
}

BOOST_AUTO_TEST_CASE(about_a_port_and_a_name_that_are_none) {
  BOOST_TEST(thrown_by([] { blocking::connect("localhost", 0, localhost_client()); }).code() ==
             errc::invalid_port);
  attempt const nowhere{"localhost", 65536};
  agree(nowhere.thrown(), nowhere.handled());
  agree(nowhere.thrown(), nowhere.blocking());
  BOOST_TEST(nowhere.thrown().code() == errc::invalid_port);
}

BOOST_AUTO_TEST_CASE(about_a_file_that_cannot_be_read) {
  error const known = thrown_by([] { server_context().load_private_key("/nowhere/key.pem"); });
  BOOST_TEST(known.what() ==
             "loading the private key /nowhere/key.pem failed: No such file or directory "
             "[system: 2]");
}

BOOST_AUTO_TEST_CASE(about_truncation) {
  served const server(localhost_server(), cut);
  BOOST_TEST(reading(server.port()).said_by_all().code() == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(about_an_alert_after_the_handshake) {
  // A client of TLS 1.3 learns only after its handshake that it had to have a certificate (T7).
  served const server(localhost_server().set_verify(verify::required).add_root(
                          localhost_identity().chain().leaf()),
                      keep);
  error const known = reading(server.port()).said_by_all();
  BOOST_TEST(known.code() == alert::certificate_required);
  BOOST_TEST((known.alert() == alert::certificate_required));
}

BOOST_AUTO_TEST_CASE(about_a_shutdown_that_is_not_answered) {
  served const server(localhost_server(), keep);
  BOOST_TEST(shutting_down(server.port()).said_by_all().code() == errc::shutdown_timeout);
}

BOOST_AUTO_TEST_CASE(a_read_that_was_cancelled_is_no_failure_of_the_connection) {
  asio::io_context context;
  tcp_pair pair(context);
  asio::cancellation_signal signal;
  error_code ended;
  pair.client.async_read_some(
      asio::buffer(&one, 1),
      asio::bind_cancellation_slot(signal.slot(), [&](error_code code, std::size_t) {
        ended = code;
      }));
  context.restart();
  context.poll();
  signal.emit(asio::cancellation_type::total);
  run_for(context);
  BOOST_TEST(ended == asio::error::operation_aborted);
  BOOST_TEST(!pair.client.last_error().code());
}

BOOST_AUTO_TEST_CASE(an_empty_stream_says_that_it_is_not_connected) {
  BOOST_TEST(tcp_stream().last_error().code() == errc::not_connected);
  BOOST_TEST(blocking::stream().last_error().code() == errc::not_connected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::errors_agree_test
