// Options of one connection by way of connect: what is wrong is said before any I/O.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace cotls::test::connect_policy_test {
namespace {

// A port where nobody listens, so that whatever reaches it is refused by the system.
int closed_port() {
  asio::io_context unused;
  return tcp::acceptor(unused, any_port()).local_endpoint().port();
}

error_code failure_of(std::function<void()> const& call) {
  try {
    call();
  } catch (boost::system::system_error const& thrown) {
    return thrown.code();
  }
  return {};
}

error_code connecting(int port, connect_options const& options) {
  error_code failed;
  asio::io_context context;
  run(context, [&]() -> asio::awaitable<void> {
    auto attempt = async_connect("127.0.0.1", port, localhost_client(), options);
    try {
      co_await std::move(attempt);
    } catch (boost::system::system_error const& thrown) {
      failed = thrown.code();
    }
  }());
  return failed;
}

struct wrong_options {
  connect_options options;
  errc code;
};

std::vector<wrong_options> wrong() {
  using enum protocol_version;
  return {{connect_options().groups("NOSUCH"), errc::invalid_setting},
          {connect_options().ciphers("NOSUCH"), errc::invalid_setting},
          {connect_options().signature_algorithms("nosuch"), errc::invalid_setting},
          {connect_options().versions(tls1_3, tls1_2), errc::invalid_setting},
          {connect_options().server_name("10.0.0.1"), errc::invalid_host_name},
          {connect_options().verify_host("a.test").also_accept("b.test").accept_any_name(),
           errc::invalid_setting}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connect_policy)

BOOST_AUTO_TEST_CASE(options_that_cannot_be_are_refused_before_any_io) {
  int const port = closed_port();
  for (wrong_options const& each : wrong()) {
    BOOST_TEST(connecting(port, each.options) == each.code);
    BOOST_TEST(failure_of([&] {
                 blocking::connect("127.0.0.1", port, localhost_client(), each.options);
               }) == each.code);
    BOOST_TEST(failure_of([&] {
                 asio::local::stream_protocol::endpoint const nowhere("/nonexistent/socket");
                 connect_options options = each.options;
                 if (options.verify_host().empty()) options.verify_host("localhost");
                 blocking::connect(nowhere, localhost_client(), options);
               }) == each.code);
  }
}

BOOST_AUTO_TEST_CASE(options_that_can_be_get_as_far_as_the_port) {
  int const port = closed_port();
  connect_options const right = connect_options()
                                    .groups("?NOSUCH:X25519")
                                    .ciphers("ECDHE+AESGCM", "TLS_AES_128_GCM_SHA256")
                                    .signature_algorithms("ECDSA+SHA256")
                                    .versions(protocol_version::tls1_2)
                                    .server_name("front.test");
  BOOST_TEST(connecting(port, right) == asio::error::connection_refused);
  BOOST_TEST(failure_of([&] {
               blocking::connect("127.0.0.1", port, localhost_client(), right);
             }) == asio::error::connection_refused);
}

BOOST_AUTO_TEST_CASE(a_connection_has_what_its_options_say) {
  asio::io_context context;
  listener accepts(context.get_executor(), any_port(), localhost_server());
  std::optional<tcp_stream> server;
  accepts.async_accept([&](error_code code, tcp_stream made) {
    BOOST_TEST(!code);
    server = std::move(made);
    accepts.close();
  });
  run(context, [&]() -> asio::awaitable<void> {
    connect_options const options = connect_options()
                                        .groups("P-256")
                                        .versions(protocol_version::tls1_2,
                                                  protocol_version::tls1_2)
                                        .verify_host("other.test")
                                        .server_name("front.test")
                                        .accept_any_name();
    auto client =
        co_await async_connect("127.0.0.1", accepts.port(), localhost_client(), options);
    BOOST_TEST(client.info().group == "secp256r1");
    BOOST_TEST(client.info().version == "TLSv1.2");
    BOOST_TEST(client.info().server_name == "front.test");
    BOOST_TEST(client.peer().verified());
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::connect_policy_test
