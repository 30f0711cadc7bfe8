// How much of a hello is here, and what is said of its length before OpenSSL is asked.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/channel/hello_framing.hpp>
#include <cotls/engine.hpp>

#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <algorithm>
#include <string>

namespace cotls::test::hello_framing_test {

namespace {

using namespace std::string_literals;
using detail::hello_arrival;

constexpr std::size_t limit = 1000;

hello_arrival look(std::string const& received) {
  return detail::look_for_hello(std::as_bytes(std::span(received)), limit);
}

std::string record(std::string const& piece) {
  return "\x16\x03\x01"s + static_cast<char>(piece.size() >> 8) +
         static_cast<char>(piece.size() & 0xff) + piece;
}

std::string message(std::size_t length) {
  return "\x01\x00"s + static_cast<char>(length >> 8) + static_cast<char>(length & 0xff) +
         std::string(length, 'x');
}

std::string in_records_of(std::size_t size, std::string const& whole) {
  std::string records;
  for (std::size_t at = 0; at < whole.size(); at += size) records += record(whole.substr(at, size));
  return records;
}

std::string output_of(engine& from) {
  auto const output = from.output();
  return {static_cast<char const*>(output.data()), output.size()};
}

std::string hello_of(client_context const& context) {
  engine client(context, client_options().host("localhost"));
  client.handshake();
  return output_of(client);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hello_framing)

BOOST_AUTO_TEST_CASE(a_hello_is_here_with_its_last_byte_and_not_before) {
  for (std::size_t const size : {1u, 2u, 3u, 4u, 5u, 64u, 300u}) {
    std::string const whole = in_records_of(size, message(200));
    for (std::size_t i = 0; i < whole.size(); ++i) {
      BOOST_TEST_REQUIRE((look(whole.substr(0, i)) == hello_arrival::awaited));
    }
    BOOST_TEST((look(whole) == hello_arrival::here));
    BOOST_TEST((look(whole + "more") == hello_arrival::here));
  }
}

BOOST_AUTO_TEST_CASE(a_length_beyond_the_limit_is_seen_with_its_last_byte) {
  BOOST_TEST((look(record(message(limit))) == hello_arrival::here));
  std::string const longer = record(message(limit + 1));
  BOOST_TEST((look(longer.substr(0, 8)) == hello_arrival::awaited));
  BOOST_TEST((look(longer.substr(0, 9)) == hello_arrival::too_long));
  std::string const split = in_records_of(1, message(limit + 1).substr(0, 4));
  BOOST_TEST((look(split.substr(0, 23)) == hello_arrival::awaited));
  BOOST_TEST((look(split) == hello_arrival::too_long));
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_a_hello_in_tiny_records_is_bounded) {
  std::string const tiny = in_records_of(1, message(limit));
  BOOST_TEST((look(tiny.substr(0, 2 * limit)) == hello_arrival::awaited));
  BOOST_TEST((look(tiny.substr(0, 2 * limit + 1)) == hello_arrival::too_long));
}

BOOST_AUTO_TEST_CASE(what_is_no_hello_is_left_to_openssl_as_soon_as_it_can_tell_and_not_before) {
  for (std::string const& other : {"GET /"s, "\x15\x03\x01\x00\x02"s, "\x16\x02\x01\x00\x02"s,
                                   record("\x02"s), "\x16\x03\x01\x00\x00"s,
                                   "\x16\x03\x01\x40\x01"s}) {
    BOOST_TEST((look(other) == hello_arrival::here));
    BOOST_TEST((look(other.substr(0, 4)) == hello_arrival::awaited));
  }
}

BOOST_AUTO_TEST_CASE(a_hello_of_ssl_2_is_awaited_by_its_length) {
  std::string const old = "\x80\x2e\x01"s + std::string(0x2d, 'x');
  BOOST_TEST((look(old.substr(0, old.size() - 1)) == hello_arrival::awaited));
  BOOST_TEST((look(old) == hello_arrival::here));
  BOOST_TEST((look("\x83\xe9\x01xx"s) == hello_arrival::too_long));   // 1,001 bytes
}

BOOST_AUTO_TEST_CASE(a_byte_of_anything_costs_a_server_no_memory) {
  for (char const first : {'G', '\x80', '\x15'}) {
    engine server(localhost_server());
    BOOST_TEST((server.handshake().want == want::input));
    std::size_t const before = ::mallinfo2().uordblks;
    server.input(asio::buffer(&first, 1));
    BOOST_TEST((server.handshake().want == want::input));
    BOOST_TEST(::mallinfo2().uordblks - before < 2'000u);
  }
}

BOOST_AUTO_TEST_CASE(nine_bytes_cost_a_server_no_memory_and_are_refused_with_an_alert) {
  engine server(localhost_server());
  BOOST_TEST((server.handshake().want == want::input));
  std::size_t const before = ::mallinfo2().uordblks;
  server.input(asio::buffer("\x16\x03\x01\x40\x00\x01\x02\x01\x00"s));   // 131,328 bytes, it says
  step const refused = server.handshake();
  BOOST_TEST(::mallinfo2().uordblks - before < 2'000u);
  BOOST_TEST(refused.error == errc::client_hello_too_long);
  BOOST_TEST(output_of(server) == "\x15\x03\x03\x00\x02\x02\x2f"s);   // illegal_parameter
}

BOOST_AUTO_TEST_CASE(a_hello_that_drips_costs_what_was_sent_of_it) {
  engine server(localhost_server());
  std::string const hello = hello_of(localhost_client());
  BOOST_TEST((server.handshake().want == want::input));
  std::size_t const before = ::mallinfo2().uordblks;
  for (std::size_t i = 0; i + 1 < hello.size(); ++i) {
    server.input(asio::buffer(hello.substr(i, 1)));
    BOOST_TEST_REQUIRE((server.handshake().want == want::input));
  }
  BOOST_TEST(::mallinfo2().uordblks - before < 4 * hello.size());
  server.input(asio::buffer(hello.substr(hello.size() - 1)));
  BOOST_TEST(!server.handshake().error);
  BOOST_TEST(server.output().size() > 0u);
}

BOOST_AUTO_TEST_CASE(the_limit_is_the_contexts_and_counts_from_its_last_byte) {
  std::string const hello = hello_of(localhost_client());
  std::size_t const length = hello.size() - 9;
  for (std::size_t const allowed : {length - 1, length}) {
    engine server(localhost_server().set_max_client_hello(allowed));
    server.input(asio::buffer(hello));
    step const next = server.handshake();
    BOOST_TEST((next.error == errc::client_hello_too_long) == (allowed < length));
  }
}

BOOST_AUTO_TEST_CASE(a_limit_is_from_1_to_what_openssl_takes) {
  for (std::size_t const wrong : {0u, 131'397u}) {
    BOOST_CHECK_EXCEPTION(server_context().set_max_client_hello(wrong), error,
                          [](error const& e) { return e.code() == errc::invalid_setting; });
  }
  BOOST_CHECK_NO_THROW(server_context().set_max_client_hello(131'396));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::hello_framing_test
