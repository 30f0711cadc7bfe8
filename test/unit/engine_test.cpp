// The engine with no socket: two of them over a link that carries so many bytes at a time.

#include "openssl.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "ssl_streams.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <string>

namespace cotls::test::engine_test {

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

// Moves at most `limit` bytes from one engine to the other; tells whether there were any.
bool carry(engine& from, engine& to, std::size_t limit) {
  asio::const_buffer const piece = asio::buffer(from.output(), limit);
  if (piece.size() == 0) return false;
  to.input(piece);
  from.consume_output(piece.size());
  return true;
}

boost::asio::ssl::context renegotiating(boost::asio::ssl::context given) {
  SSL_CTX_set_max_proto_version(given.native_handle(), TLS1_2_VERSION);
  SSL_CTX_clear_options(given.native_handle(), SSL_OP_NO_RENEGOTIATION);
  return given;
}

struct link {
  engine client;
  engine server;
  std::size_t limit;

  link(client_context const& at_client, server_context const& at_server, std::size_t carries)
      : client(at_client, to_localhost()), server(at_server), limit(carries) {}

  bool carry_both() {
    bool const there = carry(client, server, limit);
    bool const back = carry(server, client, limit);
    return there || back;
  }

  // Returns the client's and the server's last steps.
  std::pair<step, step> shake_hands() {
    step at_client;
    step at_server;
    do {
      at_client = client.handshake();
      at_server = server.handshake();
    } while (carry_both());
    return {at_client, at_server};
  }

  // Sends a text, which the receiver has still to read.
  void pass_only(engine& from, engine& to, std::string const& text) {
    BOOST_REQUIRE(from.write(asio::buffer(text)).bytes == text.size());
    while (carry(from, to, limit)) {
    }
  }

  // Sends a text through, and returns what arrives.
  std::string pass(engine& from, engine& to, std::string const& text) {
    std::string received;
    std::string room(5000, '\0');
    std::size_t taken = 0;
    while (received.size() < text.size()) {
      step const written = from.write(asio::buffer(text) + taken);
      BOOST_REQUIRE(!written.error);
      taken += written.bytes;
      carry(from, to, limit);
      step const read = to.read(asio::buffer(room));
      BOOST_REQUIRE(!read.error);
      received.append(room, 0, read.bytes);
    }
    return received;
  }
};

auto const limits = boost::unit_test::data::make({1, 5, 13, 64, 1024, 16384});
auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

}  // namespace

BOOST_AUTO_TEST_SUITE(engine_alone)

BOOST_AUTO_TEST_CASE(an_empty_write_does_nothing_and_begins_no_handshake) {
  engine client(localhost_client(), to_localhost());
  step const written = client.write(asio::const_buffer());
  BOOST_TEST(!written.error);
  BOOST_TEST(written.want == want::nothing);
  BOOST_TEST(client.output().size() == 0u);
}

// RFC 8446 section 6.1: close_notify "notifies the recipient that the sender will not send any more
// messages on this connection". OpenSSL would answer key updates.
BOOST_AUTO_TEST_CASE(nothing_is_sent_after_close_notify) {
  for (bool client_closes : {false, true}) {
    link both(localhost_client(), localhost_server(), 16384);
    both.shake_hands();
    engine& closed = client_closes ? both.client : both.server;
    engine& open = client_closes ? both.server : both.client;
    closed.close_write();
    while (both.carry_both()) {
    }
    request_key_update(open.native_handle());
    std::string const text = "what is still to be said";
    BOOST_TEST(both.pass(open, closed, text) == text);
    BOOST_TEST(closed.output().size() == 0u);
    // The keys have changed all the same.
    BOOST_TEST(both.pass(open, closed, text) == text);
  }
}

// A session ticket that holds a certificate, in records that it does not fit into: half of it is
// here when we say goodbye.
BOOST_AUTO_TEST_CASE(close_notify_waits_for_the_rest_of_a_message_that_is_half_here) {
  authority const root("whose clients are welcome");
  server_context asking = localhost_server(protocol::tls1_3);
  asking.add_root(root.certificate()).set_verify(verify::required);
  client_context answering = localhost_client();
  answering.use(root.issue(certificate_request({"somebody"}).use(purpose::client)).identity());
  link both(answering, asking, 16384);
  both.shake_hands();
  use_small_records(both.server.native_handle());
  send_session_ticket(both.server.native_handle());
  both.server.write(asio::buffer("x", 1));
  both.limit = 600;
  BOOST_TEST_REQUIRE(carry(both.server, both.client, both.limit));
  char one = 0;
  BOOST_TEST(both.client.read(asio::buffer(&one, 1)).want == want::input);

  step const early = both.client.close_write();
  BOOST_TEST(!early.error);
  BOOST_TEST(early.want == want::input);
  BOOST_TEST(both.client.output().size() == 0u);
  while (carry(both.server, both.client, both.limit)) {
  }
  step const closed = both.client.close_write();
  BOOST_TEST(!closed.error);
  BOOST_TEST(closed.want == want::nothing);
  BOOST_TEST(both.client.output().size() > 0u);
  BOOST_TEST(both.client.read(asio::buffer(&one, 1)).bytes == 1u);
}

BOOST_DATA_TEST_CASE(a_session_goes_over_any_link, limits* versions, limit, version) {
  link pair(localhost_client(version), localhost_server(version),
            static_cast<std::size_t>(limit));
  auto const [client, server] = pair.shake_hands();
  BOOST_TEST(client.want == want::nothing);
  BOOST_TEST(!client.error);
  BOOST_TEST(server.want == want::nothing);
  BOOST_TEST(pair.client.peer().verified());

  std::string const text = pattern(std::min<std::size_t>(pair.limit * 50, 200'000));
  BOOST_TEST((pair.pass(pair.client, pair.server, text) == text));
  BOOST_TEST((pair.pass(pair.server, pair.client, text) == text));

  while (pair.carry_both()) {
  }
  BOOST_TEST(!pair.client.close_write().error);
  while (pair.carry_both()) {
  }
  char one = 0;
  BOOST_TEST(pair.server.read(asio::buffer(&one, 1)).error == asio::error::eof);
  BOOST_TEST(!pair.server.shutdown().error);
  while (pair.carry_both()) {
  }
  step const last = pair.client.shutdown();
  BOOST_TEST(!last.error);
  BOOST_TEST(last.want == want::nothing);
}

BOOST_AUTO_TEST_CASE(an_engine_says_what_it_wants) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  BOOST_TEST(pair.server.handshake().want == want::input);
  BOOST_TEST(pair.server.output().size() == 0u);
  BOOST_TEST(pair.client.handshake().want == want::input);
  BOOST_TEST(pair.client.output().size() > 0u);
  pair.shake_hands();
  char one = 0;
  BOOST_TEST(pair.server.read(asio::buffer(&one, 1)).want == want::input);
  step const written = pair.client.write(asio::buffer("hello", 5));
  BOOST_TEST(written.bytes == 5u);
  BOOST_TEST(written.want == want::nothing);   // or whoever calls again would say it twice
}

BOOST_AUTO_TEST_CASE(too_much_output_that_nobody_takes_is_wanted_out_before_more_is_written) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  std::string const text = pattern(1'000'000);
  std::size_t taken = 0;
  step last;
  do {
    last = pair.client.write(asio::buffer(text) + taken);
    taken += last.bytes;
  } while (last.bytes > 0);
  BOOST_TEST(last.want == want::output);
  BOOST_TEST(!last.error);
  BOOST_TEST(taken < text.size());
  BOOST_TEST(pair.client.output().size() < 200'000u);
  pair.client.consume_output(pair.client.output().size());
  while (pair.client.output().size() > 0) pair.client.consume_output(pair.client.output().size());
  BOOST_TEST(pair.client.write(asio::buffer(text)).bytes > 0u);
}

BOOST_AUTO_TEST_CASE(output_stays_where_it_is_until_it_is_consumed) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.client.write(asio::buffer("first", 5));
  asio::const_buffer const first = pair.client.output();
  std::string const bytes(static_cast<char const*>(first.data()), first.size());
  BOOST_TEST(pair.client.write(asio::buffer(pattern(60'000))).bytes == 60'000u);
  pair.client.close_write();
  BOOST_TEST(pair.client.output().data() == first.data());
  BOOST_TEST(pair.client.output().size() == first.size());
  BOOST_TEST((std::string(static_cast<char const*>(first.data()), first.size()) == bytes));
}

BOOST_AUTO_TEST_CASE(the_alert_of_a_failed_handshake_is_there_when_the_error_is) {
  link pair(client_context().add_root(make_self_signed({"x"}).chain().leaf()), localhost_server(),
            1'000'000);
  step failed;
  do {
    pair.server.handshake();
    failed = pair.client.handshake();
    BOOST_TEST((!failed.error || pair.client.output().size() > 0));
  } while (!failed.error && pair.carry_both());
  BOOST_TEST((failed.error.category() == openssl_category()));
  pair.carry_both();
  char one = 0;
  step refused = pair.server.handshake();
  if (!refused.error) refused = pair.server.read(asio::buffer(&one, 1));
  BOOST_TEST((refused.error.category() == alert_category()));
  BOOST_TEST(pair.server.last_error().alert().has_value());
  BOOST_TEST(pair.client.last_error().verify_result() != 0);
}

BOOST_AUTO_TEST_CASE(bytes_come_before_the_end_that_is_behind_them) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.client.write(asio::buffer("last words", 10));
  pair.client.close_write();
  while (pair.carry_both()) {
  }
  std::string room(100, '\0');
  step const data = pair.server.read(asio::buffer(room));
  BOOST_TEST(data.bytes == 10u);
  BOOST_TEST(!data.error);
  BOOST_TEST(pair.server.read(asio::buffer(room)).error == asio::error::eof);
  BOOST_TEST(pair.server.read(asio::buffer(room)).error == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(bytes_come_before_the_damage_that_is_behind_them) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.client.write(asio::buffer("good", 4));
  while (pair.carry_both()) {
  }
  pair.client.write(asio::buffer("bad", 3));
  std::string damaged(static_cast<char const*>(pair.client.output().data()),
                      pair.client.output().size());
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  pair.server.input(asio::buffer(damaged));
  std::string room(100, '\0');
  step const data = pair.server.read(asio::buffer(room));
  BOOST_TEST(data.bytes == 4u);
  BOOST_TEST(!data.error);
  step const damage = pair.server.read(asio::buffer(room));
  BOOST_TEST((damage.error.category() == openssl_category()));
  BOOST_TEST(pair.server.output().size() > 0u);   // bad_record_mac, for the peer
  BOOST_TEST(pair.server.write(asio::buffer("x", 1)).error == damage.error);
}

// Small pieces come from a copy of the record's rest; larger ones in between change nothing.
BOOST_DATA_TEST_CASE(records_can_be_read_in_pieces_of_any_size, versions, version) {
  link pair(localhost_client(version), localhost_server(version), 1'000'000);
  pair.shake_hands();
  std::string const sent = pattern(40'000);
  BOOST_REQUIRE(pair.client.write(asio::buffer(sent)).bytes == sent.size());
  pair.client.close_write();
  while (pair.carry_both()) {
  }
  std::string received;
  std::string room(5000, '\0');
  step last;
  for (std::size_t turn = 0; !last.error; ++turn) {
    constexpr std::array<std::size_t, 7> sizes{1, 16, 512, 3, 513, 4'000, 64};
    last = pair.server.read(asio::buffer(room, sizes[turn % sizes.size()]));
    BOOST_REQUIRE((last.bytes > 0 || last.error));
    received.append(room, 0, last.bytes);
  }
  BOOST_TEST((received == sent));
  BOOST_TEST(last.error == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(small_pieces_of_a_record_do_not_ask_openssl_for_each) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  std::string const sent = pattern(1'000);
  pair.pass_only(pair.client, pair.server, sent);
  std::string room(10, '\0');
  for (std::size_t at = 0; at < 30; at += room.size()) {
    BOOST_REQUIRE(pair.server.read(asio::buffer(room)).bytes == room.size());
    BOOST_TEST((room == sent.substr(at, room.size())));
  }
  BOOST_TEST(pending(pair.server.native_handle()) == 0u);
}

BOOST_AUTO_TEST_CASE(plaintext_that_is_to_be_cleansed_is_not_copied) {
  server_context const cleansing = localhost_server();
  cleanse_plaintext(cleansing.native().native_handle());
  link pair(localhost_client(), cleansing, 1'000'000);
  pair.shake_hands();
  pair.pass_only(pair.client, pair.server, pattern(1'000));
  std::string room(10, '\0');
  for (int i = 0; i < 3; ++i) BOOST_REQUIRE(pair.server.read(asio::buffer(room)).bytes == 10u);
  BOOST_TEST(pending(pair.server.native_handle()) == 970u);
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_record_comes_before_the_damage_behind_it) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.pass_only(pair.client, pair.server, pattern(100));
  std::string room(10, '\0');
  for (int i = 0; i < 2; ++i) BOOST_REQUIRE(pair.server.read(asio::buffer(room)).bytes == 10u);
  pair.server.input(asio::buffer(std::string(100, 'x')));
  std::string rest(1'000, '\0');
  BOOST_TEST(pair.server.read(asio::buffer(rest)).bytes == 80u);
  BOOST_TEST((pair.server.read(asio::buffer(rest)).error.category() == openssl_category()));
}

BOOST_AUTO_TEST_CASE(a_shutdown_discards_the_rest_of_a_record) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.pass_only(pair.client, pair.server, pattern(1'000));
  pair.client.close_write();
  while (pair.carry_both()) {
  }
  std::string room(10, '\0');
  for (int i = 0; i < 2; ++i) BOOST_REQUIRE(pair.server.read(asio::buffer(room)).bytes == 10u);
  step closed = pair.server.shutdown();
  BOOST_TEST(closed.bytes == 980u);
  closed = pair.server.shutdown();
  BOOST_TEST(!closed.error);
  BOOST_TEST(closed.bytes == 0u);
  BOOST_TEST((closed.want == want::nothing));
}

BOOST_AUTO_TEST_CASE(the_end_of_input_is_truncation_and_inside_the_handshake_its_own_error) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.server.end_input();
  BOOST_TEST(pair.server.handshake().error == errc::handshake_truncated);

  link done(localhost_client(), localhost_server(), 1'000'000);
  done.shake_hands();
  done.server.end_input();
  char one = 0;
  BOOST_TEST(done.server.read(asio::buffer(&one, 1)).error == errc::stream_truncated);
  BOOST_TEST(!done.server.write(asio::buffer("x", 1)).error);   // ours is still open
}

BOOST_AUTO_TEST_CASE(lent_input_is_not_copied_and_kept_when_another_piece_is_given) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.client.write(asio::buffer("one", 3));
  std::string const first(static_cast<char const*>(pair.client.output().data()),
                          pair.client.output().size());
  pair.client.consume_output(first.size());
  pair.client.write(asio::buffer("two", 3));
  pair.server.lend_input(asio::buffer(first));
  BOOST_TEST(pair.server.unread() >= first.size());
  pair.server.input(pair.client.output());
  std::string room(100, '\0');
  step const data = pair.server.read(asio::buffer(room));
  BOOST_TEST(room.substr(0, data.bytes) == "onetwo");
  BOOST_TEST(pair.server.unread() == 0u);
}

BOOST_AUTO_TEST_CASE(an_engine_without_a_host_to_verify_is_refused) {
  BOOST_CHECK_EXCEPTION(engine(localhost_client(), client_options()), error,
                        [](error const& thrown) { return thrown.code() == errc::no_host_name; });
  BOOST_CHECK_NO_THROW(engine(client_context().set_verify(verify::none), client_options()));
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused_by_the_engine) {
  BOOST_CHECK_EXCEPTION(
      engine(localhost_client(), client_options().host("a b")), error,
      [](error const& thrown) { return thrown.code() == errc::invalid_host_name; });
  BOOST_CHECK_EXCEPTION(
      engine(localhost_client(), to_localhost().alpn(std::string(256, 'x'))), error,
      [](error const& thrown) { return thrown.code() == errc::invalid_alpn_protocol; });
}

BOOST_AUTO_TEST_CASE(leftovers_in_the_error_queue_are_not_read_as_ours) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.shake_hands();
  pair.client.write(asio::buffer("whole", 5));
  std::string const record(static_cast<char const*>(pair.client.output().data()),
                           pair.client.output().size());
  // OpenSSL is asked, and finds that the rest of the record is missing.
  pair.server.input(asio::buffer(record, 10));
  leave_an_openssl_error();
  std::string room(100, '\0');
  step const missing = pair.server.read(asio::buffer(room));
  BOOST_TEST(missing.want == want::input);
  BOOST_TEST(!missing.error);
  pair.server.input(asio::buffer(record) + 10);
  BOOST_TEST(pair.server.read(asio::buffer(room)).bytes == 5u);
}

BOOST_AUTO_TEST_CASE(a_read_before_the_handshake_performs_it) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  char one = 0;
  for (int flights = 0; flights < 10 && one == 0; ++flights) {
    pair.client.read(asio::buffer(&one, 1));
    pair.server.write(asio::buffer("x", 1));
    pair.carry_both();
  }
  BOOST_TEST(one == 'x');
  pair.client.end_input();
  BOOST_TEST(!pair.server.close_write().error);
  BOOST_TEST(pair.server.output().size() > 0u);
}

// OpenSSL would give it to a read alone, and let the write fail without a reason (T29).
BOOST_AUTO_TEST_CASE(a_write_amid_a_renegotiation_waits_until_the_data_that_came_is_read) {
  link pair(client_context(renegotiating(localhost_ssl_client())),
            server_context(renegotiating(localhost_ssl_server())), 1'000'000);
  pair.shake_hands();
  std::string room(4, '\0');
  auto const read = [&](engine& at) {
    step const got = at.read(asio::buffer(room));
    return room.substr(0, got.bytes);
  };
  pair.pass_only(pair.server, pair.client, "data");
  request_renegotiation(pair.server.native_handle());
  pair.pass_only(pair.server, pair.client, "more");
  BOOST_TEST(read(pair.client) == "data");
  BOOST_TEST(read(pair.client) == "more");   // the request was read, and not followed yet
  pair.pass_only(pair.server, pair.client, "last");
  BOOST_TEST(pair.client.write(asio::buffer("x", 1)).error == errc::unread_data);
  BOOST_TEST(read(pair.client) == "last");
  std::string received;
  bool taken = false;
  for (int i = 0; i < 10 && received.empty(); ++i) {
    if (!taken) {
      step const written = pair.client.write(asio::buffer("x", 1));
      BOOST_TEST(!written.error);
      taken = written.bytes == 1;
    }
    pair.carry_both();
    received = read(pair.server);
    pair.carry_both();
  }
  BOOST_TEST(received == "x");
}

BOOST_AUTO_TEST_CASE(an_engine_can_be_moved_in_the_middle_of_its_handshake) {
  link pair(localhost_client(), localhost_server(), 1'000'000);
  pair.client.handshake();
  pair.carry_both();
  engine moved = std::move(pair.client);
  pair.client = std::move(moved);
  auto const [client, server] = pair.shake_hands();
  BOOST_TEST(client.want == want::nothing);
  BOOST_TEST(!server.error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::engine_test
