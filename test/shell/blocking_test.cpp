// The blocking facade: the same engine and operations, driven by a polling loop.

#include "blocking.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <future>

namespace cotls::test::blocking_test {

BOOST_FIXTURE_TEST_SUITE(blocking_facade, blocking_fixture)

BOOST_AUTO_TEST_CASE(a_connection_is_made_used_and_shut_down) {
  std::string const text = pattern(3'000'000);
  auto server = serve(listener, [&](blocking::stream& stream) {
    std::string received(text.size(), '\0');
    BOOST_TEST(stream.read(asio::buffer(received)) == text.size());
    BOOST_TEST((received == text));
    stream.write(asio::buffer(received));
    stream.shutdown();
  });
  blocking::stream client = connect();
  BOOST_TEST(client.peer().verified());
  BOOST_TEST(client.info().version == "TLSv1.3");
  BOOST_TEST(client.write(asio::buffer(text)) == text.size());
  std::string answer(text.size(), '\0');
  client.read(asio::buffer(answer));
  BOOST_TEST((answer == text));
  error_code code;
  client.read_some(asio::buffer(answer), code);
  BOOST_TEST(code == asio::error::eof);
  client.shutdown();
  server.get();
}

BOOST_AUTO_TEST_CASE(a_read_ends_at_its_timeout_and_the_stream_goes_on) {
  std::promise<void> timed_out;
  auto server = serve(listener, [&](blocking::stream& stream) {
    timed_out.get_future().wait();
    stream.write(asio::buffer("late", 4));
    stream.shutdown();
  });
  blocking::stream client = connect();
  client.set_timeout(30ms);
  std::string text(4, '\0');
  error_code code;
  client.read_some(asio::buffer(text), code);
  BOOST_TEST(code == asio::error::timed_out);
  timed_out.set_value();
  client.set_timeout(10s);
  BOOST_TEST(client.read(asio::buffer(text)) == 4u);
  client.shutdown();
  server.get();
}

BOOST_AUTO_TEST_CASE(a_failure_is_thrown_with_all_that_is_known) {
  auto server = std::async(std::launch::async, [&] {
    try {
      listener.accept();
      BOOST_ERROR("a client that trusts another authority was accepted");
    } catch (error const& refused) {
      BOOST_TEST(refused.alert().has_value());
    }
  });
  try {
    blocking::connect("localhost", listener.port(),
                      client_context().add_root(make_self_signed({"x"}).chain().leaf()));
    BOOST_ERROR("an unknown authority was accepted");
  } catch (error const& refused) {
    BOOST_TEST(refused.verify_result() != 0);
    BOOST_TEST(std::string(refused.what()).find("handshake with localhost:") == 0u);
  }
  server.get();
}

BOOST_AUTO_TEST_CASE(a_port_out_of_range_is_refused_before_any_io) {
  for (int port : {0, 65536}) {
    BOOST_CHECK_EXCEPTION(blocking::connect("localhost", port, localhost_client()), error,
                          [](error const& thrown) { return thrown.code() == errc::invalid_port; });
  }
}

BOOST_AUTO_TEST_CASE(a_silent_server_is_given_up_at_the_deadline) {
  asio::io_context unused;
  tcp::acceptor silent(unused, any_port());
  BOOST_CHECK_EXCEPTION(
      blocking::connect("127.0.0.1", silent.local_endpoint().port(), localhost_client(),
                        connect_options().timeout(50ms)),
      error, [](error const& thrown) { return thrown.code() == boost::system::errc::timed_out; });
}

BOOST_AUTO_TEST_CASE(a_silent_client_is_given_up_and_the_next_is_served) {
  listener.set_handshake_timeout(50ms);
  asio::io_context unused;
  tcp::socket silent(unused);
  silent.connect(listener.local_endpoint());
  auto const begin = std::chrono::steady_clock::now();
  BOOST_CHECK_EXCEPTION(listener.accept(), error, [](error const& thrown) {
    return thrown.code() == errc::handshake_timeout;
  });
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
  listener.set_handshake_timeout(10s);
  auto server = serve(listener, [](blocking::stream& stream) { stream.shutdown(); });
  connect().shutdown();
  server.get();
}

BOOST_AUTO_TEST_CASE(the_end_of_the_transport_is_truncation) {
  auto server = serve(listener, [](blocking::stream& stream) {
    ::shutdown(stream.native_socket(), SHUT_WR);
    error_code code;
    char one = 0;
    stream.read_some(asio::buffer(&one, 1), code);
  });
  blocking::stream client = connect();
  char one = 0;
  error_code code;
  client.read_some(asio::buffer(&one, 1), code);
  BOOST_TEST(code == errc::stream_truncated);
  client = blocking::stream();
  server.get();
}

BOOST_AUTO_TEST_CASE(an_empty_stream_is_not_connected) {
  blocking::stream empty;
  char one = 0;
  BOOST_CHECK_EXCEPTION(empty.read_some(asio::buffer(&one, 1)), error, [](error const& thrown) {
    return thrown.code() == errc::not_connected;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_test
