// How connections end: resets, alerts in both directions, and goodbyes in any order.

#include "engine_peer.hpp"
#include "memory_stream.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "small_buffers.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cotls::test::ends_test {

using namespace asio::experimental::awaitable_operators;

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

void reset(tcp::socket& socket) {
  socket.set_option(asio::socket_base::linger(true, 0));
  socket.close();
}

struct sockets {
  asio::io_context context;
  tcp::socket near{context};
  tcp::socket far{context};

  sockets() {
    tcp::acceptor acceptor(context, any_port());
    near.connect(acceptor.local_endpoint());
    far = acceptor.accept();
  }
};

asio::awaitable<error_code> read_one(auto& from) {
  char one = 0;
  auto const [code, count] = co_await from.async_read_some(asio::buffer(&one, 1), as_result);
  BOOST_TEST(count == (code ? 0u : 1u));
  co_return code;
}

asio::awaitable<error_code> write_one(tcp_stream& to) {
  auto const [code, count] = co_await to.async_write(asio::buffer("x", 1), as_result);
  BOOST_TEST(count == (code ? 0u : 1u));
  co_return code;
}

asio::awaitable<error_code> shut(tcp_stream& stream) {
  auto const [code] = co_await stream.async_shutdown(as_result);
  co_return code;
}

asio::awaitable<error_code> close_write(tcp_stream& stream) {
  auto const [code] = co_await stream.async_close_write(as_result);
  co_return code;
}

asio::awaitable<error_code> handshake(tcp_stream& stream) {
  auto const [code] = co_await stream.async_handshake(as_result);
  co_return code;
}

// Runs something while an operation waits.
asio::awaitable<void> meanwhile(std::function<void()> something) {
  co_await asio::post(asio::use_awaitable);
  something();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(reset_by_the_peer, connected)

BOOST_AUTO_TEST_CASE(ends_a_read_and_every_read_after_it) {
  std::function<void()> const resets = [&] { reset(server.next_layer()); };
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await (read_one(client) && meanwhile(resets)) == asio::error::connection_reset);
    BOOST_TEST(co_await read_one(client) == asio::error::connection_reset);
    BOOST_TEST(co_await shut(client));
  }());
}

BOOST_AUTO_TEST_CASE(ends_a_write_that_waits_and_every_write_after_it) {
  use_small_buffers(client, server);
  std::string const text = pattern(8'000'000);
  std::optional<error_code> written;
  std::size_t taken = 0;
  client.async_write(asio::buffer(text), [&](error_code code, std::size_t count) {
    written = code;
    taken = count;
  });
  context.restart();
  context.poll();
  BOOST_TEST(!written);
  reset(server.next_layer());
  run_for(context);
  BOOST_TEST((written == error_code(asio::error::connection_reset) ||
              written == error_code(asio::error::broken_pipe)));
  BOOST_TEST(taken < text.size());
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await write_one(client));
    error_code const read = co_await read_one(client);
    BOOST_TEST((read == asio::error::connection_reset || read == errc::stream_truncated));
  }());
}

BOOST_AUTO_TEST_CASE(ends_a_shutdown) {
  std::function<void()> const resets = [&] { reset(server.next_layer()); };
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await (shut(client) && meanwhile(resets)) == asio::error::connection_reset);
    BOOST_TEST(co_await shut(client) == asio::error::connection_reset);
  }());
}

BOOST_AUTO_TEST_CASE(what_came_before_it_is_read_first) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await server.async_write(asio::buffer("last words", 10));
    reset(server.next_layer());
    auto const [code, text] = co_await read_to_end(client);
    BOOST_TEST(code == asio::error::connection_reset);
    BOOST_TEST(text == "last words");
  }());
}

// A waiting read hears of both at once, and of the end no second time (A26).
BOOST_DATA_TEST_CASE_F(connected, or_its_end_is_found_behind_what_came_with_it,
                       boost::unit_test::data::make({false, true}), resets) {
  run(context, [&]() -> asio::awaitable<void> {
    std::function<void()> const last_words = [&] {
      server.async_write(asio::buffer("last words", 10), [](error_code, std::size_t) {});
      if (resets) reset(server.next_layer());
      else server.next_layer().close();
    };
    BOOST_TEST(!co_await (read_one(client) && meanwhile(last_words)));
    auto const [code, text] = co_await read_to_end(client);
    BOOST_TEST(code == (resets ? error_code(asio::error::connection_reset)
                               : error_code(errc::stream_truncated)));
    BOOST_TEST(text == "ast words");
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(refusals, sockets)

BOOST_AUTO_TEST_CASE(a_reset_ends_the_handshake) {
  tcp_stream client(std::move(near), localhost_client(), to_localhost());
  std::function<void()> const resets = [&] { reset(far); };
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await (handshake(client) && meanwhile(resets)) == asio::error::connection_reset);
    BOOST_TEST(co_await shut(client) == asio::error::connection_reset);   // and stays the reason
  }());
}

BOOST_AUTO_TEST_CASE(the_peers_alert_ends_the_handshake_with_its_reason) {
  tcp_stream client(std::move(near), localhost_client(), to_localhost());
  // RFC 8446 section 6: fatal, access_denied; in the clear while there are no keys.
  far.send(asio::buffer("\x15\x03\x03\x00\x02\x02\x31", 7));
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await handshake(client) == alert::access_denied);
    BOOST_TEST((client.last_error().alert() == alert::access_denied));
    BOOST_TEST(co_await read_one(client) == alert::access_denied);
    BOOST_TEST(co_await write_one(client) == alert::access_denied);
    BOOST_TEST(co_await shut(client) == alert::access_denied);
  }());
}

BOOST_AUTO_TEST_CASE(ours_is_on_its_way_before_the_handshake_is_said_to_have_failed) {
  tcp_stream client(std::move(near), client_context().add_root(
                                         make_self_signed({"stranger"}).chain().leaf()),
                    to_localhost());
  engine_peer<tcp::socket> peer(std::move(far), engine(localhost_server()));
  run(context, [&]() -> asio::awaitable<void> {
    auto failing = [&]() -> asio::awaitable<void> {
      BOOST_TEST(co_await handshake(client));
      BOOST_TEST(peer.next().available() > 0u);
      client = tcp_stream();   // the alert is not lost by it
    };
    // It takes our flight, sends its own, and then reads no more until we have given up.
    auto refused = [&]() -> asio::awaitable<void> {
      co_await peer.pull();
      peer.tls.handshake();
      co_await peer.push();
    };
    co_await (failing() && refused());
    co_await peer.pull();
    BOOST_TEST(peer.tls.handshake().error == alert::unknown_ca);
  }());
}

BOOST_DATA_TEST_CASE_F(sockets, the_peers_alert_after_the_handshake_ends_reads_with_its_reason,
                       versions, version) {
  against_an_engine<tcp::socket> both(std::move(near), std::move(far), version);
  run(context, [&]() -> asio::awaitable<void> {
    co_await both.shake_hands();
    co_await both.client.async_write(asio::buffer("corrupted on its way", 20));
    co_await both.peer.pull(true);
    auto const [said, nothing] = co_await both.peer.read_to_end();
    BOOST_TEST((said.category() == openssl_category()));
    BOOST_TEST(co_await read_one(both.client) == alert::bad_record_mac);
    BOOST_TEST((both.client.last_error().alert() == alert::bad_record_mac));
    BOOST_TEST(co_await read_one(both.client) == alert::bad_record_mac);
    BOOST_TEST(co_await write_one(both.client) == alert::bad_record_mac);
    BOOST_TEST(co_await shut(both.client) == alert::bad_record_mac);
  }());
}

BOOST_DATA_TEST_CASE_F(sockets, a_corrupted_record_is_refused_and_the_peer_is_told, versions,
                       version) {
  against_an_engine<tcp::socket> both(std::move(near), std::move(far), version);
  run(context, [&]() -> asio::awaitable<void> {
    co_await both.shake_hands();
    co_await both.peer.send("whole");
    both.peer.tls.write(asio::buffer("corrupted on its way", 20));
    co_await both.peer.push(true);
    auto const [code, text] = co_await read_to_end(both.client);
    BOOST_TEST((code.category() == openssl_category()));
    BOOST_TEST(text == "whole");
    both.client = tcp_stream();
    auto const [told, none] = co_await both.peer.read_to_end();
    BOOST_TEST(told == alert::bad_record_mac);
  }());
}

BOOST_DATA_TEST_CASE_F(sockets, a_peer_is_told_of_a_corrupted_record_over_any_transport, versions,
                       version) {
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  memory_stream ours = left;
  against_an_engine<memory_stream> both(std::move(left), std::move(right), version);
  run(context, [&]() -> asio::awaitable<void> {
    co_await both.shake_hands();
    both.peer.tls.write(asio::buffer("corrupted on its way", 20));
    co_await both.peer.push(true);
    auto const [code, text] = co_await read_to_end(both.client);
    BOOST_TEST((code.category() == openssl_category()));
    both.client = stream<memory_stream>();
    ours.close();
    auto const [told, none] = co_await both.peer.read_to_end();
    BOOST_TEST(told == alert::bad_record_mac);
  }());
}

// T7: the client's handshake is done before the server has seen its certificate, or that it is
// missing.
BOOST_AUTO_TEST_CASE(a_client_refused_for_its_certificate_learns_it_from_its_first_read) {
  authority const root("whose clients are welcome");
  server_context demanding = localhost_server(protocol::tls1_3);
  demanding.add_root(root.certificate()).set_verify(verify::required);
  tcp_stream client(std::move(near), localhost_client(), to_localhost());
  std::optional<tcp_stream> server(std::in_place, std::move(far), demanding);
  run(context, [&]() -> asio::awaitable<void> {
    auto serving = [&]() -> asio::awaitable<void> {
      BOOST_TEST(co_await handshake(*server));
    };
    auto connecting = [&]() -> asio::awaitable<void> {
      BOOST_TEST(!co_await handshake(client));
      BOOST_TEST(!co_await write_one(client));
    };
    co_await (connecting() && serving());
    server.reset();   // with the client's byte unread: the reset must not hide the reason
    co_await write_one(client);
    co_await write_one(client);
    BOOST_TEST(co_await read_one(client) == alert::certificate_required);
    BOOST_TEST((client.last_error().alert() == alert::certificate_required));
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(goodbyes, connected)

BOOST_AUTO_TEST_CASE(an_end_stays_an_end_however_often_it_is_read) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!co_await close_write(server));
    for (int i = 0; i < 3; ++i) BOOST_TEST(co_await read_one(client) == asio::error::eof);
    server = tcp_stream();   // the transport's end, behind it, changes nothing
    for (int i = 0; i < 3; ++i) BOOST_TEST(co_await read_one(client) == asio::error::eof);
  }());
}

BOOST_AUTO_TEST_CASE(a_truncation_stays_one_however_often_it_is_read) {
  server.next_layer().shutdown(tcp::socket::shutdown_send);
  run(context, [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) BOOST_TEST(co_await read_one(client) == errc::stream_truncated);
    BOOST_TEST(co_await shut(client) == errc::stream_truncated);
    BOOST_TEST(co_await shut(client) == errc::stream_truncated);
    // Our own goodbye was sent all the same.
    BOOST_TEST(co_await read_one(server) == asio::error::eof);
  }());
}

BOOST_AUTO_TEST_CASE(after_close_notify_writes_are_refused_and_reads_go_on) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!co_await close_write(client));
    BOOST_TEST(co_await write_one(client) == errc::write_after_close);
    BOOST_TEST(!co_await write_one(server));
    BOOST_TEST(!co_await read_one(client));
    BOOST_TEST(co_await write_one(client) == errc::write_after_close);
  }());
}

BOOST_AUTO_TEST_CASE(after_the_peers_close_notify_writes_go_on) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!co_await close_write(server));
    BOOST_TEST(co_await read_one(client) == asio::error::eof);
    BOOST_TEST(!co_await write_one(client));
    BOOST_TEST(!co_await read_one(server));
  }());
}

BOOST_AUTO_TEST_CASE(close_notify_is_sent_once_however_often_it_is_asked_for) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!co_await close_write(client));
    std::size_t const first = server.next_layer().available();
    BOOST_TEST(first > 0u);
    BOOST_TEST(!co_await close_write(client));
    BOOST_TEST(!co_await close_write(server));
    BOOST_TEST(!co_await shut(client));
    BOOST_TEST(server.next_layer().available() == first);
    BOOST_TEST(!co_await shut(server));
  }());
}

BOOST_AUTO_TEST_CASE(a_shutdown_may_be_repeated) {
  run(context, [&]() -> asio::awaitable<void> {
    auto const [here, there] = co_await (shut(client) && shut(server));
    BOOST_TEST(!here);
    BOOST_TEST(!there);
    BOOST_TEST(!co_await shut(client));
    BOOST_TEST(!co_await shut(server));
    BOOST_TEST(co_await read_one(client) == asio::error::eof);
    BOOST_TEST(co_await write_one(client) == errc::write_after_close);
  }());
}

// A4: the caller may hold a lock that the handler takes, too.
BOOST_AUTO_TEST_CASE(a_shutdown_without_time_is_not_over_before_its_initiating_function) {
  client.set_shutdown_timeout(0s);
  std::optional<error_code> ended;
  client.async_shutdown([&](error_code code) { ended = code; });
  BOOST_TEST(!ended.has_value());
  context.restart();
  context.run_for(20s);
  BOOST_TEST((ended == error_code(errc::shutdown_timeout)));
  BOOST_TEST(server.next_layer().available() > 0u);   // it said goodbye
}

BOOST_AUTO_TEST_CASE(a_shutdown_after_the_peers_does_not_wait) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!co_await close_write(server));
    BOOST_TEST(co_await read_one(client) == asio::error::eof);
    BOOST_TEST(!co_await shut(client));
    BOOST_TEST(co_await read_one(server) == asio::error::eof);
  }());
}

// T15: closing a socket over unread data makes the system send a reset, which takes what is still
// on its way to the peer with it. Here the server's session ticket is unread.
BOOST_AUTO_TEST_CASE(a_shutdown_over_unread_tickets_does_not_destroy_the_last_data) {
  use_small_buffers(client, server);
  client.set_shutdown_timeout(30ms);
  std::string const text = pattern(250'000);
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(client.next_layer().available() > 0u);
    co_await client.async_write(asio::buffer(text));
    // The peer reads nothing, and says no goodbye.
    BOOST_TEST(co_await shut(client) == errc::shutdown_timeout);
    client = tcp_stream();
    auto const [code, received] = co_await read_to_end(server);
    BOOST_TEST(code == asio::error::eof);
    BOOST_TEST((received == text));
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::ends_test
