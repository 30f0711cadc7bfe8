// Looks at data that stays for the next read: of the engine, and what an operation does with them.

#include "engine_pair.hpp"
#include "native_client.hpp"
#include "openssl.hpp"
#include "operation_fixture.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace cotls::test::peek_test {

namespace {

using detail::peek_operation;

// A connection whose server looks at what its client says.
struct open_pair : engine_pair {
  explicit open_pair(server_context const& at_server = localhost_server())
      : engine_pair(localhost_client(), at_server, client_options().host("localhost")) {
    BOOST_TEST_REQUIRE(connect());
  }

  void say(std::string_view text) {
    BOOST_TEST_REQUIRE(client.write(asio::buffer(text)).bytes == text.size());
    carry(client, server);
  }
  void close() {
    client.close_write();
    carry(client, server);
  }
  void damage() { server.input(asio::buffer("\x17\x03\x03\x00\x13" "0123456789012345678", 24)); }

  std::string peeked(std::size_t most) {
    std::string text(most, '\0');
    last = server.peek(asio::buffer(text));
    return text.substr(0, last.bytes);
  }
  std::string read(std::size_t most) {
    std::string text(most, '\0');
    last = server.read(asio::buffer(text));
    return text.substr(0, last.bytes);
  }

  step last;   // the server's
};

bool wants_input(step const& last) {
  return last.want == want::input && !last.error && last.bytes == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peeking)

BOOST_AUTO_TEST_CASE(what_was_looked_at_is_read_next) {
  open_pair pair;
  pair.say("hello");
  BOOST_TEST(pair.peeked(3) == "hel");
  BOOST_TEST(pair.peeked(100) == "hello");
  BOOST_TEST((pair.last.want == want::nothing));
  BOOST_TEST(pair.read(2) == "he");
  BOOST_TEST(pair.peeked(100) == "llo");
  BOOST_TEST(pair.read(100) == "llo");
  BOOST_TEST(pair.peeked(100) == "");
  BOOST_TEST(wants_input(pair.last));
}

BOOST_AUTO_TEST_CASE(a_look_at_nothing_wants_input_as_a_read_does) {
  open_pair pair;
  BOOST_TEST(pair.peeked(100) == "");
  BOOST_TEST(wants_input(pair.last));
  BOOST_TEST(pair.read(100) == "");
  BOOST_TEST(wants_input(pair.last));
  pair.say("x");
  BOOST_TEST(pair.peeked(100) == "x");
}

BOOST_AUTO_TEST_CASE(a_look_into_no_room_takes_nothing_and_shows_nothing) {
  open_pair pair;
  BOOST_TEST(pair.peeked(0) == "");
  BOOST_TEST(wants_input(pair.last));
  pair.say("x");
  BOOST_TEST(pair.peeked(0) == "");
  BOOST_TEST((pair.last.want == want::nothing));
  BOOST_TEST(!pair.last.error);
  BOOST_TEST(pair.read(1) == "x");
}

BOOST_AUTO_TEST_CASE(what_came_since_is_seen_behind_what_was_looked_at) {
  open_pair pair;
  pair.say("ab");
  pair.say("cd");
  BOOST_TEST(pair.peeked(100) == "abcd");
  pair.say("ef");
  BOOST_TEST(pair.peeked(4) == "abcd");   // which suffices
  BOOST_TEST(pair.peeked(100) == "abcdef");
  BOOST_TEST(pair.read(3) == "abc");
  pair.say("gh");
  BOOST_TEST(pair.peeked(100) == "defgh");
  BOOST_TEST(pair.read(100) == "defgh");
}

BOOST_AUTO_TEST_CASE(no_more_than_a_record_is_seen_and_all_is_read) {
  open_pair pair;
  std::string const text = pattern(60'000);
  pair.say(text);
  BOOST_TEST((pair.peeked(60'000) == text.substr(0, 16 * 1024)));
  BOOST_TEST(pair.read(7) == text.substr(0, 7));
  BOOST_TEST((pair.peeked(60'000) == text.substr(7, 16 * 1024)));
  std::string received = text.substr(0, 7);
  while (received.size() < text.size()) {
    received += pair.read(10'000);
    BOOST_TEST_REQUIRE(pair.last.bytes > 0u);
  }
  BOOST_TEST((received == text));
}

// Records, looks and reads of many sizes, none of which goes with another.
BOOST_AUTO_TEST_CASE(looks_change_nothing_of_what_is_read_whatever_their_sizes) {
  open_pair pair;
  std::string const text = pattern(200'000);
  std::size_t said = 0;
  std::size_t read = 0;
  for (std::size_t turn = 0; read < text.size(); ++turn) {
    std::size_t const next = std::min<std::size_t>(turn * 97 % 20'000, text.size() - said);
    if (next > 0) pair.say(std::string_view(text).substr(said, next));
    said += next;
    std::string const seen = pair.peeked(1 + turn * 331 % 17'000);
    BOOST_REQUIRE((seen == text.substr(read, seen.size())));
    std::string const got = pair.read(1 + turn * 61 % 9'000);
    BOOST_REQUIRE((got == text.substr(read, got.size())));
    BOOST_REQUIRE((got.size() >= std::min(seen.size(), 1 + turn * 61 % 9'000)));
    read += got.size();
  }
  BOOST_TEST(said == read);
}

BOOST_AUTO_TEST_CASE(an_end_is_seen_behind_the_data_and_again_by_the_read_after_it) {
  open_pair pair;
  pair.say("bye");
  pair.close();
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(pair.peeked(100) == "bye");
    BOOST_TEST(!pair.last.error);
  }
  BOOST_TEST(pair.read(100) == "bye");
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(pair.peeked(100) == "");
    BOOST_TEST(pair.last.error == asio::error::eof);
    BOOST_TEST(pair.read(100) == "");
    BOOST_TEST(pair.last.error == asio::error::eof);
  }
}

BOOST_AUTO_TEST_CASE(so_is_a_transport_that_was_cut) {
  open_pair pair;
  pair.say("by");
  BOOST_TEST(pair.peeked(100) == "by");
  pair.server.end_input();
  BOOST_TEST(pair.peeked(100) == "by");
  BOOST_TEST(!pair.last.error);
  BOOST_TEST(pair.read(100) == "by");
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(pair.peeked(100) == "");
    BOOST_TEST(pair.last.error == errc::stream_truncated);
    pair.read(100);
    BOOST_TEST(pair.last.error == errc::stream_truncated);
  }
  BOOST_TEST(pair.server.write(asio::buffer("x", 1)).bytes == 1u);
}

BOOST_AUTO_TEST_CASE(so_is_damage_and_what_came_before_it_is_there) {
  open_pair pair;
  pair.say("good");
  pair.damage();
  BOOST_TEST(pair.peeked(100) == "good");
  BOOST_TEST(pair.peeked(100) == "good");
  BOOST_TEST(pair.read(100) == "good");
  pair.peeked(100);
  error_code const failed = pair.last.error;
  BOOST_TEST((failed.category() == openssl_category()));
  pair.read(100);
  BOOST_TEST(pair.last.error == failed);
  BOOST_TEST(pair.server.last_error().code() == failed);
}

BOOST_AUTO_TEST_CASE(before_the_handshake_a_look_goes_on_with_it) {
  engine_pair pair(localhost_client(), localhost_server(), client_options().host("localhost"));
  std::array<char, 10> text;
  BOOST_TEST((pair.client.peek(asio::buffer(text)).want == want::input));
  BOOST_TEST(pair.client.output().size() > 0u);   // its hello
}

BOOST_AUTO_TEST_CASE(a_shutdown_discards_what_was_looked_at) {
  open_pair pair;
  pair.say("hello");
  pair.close();
  BOOST_TEST(pair.peeked(100) == "hello");
  step const first = pair.server.shutdown();
  BOOST_TEST(first.bytes == 5u);
  step const second = pair.server.shutdown();
  BOOST_TEST(second.bytes == 0u);
  BOOST_TEST(!second.error);
}

// What was only looked at would be lost with the transport that is given back.
BOOST_AUTO_TEST_CASE(a_connection_is_not_over_before_what_was_looked_at_is_read) {
  client_context const client = localhost_client();
  SSL_CTX* const native = client.native_handle();
  engine{client, client_options().host("localhost")};   // which seals it
  detail::memory_channel link;
  detail::ssl_engine ours(native, link);
  ours.set_role(detail::role::client);
  engine server(localhost_server());
  BOOST_TEST_REQUIRE(!shake_hands(ours, link, server));
  server.write(asio::buffer("last", 4));
  server.close_write();
  link.lend_input(server.output().data(), server.output().size());
  std::array<char, 10> text;
  std::array const into{asio::mutable_buffer(asio::buffer(text))};
  BOOST_TEST(ours.peek(into).bytes == 4u);
  BOOST_TEST(!ours.close_write().error);
  link.sent(link.sending().size());
  BOOST_TEST(!ours.is_over());
  BOOST_TEST(ours.read(into).bytes == 4u);
  BOOST_TEST(ours.is_over());
}

BOOST_AUTO_TEST_CASE(plaintext_that_is_to_be_cleansed_is_looked_at_where_it_is) {
  server_context const cleansing = localhost_server();
  cleanse_plaintext(cleansing.native().native_handle());
  open_pair pair(cleansing);
  BOOST_TEST(pair.peeked(10) == "");
  BOOST_TEST(wants_input(pair.last));
  pair.say("hello");
  pair.say("again");
  BOOST_TEST(pair.peeked(3) == "hel");
  BOOST_TEST(pair.peeked(100) == "hello");
  BOOST_TEST(pending(pair.server.native_handle()) == 5u);
  BOOST_TEST(pair.peeked(0) == "");
  BOOST_TEST(pair.read(100) == "helloagain");
  pair.close();
  BOOST_TEST(pair.peeked(100) == "");
  BOOST_TEST(pair.last.error == asio::error::eof);
  pair.read(100);
  BOOST_TEST(pair.last.error == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(an_engine_that_was_moved_from_has_nothing_to_look_at) {
  open_pair pair;
  engine const elsewhere(std::move(pair.server));
  pair.peeked(10);
  BOOST_TEST(pair.last.error == errc::not_connected);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(peek_operations, operation_fixture)

using peek = peek_operation<scripted_connection, asio::mutable_buffer>;

BOOST_AUTO_TEST_CASE(a_look_asks_the_engine_for_one_and_for_no_read) {
  engine.answers = {{want::nothing, 5, {}}};
  peek op(&connection, room());
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.transferred() == 5u);
  BOOST_TEST(asked("peek", 1));
  BOOST_TEST(asked("read", 0));
  BOOST_TEST(!connection.reading.busy);
}

BOOST_AUTO_TEST_CASE(a_look_and_a_read_refuse_each_other) {
  engine.answers = {{want::input, 0, {}}, {want::input, 0, {}}};
  {
    peek looking(&connection, room());
    BOOST_TEST(looking.advance() == action::wait_input);
    read reading(&connection, room());
    reading.advance();
    BOOST_TEST(reading.error() == errc::operation_in_progress);
    BOOST_TEST(looking.advance({}, interruption::cancelled) == action::complete);
  }
  read reading(&connection, room());
  BOOST_TEST(reading.advance() == action::wait_input);
  peek looking(&connection, room());
  looking.advance();
  BOOST_TEST(looking.error() == errc::operation_in_progress);
}

BOOST_AUTO_TEST_CASE(a_look_into_empty_buffers_completes_without_the_engine) {
  peek op(&connection, asio::mutable_buffer());
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(asked("peek", 0));
}

BOOST_AUTO_TEST_CASE(whoever_looks_at_the_same_again_and_again_yields) {
  int looks = 0;
  for (action next = action::complete; next == action::complete; ++looks) {
    BOOST_REQUIRE(looks < 100);
    engine.answers = {{want::nothing, 5, {}}};
    peek op(&connection, room());
    next = op.advance();
    if (next == action::yield) {
      BOOST_TEST(op.advance({}, interruption::cancelled) == action::complete);
      BOOST_TEST(op.error() == asio::error::operation_aborted);
    }
  }
  BOOST_TEST(looks == 65);
}

BOOST_AUTO_TEST_CASE(a_failure_is_reported_when_its_alert_has_left) {
  engine.answers = {{want::nothing, 0, alert::bad_record_mac}};
  engine.has_failed = true;
  engine.emits = 30;
  peek op(&connection, room());
  BOOST_TEST(op.advance() == action::wait_output);
  engine.flush_takes = 30;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == alert::bad_record_mac);
  BOOST_TEST(engine.last_failure.second == "peek");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::peek_test
