// A peer that sends many records: how much of its thread's time one call may take, and what is said
// when nothing more comes.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/channel/channel.hpp>
#include <cotls/engine.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test::flood_test {

namespace {

std::string take_output(engine& from) {
  std::string taken(static_cast<char const*>(from.output().data()), from.output().size());
  from.consume_output(taken.size());
  return taken;
}

// Two engines, their handshakes done.
struct open_pair {
  engine client;
  engine server;

  explicit open_pair(protocol version = protocol::tls1_3)
      : open_pair(engine(localhost_client(version), client_options().host("localhost")), version) {}

  open_pair(engine made, protocol version)
      : client(std::move(made)), server(localhost_server(version).set_session_tickets(0)) {
    for (bool going = true; going;) {
      bool const there = shakes(client, server);
      going = shakes(server, client) || there;
    }
    BOOST_REQUIRE(!client.info().version.empty());
  }

  // What the server says when it writes `text` in so many records.
  std::string records_of(std::string_view text, std::size_t count) {
    std::string said;
    for (std::size_t i = 0; i < count; ++i) {
      BOOST_REQUIRE(server.write(asio::buffer(text)).bytes == text.size());
      said += take_output(server);
    }
    return said;
  }

  // What the server says when it updates its keys so many times (RFC 8446 section 4.6.3).
  std::string key_updates(std::size_t count, int type = SSL_KEY_UPDATE_NOT_REQUESTED) {
    std::string said;
    for (std::size_t i = 0; i < count; ++i) {
      BOOST_REQUIRE(SSL_key_update(server.native_handle(), type) == 1);
      BOOST_REQUIRE(SSL_do_handshake(server.native_handle()) == 1);
      said += take_output(server);
    }
    return said;
  }

  step read() { return client.read(asio::buffer(into)); }
  std::string text(step const& got) const { return into.substr(0, got.bytes); }

  std::string into = std::string(64 * 1024, '\0');

 private:
  static bool shakes(engine& one, engine& other) {
    step const next = one.handshake();
    BOOST_REQUIRE(!next.error);
    std::string const said = take_output(one);
    other.input(asio::buffer(said));
    return next.want != want::nothing || !said.empty();
  }
};

constexpr std::size_t share = detail::channel::max_records;

auto const kinds = boost::unit_test::data::make({SSL_KEY_UPDATE_NOT_REQUESTED,
                                                 SSL_KEY_UPDATE_REQUESTED});

}  // namespace

BOOST_AUTO_TEST_SUITE(floods)

// What a call came to says nothing of the next one.
BOOST_DATA_TEST_CASE(a_flood_that_ends_in_silence_wants_input_and_what_comes_next_is_read,
                     kinds * boost::unit_test::data::make({63, 64, 65, 128, 3000}), kind, count) {
  open_pair pair;
  std::string const flood = pair.key_updates(static_cast<std::size_t>(count), kind);
  pair.client.input(asio::buffer(flood));
  step got = pair.read();
  for (int calls = 0; got.want == want::output; ++calls) {
    BOOST_REQUIRE(calls <= count);
    take_output(pair.client);
    got = pair.read();
  }
  BOOST_TEST(!got.error);
  BOOST_TEST(got.want == want::input);
  BOOST_TEST(pair.client.unread() == 0u);
  BOOST_TEST(pair.read().want == want::input);
  std::string const hello = pair.records_of("hello", 1);
  pair.client.input(asio::buffer(hello));
  BOOST_TEST(pair.text(pair.read()) == "hello");
  BOOST_TEST(pair.read().want == want::input);
}

BOOST_DATA_TEST_CASE(a_call_takes_its_share_of_records_without_data, kinds, kind) {
  open_pair pair;
  std::string const flood = pair.key_updates(10 * share, kind);
  pair.client.input(asio::buffer(flood));
  std::size_t const record = flood.size() / (10 * share);
  for (std::size_t left = pair.client.unread(); left > 0; left = pair.client.unread()) {
    step const got = pair.read();
    BOOST_TEST(got.bytes == 0u);
    BOOST_TEST(left - pair.client.unread() <= share * record);
    BOOST_REQUIRE(pair.client.unread() < left);
    BOOST_TEST(take_output(pair.client).size() <= share * 2 * record);
  }
}

BOOST_AUTO_TEST_CASE(a_call_takes_its_share_of_records_with_data) {
  open_pair pair;
  std::string const flood = pair.records_of("x", 1000);
  pair.client.input(asio::buffer(flood));
  std::size_t total = 0;
  while (total < 1000) {
    step const got = pair.read();
    BOOST_TEST(got.bytes == std::min(share, 1000 - total));
    BOOST_REQUIRE(got.bytes > 0u);
    total += got.bytes;
  }
  BOOST_TEST(pair.read().want == want::input);
}

BOOST_AUTO_TEST_CASE(records_of_both_kinds_share_it) {
  open_pair pair;
  std::string flood;
  for (int i = 0; i < 100; ++i) {
    flood += pair.key_updates(3);
    flood += pair.records_of("x", 1);
  }
  pair.client.input(asio::buffer(flood));
  step const got = pair.read();
  BOOST_TEST(!got.error);
  BOOST_TEST(got.bytes == share / 4);
}

BOOST_DATA_TEST_CASE(a_share_ends_where_a_record_does_however_it_arrives,
                     boost::unit_test::data::make({1, 4, 5, 6, 23, 1000}), piece) {
  open_pair pair;
  std::string const flood = pair.records_of("0123456789", 200);
  std::string arrived;
  for (std::size_t at = 0; at < flood.size(); at += static_cast<std::size_t>(piece)) {
    std::string const part = flood.substr(at, static_cast<std::size_t>(piece));
    pair.client.input(asio::buffer(part));
    for (step got = pair.read(); got.want != want::input; got = pair.read()) {
      arrived += pair.text(got);
    }
  }
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += "0123456789";
  BOOST_TEST(arrived == expected);
}

BOOST_AUTO_TEST_CASE(full_records_are_taken_as_many_as_there_is_room_for) {
  open_pair pair;
  std::string const text(16 * 1024, 'x');
  std::string const burst = pair.records_of(text, 4);
  pair.client.input(asio::buffer(burst));
  BOOST_TEST(pair.read().bytes == 4 * text.size());
}

// Without it OpenSSL stops behind each message, with the next one in its buffer.
BOOST_AUTO_TEST_CASE(without_auto_retry_records_without_data_are_no_reason_to_wait) {
  asio::ssl::context native(asio::ssl::context::tlsv13_client);
  SSL_CTX_clear_mode(native.native_handle(), SSL_MODE_AUTO_RETRY);
  open_pair pair(engine(client_context(std::move(native)), client_options()), protocol::tls1_3);
  std::string said = pair.key_updates(3);
  said += pair.records_of("hello", 1);
  pair.client.input(asio::buffer(said));
  step got = pair.read();
  for (int calls = 0; got.want == want::output && calls < 10; ++calls) got = pair.read();
  BOOST_TEST(pair.text(got) == "hello");
}

// `SSL_key_update` only says that one is to be sent.
BOOST_AUTO_TEST_CASE(a_read_lets_leave_what_the_program_has_asked_openssl_to_send) {
  open_pair pair;
  BOOST_REQUIRE(SSL_key_update(pair.client.native_handle(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
  BOOST_TEST(pair.read().want == want::input);
  std::string const said = take_output(pair.client);
  BOOST_TEST(!said.empty());
  BOOST_TEST(pair.read().want == want::input);
  BOOST_TEST(take_output(pair.client).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::flood_test
