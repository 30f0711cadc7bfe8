// The program's last word on a connection, over sockets: who is told of it, and what.

#include "blocking.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test::established_test {

namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

bool nobody(peer_info const&, connection_info const&) { return false; }

bool not_today(peer_info const&, connection_info const&) {
  throw std::runtime_error("not today");
}

error_code first_read(blocking::stream& from) {
  std::array<char, 1> byte;
  error_code code;
  from.read_some(asio::buffer(byte), code);
  return code;
}

std::string named(int port) { return "handshake with 127.0.0.1:" + std::to_string(port); }

}  // namespace

BOOST_AUTO_TEST_SUITE(last_word_over_sockets)

BOOST_DATA_TEST_CASE(a_listener_goes_on_with_others_and_its_observer_is_told, versions, version) {
  asio::io_context context;
  std::vector<error> failures;
  int asked = 0;
  auto const all_but_the_first = [&](peer_info const&, connection_info const&) {
    return ++asked > 1;
  };
  listener server(context.get_executor(), any_port(),
                  localhost_server().on_established(all_but_the_first),
                  listener_options().observer([&](accept_failure const& failure) {
                    failures.push_back(failure.reason());
                  }));
  run(context, [&]() -> asio::awaitable<void> {
    using namespace asio::experimental::awaitable_operators;
    auto connecting = [&]() -> asio::awaitable<void> {
      error_code heard;   // in TLS 1.3 with the first read (T7)
      try {
        auto refused =
            co_await async_connect("127.0.0.1", server.port(), localhost_client(version));
        BOOST_TEST((version == protocol::tls1_3));
        std::array<char, 1> byte;
        std::tie(heard, std::ignore) =
            co_await refused.async_read_some(asio::buffer(byte), as_result);
      } catch (error const& failed) {
        BOOST_TEST((version == protocol::tls1_2));
        heard = failed.code();
      }
      BOOST_TEST(heard == alert::access_denied);
      auto welcome = co_await async_connect("127.0.0.1", server.port(), localhost_client(version));
      co_await welcome.async_write_some(asio::buffer("x", 1));
    };
    auto accepting = [&]() -> asio::awaitable<void> {
      tcp_stream accepted = co_await server.async_accept();
      std::array<char, 1> byte;
      auto const [code, count] = co_await accepted.async_read_some(asio::buffer(byte), as_result);
      BOOST_TEST(!code);
      BOOST_TEST(count == 1u);
    };
    co_await (connecting() && accepting());
    server.close();
  }());
  BOOST_REQUIRE(failures.size() == 1u);
  BOOST_TEST(failures[0].code() == errc::peer_not_allowed);
}

BOOST_DATA_TEST_CASE(a_client_that_refuses_is_told_whom_and_why, versions, version) {
  asio::io_context context;
  listener server(context.get_executor(), any_port(), localhost_server());
  server.async_accept([](error_code, tcp_stream) {});
  run(context, [&]() -> asio::awaitable<void> {
    client_context const client = localhost_client(version).on_established(not_today);
    try {
      co_await async_connect("127.0.0.1", server.port(), client);
      BOOST_ERROR("nobody has refused");
    } catch (error const& failed) {
      BOOST_TEST(failed.code() == errc::hook_failed);
      std::string const text = failed.what();
      BOOST_TEST(text.starts_with(named(server.port())), text);
      BOOST_TEST(text.find("(not today)") != std::string::npos, text);
    }
    server.close();
  }());
}

BOOST_DATA_TEST_CASE(a_blocking_server_and_a_blocking_client_refuse_alike, versions, version) {
  blocking::listener strict{any_port(), localhost_server().on_established(nobody),
                            blocking::listen_options().accept_timeout(20s)};
  auto accepting = std::async(std::launch::async, [&] {
    error_code code;
    strict.accept(code);
    return code;
  });
  error_code heard;   // in TLS 1.3 with the first read (T7)
  try {
    blocking::stream client =
        blocking::connect("127.0.0.1", strict.port(), localhost_client(version));
    client.set_timeout(20s);
    heard = first_read(client);
  } catch (error const& failed) {
    heard = failed.code();
  }
  BOOST_TEST(heard == alert::access_denied);
  BOOST_TEST(accepting.get() == errc::peer_not_allowed);

  blocking::listener open{any_port(), localhost_server(),
                          blocking::listen_options().accept_timeout(20s)};
  auto serving = std::async(std::launch::async, [&] {
    error_code code;
    blocking::stream made = open.accept(code);
    return code ? code : first_read(made);
  });
  client_context const refusing = localhost_client(version).on_established(not_today);
  BOOST_CHECK_EXCEPTION(blocking::connect("127.0.0.1", open.port(), refusing), error,
                        with_code(errc::hook_failed));
  BOOST_TEST(serving.get() != error_code());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::established_test
