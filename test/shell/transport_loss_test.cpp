// Transports that are lost beneath a stream, or that it is to give back after a failure.

#include "memory_stream.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>

namespace cotls::test::transport_loss_test {

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

// A server's stream, and the socket of a peer that does not do its part.
struct one_sided {
  asio::io_context context;
  tcp::socket peer{context};
  tcp_stream server;

  one_sided() {
    tcp::acceptor acceptor(context, any_port());
    peer.connect(acceptor.local_endpoint());
    server = tcp_stream(acceptor.accept(), localhost_server());
    server.set_read_ahead(false);
  }

  error_code shake_hands() {
    error_code code;
    run(context, [&]() -> asio::awaitable<void> {
      std::tie(code) = co_await server.async_handshake(as_result);
    }());
    return code;
  }
};

// The beginning of a client hello: the header of a record, and less than that record.
asio::const_buffer part_of_a_record() { return asio::buffer("\x16\x03\x01\x02\x00\x01\x00", 7); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lost_transport, connected)

BOOST_AUTO_TEST_CASE(a_reset_that_a_write_has_met_is_no_truncation_to_the_read_behind_it) {
  server.next_layer().set_option(asio::socket_base::linger(true, 0));
  server.next_layer().close();
  run(context, [&]() -> asio::awaitable<void> {
    // Loopback delivers the reset before the close returns.
    auto const [written, count] = co_await client.async_write(asio::buffer("x", 1), as_result);
    BOOST_TEST(written == asio::error::connection_reset);
    char one = 0;
    auto const [read, none] = co_await client.async_read_some(asio::buffer(&one, 1), as_result);
    BOOST_TEST(read == asio::error::connection_reset);
  }());
}

BOOST_AUTO_TEST_CASE(what_came_before_a_reset_that_a_write_has_met_is_still_read) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await server.async_write(asio::buffer("last", 4));
    server.next_layer().set_option(asio::socket_base::linger(true, 0));
    server.next_layer().close();
    auto const [written, count] = co_await client.async_write(asio::buffer("x", 1), as_result);
    BOOST_TEST(written == asio::error::connection_reset);
    std::string text(4, '\0');
    BOOST_TEST(co_await client.async_read_some(asio::buffer(text)) == 4u);
    BOOST_TEST(text == "last");
    char one = 0;
    auto const [read, none] = co_await client.async_read_some(asio::buffer(&one, 1), as_result);
    BOOST_TEST(read == asio::error::connection_reset);
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(transport_after_a_failed_handshake, one_sided)

BOOST_AUTO_TEST_CASE(is_given_back_at_the_deadline) {
  server.set_handshake_timeout(20ms);
  asio::write(peer, part_of_a_record());
  BOOST_TEST(shake_hands() == errc::handshake_timeout);
  BOOST_TEST(server.last_error().code() == errc::handshake_timeout);
  auto [socket, unread] = server.release();
  BOOST_TEST(unread.size() == part_of_a_record().size());   // of a hello that never became whole
  asio::write(socket, asio::buffer("sorry\r\n", 7));
  std::string heard(7, '\0');
  asio::read(peer, asio::buffer(heard));
  BOOST_TEST(heard == "sorry\r\n");
}

BOOST_AUTO_TEST_CASE(is_given_back_when_the_peer_has_ended_inside_a_record) {
  asio::write(peer, part_of_a_record());
  peer.shutdown(tcp::socket::shutdown_send);
  BOOST_TEST(shake_hands() == errc::handshake_truncated);
  BOOST_TEST(server.release().first.is_open());
}

BOOST_AUTO_TEST_CASE(is_given_back_when_it_was_reset) {
  peer.set_option(asio::socket_base::linger(true, 0));
  peer.close();
  BOOST_TEST(shake_hands() == asio::error::connection_reset);
  BOOST_TEST(server.release().first.is_open());
}

BOOST_AUTO_TEST_CASE(stays_with_a_handshake_that_was_only_cancelled) {
  server.async_handshake(
      [](error_code code) { BOOST_TEST(code == asio::error::operation_aborted); });
  asio::post(context, [&] { server.next_layer().cancel(); });
  run_for(context);
  BOOST_CHECK_EXCEPTION(server.release(), error,
                        [](error const& thrown) { return thrown.code() == errc::not_over; });
  BOOST_TEST(!server.last_error().code());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(transport_in_memory)

BOOST_AUTO_TEST_CASE(a_handshake_whose_last_flight_could_not_be_sent_has_failed) {
  asio::io_context context;
  auto [near, far] = memory_stream::make_pair(context.get_executor());
  // The server's first flight is one write; of the second, nothing passes.
  memory_stream watched = far;
  far.on_step([&watched, writes = 0, last = std::size_t(0)](std::size_t) mutable {
    if (watched.bytes(way::out) > std::exchange(last, watched.bytes(way::out)) && ++writes == 1) {
      watched.set_fault_behind(fault::failure, way::out, last);
    }
  });
  stream<memory_stream> client(std::move(near), localhost_client(protocol::tls1_2), to_localhost());
  stream<memory_stream> server(std::move(far), localhost_server(protocol::tls1_2));
  error_code failed;
  client.async_handshake([](error_code) {});
  server.async_handshake([&](error_code code) { failed = code; });
  run_for(context);
  watched.on_step({});
  BOOST_TEST(failed == asio::error::connection_reset);
}

BOOST_AUTO_TEST_CASE(takes_the_close_notify_of_a_write_half_whether_a_read_waits_or_not) {
  for (bool reads : {true, false}) {
    asio::io_context context;
    auto [near, far] = memory_stream::make_pair(context.get_executor());
    stream<memory_stream> client(std::move(near), localhost_client(), to_localhost());
    stream<memory_stream> server(std::move(far), localhost_server());
    client.async_handshake([](error_code) {});
    server.async_handshake([](error_code) {});
    run_for(context);
    auto parts = std::move(client).split();
    char one = 0;
    error_code read;
    if (reads) {
      parts.first.async_read_some(asio::buffer(&one, 1),
                                  [&](error_code code, std::size_t) { read = code; });
    }
    std::optional<write_half<memory_stream>>(std::move(parts.second)).reset();
    run(context, [&]() -> asio::awaitable<void> {
      auto const [code, nothing] = co_await read_to_end(server);
      BOOST_TEST(code == asio::error::eof);
      co_await server.async_close_write();
    }());
    if (reads) BOOST_TEST(read == asio::error::eof);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::transport_loss_test
