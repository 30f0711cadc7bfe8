// Connecting on the calling thread: addresses that race (RFC 8305), words for contexts, error codes
// and Unix domain sockets.

#include "addresses.hpp"
#include "blocking.hpp"
#include "blocking/race.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <cotls/detail/operation/deadline.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <string>

namespace cotls::test::blocking_connect_test {

namespace {

using clock = std::chrono::steady_clock;
using local_endpoint = asio::local::stream_protocol::endpoint;

// Does something a little later, on a thread of its own.
template <class Function>
std::future<void> a_little_later(Function function) {
  return std::async(std::launch::async, [function] {
    asio::io_context context;
    asio::steady_timer(context, 50ms).wait();
    function();
  });
}

struct fixture : blocking_fixture {
  asio::io_context context;
  black_hole hole;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_connect, fixture)

// What both kinds of races have in common is in connect_race_test.cpp. The system repeats the SYN
// after a second, when all addresses have been tried.
BOOST_AUTO_TEST_CASE(an_address_that_has_had_its_head_start_may_still_win) {
  black_hole late;
  auto const drained = a_little_later([&] { late.drain(); });
  auto const made = detail::connect_to_first({late.address(), refusing(), hole.address()}, 10ms,
                                             detail::moment_after(10s));
  BOOST_TEST(peer_of(made.get()) == late.address());
}

BOOST_AUTO_TEST_CASE(a_race_ends_with_the_last_failure_and_not_at_the_deadline) {
  black_hole late;
  auto const closed = a_little_later([&] { late.close(); });
  auto const started = clock::now();
  BOOST_CHECK_EXCEPTION(detail::connect_to_first({late.address(), refusing()}, 10ms,
                                                 detail::moment_after(10s)),
                        error, with_code(asio::error::connection_refused));
  BOOST_TEST((clock::now() - started < 5s));
}

BOOST_AUTO_TEST_CASE(a_name_is_connected_to_at_the_family_that_is_served) {
  auto server = serve(listener, [](blocking::stream& stream) { stream.shutdown(); });
  blocking::stream client =
      blocking::connect("localhost", listener.port(), localhost_client());
  BOOST_TEST(client.peer().verified());
  client.shutdown();
  server.get();
}

BOOST_AUTO_TEST_CASE(addresses_of_another_family_are_not_tried) {
  auto server = serve(listener, [](blocking::stream& stream) { stream.shutdown(); });
  connect_options const of_ipv6 = connect_options().family(address_family::ipv6);
  int const port = listener.port();
  BOOST_CHECK_THROW(blocking::connect("localhost", port, localhost_client(), of_ipv6), error);
  BOOST_CHECK_EXCEPTION(blocking::connect("127.0.0.1", port, localhost_client(), of_ipv6), error,
                        with_code(asio::error::address_family_not_supported));
  blocking::connect("localhost", port, localhost_client(),
                    connect_options().family(address_family::ipv4))
      .shutdown();
  server.get();
}

BOOST_AUTO_TEST_CASE(a_black_hole_meets_the_deadline_and_says_where) {
  int const port = hole.address().port();
  auto const before = open_descriptors();
  try {
    blocking::connect("127.0.0.1", port, localhost_client(), connect_options().timeout(50ms));
    BOOST_ERROR("connected to a black hole");
  } catch (error const& thrown) {
    BOOST_TEST(thrown.code() == errc::connect_timeout);
    BOOST_TEST(std::string(thrown.what()).find("connecting to 127.0.0.1:") == 0u);
  }
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(a_word_makes_a_context_of_its_protocol_that_verifies) {
  blocking::listener modern(any_port(), localhost_server(protocol::tls1_3));
  auto const refused = std::async(std::launch::async, [&] {
    error_code code;
    for (int i = 0; i < 2; ++i) modern.accept(code);
  });
  BOOST_CHECK_EXCEPTION(blocking::connect("127.0.0.1", modern.port(), protocol::tls1_2), error,
                        with_code(alert::protocol_version));
  BOOST_CHECK_EXCEPTION(blocking::connect("127.0.0.1", modern.port(), protocol::tls1_3), error,
                        [](error const& thrown) { return thrown.verify_result() != 0; });
}

BOOST_AUTO_TEST_CASE(a_word_that_is_not_supported_is_refused_before_any_io) {
  BOOST_CHECK_EXCEPTION(blocking::connect("127.0.0.1", listener.port(), protocol::sslv2), error,
                        with_code(errc::unsupported_protocol));
  BOOST_TEST(!listener.accept_ready());
}

BOOST_AUTO_TEST_CASE(an_error_code_is_set_instead_of_thrown) {
  error_code code = asio::error::eof;
  auto server = serve(listener, [](blocking::stream& stream) { stream.shutdown(); });
  blocking::stream client =
      blocking::connect("127.0.0.1", listener.port(), localhost_client(), {}, code);
  BOOST_TEST(!code);
  BOOST_REQUIRE(bool(client));
  client.shutdown();
  server.get();
  auto const refused = [&](int port, blocking::context_or_protocol<client_context> const& with) {
    error_code failed;
    BOOST_TEST(!blocking::connect("127.0.0.1", port, with, {}, failed));
    return failed;
  };
  BOOST_TEST(refused(0, localhost_client()) == errc::invalid_port);
  BOOST_TEST(refused(65536, localhost_client()) == errc::invalid_port);
  BOOST_TEST(refused(refusing().port(), localhost_client()) == asio::error::connection_refused);
  BOOST_TEST(refused(listener.port(), protocol::sslv2) == errc::unsupported_protocol);
}

BOOST_AUTO_TEST_CASE(a_unix_domain_socket_is_connected_to) {
  temporary_directory const directory;
  local_endpoint const path((directory.path() / "socket").string());
  blocking::listener local(path, localhost_server(),
                           blocking::listen_options().accept_timeout(20s));
  auto server = serve(local, [](blocking::stream& stream) {
    stream.write(asio::buffer("here", 4));
    stream.shutdown();
  });
  blocking::stream client =
      blocking::connect(path, localhost_client(), connect_options().verify_host("localhost"));
  BOOST_TEST(client.peer().verified());
  std::string text(4, '\0');
  client.read(asio::buffer(text));
  BOOST_TEST(text == "here");
  client.shutdown();
  server.get();
}

BOOST_AUTO_TEST_CASE(a_unix_domain_socket_names_no_host_to_verify) {
  local_endpoint const path("/nowhere/at/all");
  BOOST_CHECK_EXCEPTION(blocking::connect(path, localhost_client()), error,
                        with_code(errc::no_host_name));
  error_code code;
  blocking::connect(path, client_context().set_verify(verify::none), {}, code);
  BOOST_TEST(code == boost::system::errc::no_such_file_or_directory);
}

BOOST_AUTO_TEST_CASE(a_unix_domain_server_that_says_nothing_meets_the_deadline) {
  temporary_directory const directory;
  local_endpoint const path((directory.path() / "socket").string());
  blocking::listener const silent(path, localhost_server());
  for (auto const& limits :
       {connect_options().timeout(60ms), connect_options().handshake_timeout(60ms)}) {
    auto const started = clock::now();
    error_code code;
    blocking::connect(path, client_context().set_verify(verify::none), limits, code);
    BOOST_TEST(code == errc::handshake_timeout);
    BOOST_TEST((clock::now() - started < 5s));
  }
}

BOOST_AUTO_TEST_CASE(a_unix_domain_listener_whose_queue_is_full_meets_the_deadline) {
  temporary_directory const directory;
  local_endpoint const path((directory.path() / "socket").string());
  blocking::listener const full(path, localhost_server(), 0);
  asio::local::stream_protocol::socket filler(context);
  filler.connect(path);
  auto const before = open_descriptors();
  auto const started = clock::now();
  error_code code;
  blocking::connect(path, client_context().set_verify(verify::none),
                    connect_options().timeout(60ms), code);
  BOOST_TEST(code == errc::connect_timeout);
  BOOST_TEST((clock::now() - started >= 60ms));
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_connect_test
