// The drop-in for asio::ssl::stream: each difference that its header names.

#include "print.hpp"
#include "ssl_stream_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace cotls::test::ssl_stream_differences_test {

BOOST_FIXTURE_TEST_SUITE(drop_in_differences, ssl_stream_fixture)

BOOST_AUTO_TEST_CASE(a_verify_callback_that_throws_refuses) {
  auto pair = make_pair();
  pair.client.set_verify_callback([](bool, asio::ssl::verify_context&) -> bool {
    throw std::runtime_error("undecided");
  });
  BOOST_TEST((pair.handshake(context).first.category() == openssl_category()));
}

BOOST_AUTO_TEST_CASE(application_data_stays_the_programs_own) {
  auto pair = make_pair();
  int data = 0;
  SSL_set_app_data(pair.client.native_handle(), &data);
  pair.client.set_verify_callback(asio::ssl::host_name_verification("localhost"));
  BOOST_TEST(!pair.handshake(context).first);
  BOOST_TEST(SSL_get_app_data(pair.client.native_handle()) == &data);
}

BOOST_AUTO_TEST_CASE(a_truncated_connection_has_asios_code) {
  auto pair = make_connected_pair();
  run(context, [&]() -> asio::awaitable<void> {
    pair.client.lowest_layer().shutdown(tcp::socket::shutdown_send);
    auto const [read, count] = co_await pair.server.async_read_some(asio::buffer(text), as_result);
    BOOST_TEST(read == asio::ssl::error::stream_truncated);
    auto const [shut] = co_await pair.server.async_shutdown(as_result);
    BOOST_TEST(shut == asio::ssl::error::stream_truncated);
  }());
  error_code code;
  pair.server.read_some(asio::buffer(text), code);
  BOOST_TEST(code == asio::ssl::error::stream_truncated);

  auto silent = make_pair();
  silent.client.lowest_layer().close();
  silent.server.handshake(stream_type::server, code);
  BOOST_TEST(code == asio::ssl::error::stream_truncated);
}

BOOST_AUTO_TEST_CASE(bytes_that_were_received_before_a_handshake_are_counted_and_used) {
  auto pair = make_pair();
  pair.client.async_handshake(stream_type::client, asio::detached);
  std::array<char, 600> received;
  context.restart();
  context.poll();
  std::size_t const size = pair.server.next_layer().read_some(asio::buffer(received));
  // As two buffers, the first of which ends within the record's header.
  std::array<asio::const_buffer, 2> const buffers{asio::buffer(received, 3),
                                                  asio::buffer(received, size) + 3};
  error_code code = asio::error::fault;
  std::size_t used = 0;
  pair.server.async_handshake(stream_type::server, buffers, [&](error_code ended, std::size_t n) {
    code = ended;
    used = n;
  });
  run_for(context);
  BOOST_TEST(!code);
  BOOST_TEST(used == size);
}

BOOST_AUTO_TEST_CASE(a_coroutine_is_told_how_many_bytes_a_handshake_began_with) {
  auto pair = make_pair();
  run(context, [&]() -> asio::awaitable<void> {
    error_code code;
    std::size_t const used = co_await pair.server.async_handshake(
        stream_type::server, asio::buffer("GET / HTTP/1.1\r\n", 16),
        asio::redirect_error(asio::use_awaitable, code));
    BOOST_TEST((code.category() == openssl_category()));
    BOOST_TEST(used == 16u);
  }());
}

BOOST_AUTO_TEST_CASE(the_executors_default_token_is_taken_where_none_is_given) {
  using token = asio::as_tuple_t<asio::use_awaitable_t<>>;
  using defaulted = ssl_stream<token::as_default_on_t<tcp::socket>>;
  BOOST_TEST((std::is_same_v<stream_type::default_token, asio::use_awaitable_t<>>));
  auto pair = make_pair();
  defaulted client(std::move(pair.client.next_layer()), client_side);
  pair.server.async_handshake(stream_type::server, [&](error_code) {
    pair.server.async_read_some(asio::buffer(text), [&](error_code, std::size_t) {
      pair.server.async_shutdown(asio::detached);
    });
  });
  run(context, [&]() -> asio::awaitable<void> {
    auto const [shaken] = co_await client.async_handshake(defaulted::client);
    BOOST_TEST(!shaken);
    auto const [written, sent] = co_await client.async_write_some(asio::buffer("abcd", 4));
    BOOST_TEST(!written);
    std::array<char, 4> more{};
    auto const [read, received] = co_await client.async_read_some(asio::buffer(more));
    BOOST_TEST(read == asio::error::eof);
    auto const [shut] = co_await client.async_shutdown();
    BOOST_TEST(!shut);
  }());
}

BOOST_AUTO_TEST_CASE(no_handshake_waits_for_ever) {
  auto silent = make_pair();
  auto begun = make_pair();
  auto const beginning = asio::buffer("\x16\x03", 2);   // of a record
  for (auto* pair : {&silent, &begun}) {
    pair->client.set_handshake_timeout(20ms);
    pair->server.set_handshake_timeout(20ms);
  }
  error_code code;
  silent.server.handshake(stream_type::server, code);
  BOOST_TEST(code == errc::handshake_timeout);
  begun.server.handshake(stream_type::server, beginning, code);
  BOOST_TEST(code == errc::handshake_timeout);
  run(context, [&]() -> asio::awaitable<void> {
    auto const [ended] = co_await silent.client.async_handshake(stream_type::client, as_result);
    BOOST_TEST(ended == errc::handshake_timeout);
    auto const [ended_too, used] =
        co_await begun.client.async_handshake(stream_type::client, beginning, as_result);
    BOOST_TEST(ended_too == errc::handshake_timeout);
  }());
}

BOOST_AUTO_TEST_CASE(no_shutdown_waits_for_ever) {
  auto pair = make_connected_pair();
  auto other = make_connected_pair();
  pair.server.set_shutdown_timeout(20ms);
  other.server.set_shutdown_timeout(20ms);
  error_code code;
  pair.server.shutdown(code);
  BOOST_TEST(code == errc::shutdown_timeout);
  run(context, [&]() -> asio::awaitable<void> {
    auto const [ended] = co_await other.server.async_shutdown(as_result);
    BOOST_TEST(ended == errc::shutdown_timeout);
  }());
}

BOOST_AUTO_TEST_CASE(a_write_takes_64_kib_and_a_read_all_records_that_have_arrived) {
  auto pair = make_connected_pair();
  BOOST_TEST(pair.client.write_some(asio::buffer(pattern(100'000))) == 65'536u);
  pair.server.lowest_layer().set_option(tcp::no_delay(true));
  asio::write(pair.server, asio::buffer("ab", 2));
  asio::write(pair.server, asio::buffer("cd", 2));   // over loopback, it has arrived
  BOOST_TEST(pair.client.read_some(asio::buffer(text)) == 4u);
}

BOOST_AUTO_TEST_CASE(a_shutdown_discards_what_it_does_not_want) {
  auto pair = make_connected_pair();
  asio::write(pair.client, asio::buffer(pattern(10'000)));
  run(context, [&]() -> asio::awaitable<void> {
    pair.client.async_shutdown(asio::detached);
    auto const [code] = co_await pair.server.async_shutdown(as_result);
    BOOST_TEST(!code);
  }());
}

BOOST_AUTO_TEST_CASE(a_shutdown_beside_a_read_leaves_the_peers_end_to_it) {
  auto pair = make_connected_pair();
  error_code read;
  error_code shut = asio::error::fault;
  pair.server.async_read_some(asio::buffer(text),
                              [&](error_code code, std::size_t) { read = code; });
  context.restart();
  context.poll();
  pair.server.async_shutdown([&](error_code code) {
    shut = code;
    BOOST_TEST(!read);   // still pending
    pair.client.async_shutdown(asio::detached);
  });
  run_for(context);
  BOOST_TEST(!shut);
  BOOST_TEST(read == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_shutdown_beside_a_read_tells_that_it_could_not_be_sent) {
  auto pair = make_connected_pair();
  error_code shut;
  pair.server.async_read_some(asio::buffer(text), asio::detached);
  context.restart();
  context.poll();
  pair.server.lowest_layer().shutdown(tcp::socket::shutdown_send);
  pair.server.async_shutdown([&](error_code code) {
    shut = code;
    pair.server.lowest_layer().close();
  });
  run_for(context);
  BOOST_TEST(shut == asio::error::broken_pipe);
}

BOOST_AUTO_TEST_CASE(a_shutdown_before_the_handshake_does_nothing) {
  auto pair = make_pair();
  error_code code = asio::error::fault;
  pair.client.shutdown(code);
  BOOST_TEST(!code);
  run(context, [&]() -> asio::awaitable<void> {
    auto const [shut] = co_await pair.server.async_shutdown(as_result);
    BOOST_TEST(!shut);
  }());
  auto const [at_client, at_server] = pair.handshake(context);
  BOOST_TEST(!at_client);
  BOOST_TEST(!at_server);
}

BOOST_AUTO_TEST_CASE(a_read_beside_a_shutdown_is_refused) {
  auto pair = make_connected_pair();
  error_code read;
  error_code shut = asio::error::fault;
  pair.server.async_shutdown([&](error_code code) { shut = code; });
  pair.server.async_read_some(asio::buffer(text), [&](error_code code, std::size_t) {
    read = code;
    pair.client.async_shutdown(asio::detached);
  });
  run_for(context);
  BOOST_TEST(read == errc::operation_in_progress);
  BOOST_TEST(!shut);
}

BOOST_AUTO_TEST_CASE(a_shutdown_beside_a_write_is_refused) {
  error_code shut;
  error_code written;
  std::string const much = pattern(30'000'000);   // more than the sockets take
  {
    auto pair = make_connected_pair();
    asio::async_write(pair.server, asio::buffer(much),
                      [&](error_code code, std::size_t) { written = code; });
    context.restart();
    context.poll();
    pair.server.async_shutdown([&](error_code code) { shut = code; });
    context.restart();
    context.poll();
  }
  run_for(context);
  BOOST_TEST(shut == errc::operation_in_progress);
  BOOST_TEST(written == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_second_read_is_refused) {
  auto pair = make_connected_pair();
  error_code second;
  pair.server.async_read_some(asio::buffer(text), asio::detached);
  pair.server.async_read_some(asio::buffer(text), [&](error_code code, std::size_t) {
    second = code;
    pair.server.lowest_layer().close();
  });
  run_for(context);
  BOOST_TEST(second == errc::operation_in_progress);
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_refused_does_not_change_the_role) {
  auto pair = make_pair();
  error_code second;
  error_code first = asio::error::fault;
  pair.client.async_handshake(stream_type::client, [&](error_code code) { first = code; });
  pair.client.async_handshake(stream_type::server, asio::buffer("junk", 4),
                              [&](error_code code, std::size_t) { second = code; });
  pair.server.async_handshake(stream_type::server, asio::detached);
  run_for(context);
  BOOST_TEST(!first);
  BOOST_TEST(second == errc::operation_in_progress);
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_asked_for_again_changes_nothing) {
  auto pair = make_connected_pair();
  error_code again = asio::error::fault;
  pair.client.handshake(stream_type::server, again);
  BOOST_TEST(!again);
  asio::write(pair.client, asio::buffer("abcd", 4));
  BOOST_TEST(pair.server.read_some(asio::buffer(text)) == 4u);
}

BOOST_AUTO_TEST_CASE(a_moved_stream_goes_on_and_leaves_an_empty_one) {
  auto pair = make_connected_pair();
  stream_type moved(std::move(pair.server));
  error_code code;
  pair.server.read_some(asio::buffer(text), code);
  BOOST_TEST(code == errc::not_connected);
  pair.server.handshake(stream_type::client, code);
  BOOST_TEST(code == errc::not_connected);
  pair.server = std::move(moved);
  asio::write(pair.client, asio::buffer("abcd", 4));
  code = {};
  moved.read_some(asio::buffer(text), code);
  BOOST_TEST(code == errc::not_connected);
  BOOST_TEST(pair.server.read_some(asio::buffer(text)) == 4u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_assigned_to_ends_its_operations_and_takes_over_all) {
  auto pair = make_connected_pair();
  auto next = make_connected_pair();
  next.server.set_handshake_timeout(1s);
  next.server.set_shutdown_timeout(20ms);
  error_code code;
  pair.server.async_read_some(asio::buffer(text),
                              [&](error_code ended, std::size_t) { code = ended; });
  context.restart();
  context.poll();
  pair.server = std::move(next.server);
  run_for(context);
  BOOST_TEST(code == asio::error::operation_aborted);
  stream_type& same = pair.server;
  pair.server = std::move(same);
  asio::write(next.client, asio::buffer("abcd", 4));
  BOOST_TEST(pair.server.read_some(asio::buffer(text)) == 4u);
  BOOST_TEST((pair.server.shutdown_timeout() == 20ms));
}

BOOST_AUTO_TEST_CASE(a_destroyed_stream_ends_its_operations) {
  error_code code;
  {
    auto pair = make_connected_pair();
    pair.server.async_read_some(asio::buffer(text),
                                [&](error_code ended, std::size_t) { code = ended; });
    context.restart();
    context.poll();
  }
  run_for(context);
  BOOST_TEST(code == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::ssl_stream_differences_test
