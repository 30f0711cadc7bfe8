// Peers that say nothing, too little or too much, and what the deadlines of blocking calls make of
// them; the traps C1 to C4.

#include "blocking.hpp"
#include "print.hpp"

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <poll.h>

#include <array>
#include <string_view>

namespace cotls::test::blocking_hostile_test {

namespace {

using clock = std::chrono::steady_clock;

class stopwatch {
 public:
  clock::duration elapsed() const { return clock::now() - started_; }

 private:
  clock::time_point started_ = clock::now();
};

// A plain TCP server: does what it is told with each connection.
struct plain_fixture {
  asio::io_context context;
  tcp::acceptor acceptor{context, any_port()};

  int port() const { return acceptor.local_endpoint().port(); }

  // Waits for the peer's end, discarding what comes.
  static void drain(tcp::socket& peer) {
    error_code ended;
    std::array<char, 4096> discarded;
    while (!ended) peer.read_some(asio::buffer(discarded), ended);
  }
};

// The beginning of a handshake record of 16 KiB.
constexpr std::string_view beginning("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9);

// Sends a byte every few milliseconds until the peer is gone.
template <class Send>
void drip(int descriptor, Send send) {
  for (int i = 0; i < 4000; ++i) {
    pollfd waited{descriptor, POLLRDHUP, 0};
    if (::poll(&waited, 1, 5) != 0 || !send(static_cast<std::size_t>(i))) return;
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_handshake_with, plain_fixture)

BOOST_AUTO_TEST_CASE(a_silent_server_ends_at_the_deadline_with_the_socket_closed) {
  auto server = std::async(std::launch::async, [&] {
    tcp::socket silent = acceptor.accept();
    drain(silent);   // ends when the client has closed
  });
  stopwatch const watch;
  error_code code;
  blocking::connect("127.0.0.1", port(), localhost_client(),
                    connect_options().handshake_timeout(60ms), code);
  BOOST_TEST(code == errc::handshake_timeout);
  BOOST_TEST((watch.elapsed() >= 60ms));
  BOOST_TEST((watch.elapsed() < 5s));
  server.get();
}

BOOST_AUTO_TEST_CASE(a_server_that_drips_ends_at_the_deadline_too) {
  auto server = std::async(std::launch::async, [&] {
    tcp::socket slow = acceptor.accept();
    drip(slow.native_handle(), [&](std::size_t i) {
      error_code failed;
      char const next = i < beginning.size() ? beginning[i] : '\0';
      asio::write(slow, asio::buffer(&next, 1), failed);
      return !failed;
    });
  });
  stopwatch const watch;
  error_code code;
  blocking::connect("127.0.0.1", port(), localhost_client(), connect_options().timeout(100ms),
                    code);
  BOOST_TEST(code == errc::handshake_timeout);
  BOOST_TEST((watch.elapsed() >= 100ms));
  BOOST_TEST((watch.elapsed() < 5s));
  server.get();
}

BOOST_AUTO_TEST_CASE(a_server_of_another_protocol_is_found_out) {
  auto server = std::async(std::launch::async, [&] {
    tcp::socket other = acceptor.accept();
    asio::write(other, asio::buffer(std::string_view("220 good day\r\n")));
    drain(other);
  });
  error_code code;
  blocking::connect("127.0.0.1", port(), localhost_client(), {}, code);
  BOOST_TEST((code.category() == openssl_category()));
  server.get();
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_is_a_truncated_handshake) {
  auto server = std::async(std::launch::async, [&] {
    tcp::socket gone = acceptor.accept();
    gone.shutdown(tcp::socket::shutdown_send);
    drain(gone);
  });
  error_code code;
  blocking::connect("127.0.0.1", port(), localhost_client(), {}, code);
  BOOST_TEST(code == errc::handshake_truncated);
  server.get();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(blocking_deadlines, blocking_pair)

BOOST_AUTO_TEST_CASE(a_peer_that_never_answers_close_notify_ends_the_shutdown_at_its_deadline) {
  client.set_shutdown_timeout(60ms);
  stopwatch const watch;
  BOOST_CHECK_EXCEPTION(client.shutdown(), error, with_code(errc::shutdown_timeout));
  BOOST_TEST((watch.elapsed() >= 60ms));
  BOOST_TEST((watch.elapsed() < 5s));
}

// There is always something to read: the deadline is met by the clock, not by a wait.
BOOST_AUTO_TEST_CASE(a_peer_that_floods_does_not_hold_the_shutdown) {
  auto flood = std::async(std::launch::async, [&] {
    std::string const data(1 << 20, 'x');
    error_code ended;
    stopwatch const watch;
    while (!ended && watch.elapsed() < 10s) server.write(asio::buffer(data), ended);
  });
  client.set_shutdown_timeout(100ms);
  stopwatch const watch;
  error_code code;
  client.shutdown(code);
  BOOST_TEST(code == errc::shutdown_timeout);
  BOOST_TEST((watch.elapsed() < 5s));
  client = blocking::stream();
  flood.get();
}

BOOST_AUTO_TEST_CASE(a_peer_that_drips_ends_a_read_of_many_bytes_at_its_deadline) {
  auto dripping = std::async(std::launch::async, [&] {
    drip(server.native_socket(), [&](std::size_t) {
      error_code failed;
      server.write(asio::buffer("x", 1), failed);
      return !failed;
    });
  });
  client.set_read_timeout(100ms);
  stopwatch const watch;
  std::string text(4000, '\0');
  error_code code;
  std::size_t const count = client.read(asio::buffer(text), code);
  BOOST_TEST(code == asio::error::timed_out);
  BOOST_TEST(count > 0u);
  BOOST_TEST(count < 4000u);
  BOOST_TEST((watch.elapsed() >= 100ms));
  BOOST_TEST((watch.elapsed() < 5s));
  client = blocking::stream();
  dripping.get();
}

BOOST_AUTO_TEST_CASE(a_write_that_is_cut_says_what_it_took_and_goes_on) {
  std::string const text = pattern(32 << 20);
  client.set_write_timeout(60ms);
  error_code code;
  std::size_t taken = client.write(asio::buffer(text), code);
  BOOST_TEST(code == asio::error::timed_out);
  BOOST_REQUIRE(taken < text.size());
  client.set_write_timeout(20s);
  auto reading = std::async(std::launch::async, [&] {
    std::string received(text.size(), '\0');
    server.read(asio::buffer(received));
    return received;
  });
  client.write(asio::buffer(text) + taken);
  BOOST_TEST((reading.get() == text));
}

BOOST_AUTO_TEST_CASE(without_any_time_a_read_takes_what_is_here) {
  client.set_read_timeout(0s);
  std::string text(16, '\0');
  error_code code;
  BOOST_TEST(client.read_some(asio::buffer(text), code) == 0u);
  BOOST_TEST(code == asio::error::timed_out);
  server.write(asio::buffer("here", 4));
  pollfd waited{client.native_socket(), POLLIN, 0};
  BOOST_REQUIRE(::poll(&waited, 1, 20'000) == 1);
  BOOST_TEST(client.read_some(asio::buffer(text), code) == 4u);
  BOOST_TEST(!code);
  BOOST_TEST(client.read_some(asio::buffer(text), code) == 0u);
  BOOST_TEST(code == asio::error::timed_out);
}

BOOST_AUTO_TEST_CASE(a_write_of_zero_bytes_sends_no_record_and_is_no_error) {
  BOOST_TEST(client.write(asio::const_buffer()) == 0u);
  BOOST_TEST(client.write_some(asio::const_buffer()) == 0u);
  BOOST_TEST(received_by(server) == 0);
  client.write(asio::buffer("x", 1));
  BOOST_TEST(received_by(server) > 0);
}

BOOST_AUTO_TEST_CASE(a_read_of_zero_bytes_does_not_wait) {
  BOOST_TEST(client.read_some(asio::mutable_buffer()) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_hostile_test
