// The drop-in for asio::ssl::stream: its spelling, and what it takes from an asio::ssl::context.

#include "print.hpp"
#include "ssl_stream_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <future>
#include <string>
#include <utility>

namespace cotls::test::ssl_stream_test {

namespace {

asio::ssl::context trusting_nothing() { return asio::ssl::context(asio::ssl::context::tls_client); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(drop_in_stream, ssl_stream_fixture)

BOOST_AUTO_TEST_CASE(the_contexts_verify_mode_is_taken_as_it_is) {
  client_side = trusting_nothing();
  auto unverified = make_connected_pair();
  BOOST_TEST(!unverified.client.peer().verified());

  client_side = trusting_nothing();
  client_side.set_verify_mode(asio::ssl::verify_peer);
  auto pair = make_pair();
  auto const [at_client, at_server] = pair.handshake(context);
  BOOST_TEST((at_client.category() == openssl_category()));
  BOOST_TEST(at_server == alert::unknown_ca);
  BOOST_TEST(pair.client.last_error().verify_result() == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

BOOST_AUTO_TEST_CASE(the_stream_says_what_is_asked_instead_of_the_context) {
  client_side = trusting_nothing();
  auto pair = make_pair();
  error_code code = asio::error::fault;
  BOOST_TEST(!pair.client.set_verify_mode(asio::ssl::verify_peer, code));
  BOOST_TEST(!code);
  auto const [at_client, at_server] = pair.handshake(context);
  BOOST_TEST((at_client.category() == openssl_category()));
  BOOST_TEST(pair.client.last_error().verify_result() == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

BOOST_AUTO_TEST_CASE(a_verify_callback_can_accept_what_is_not_trusted) {
  client_side = trusting_nothing();
  auto pair = make_pair();
  int asked = 0;
  pair.client.set_verify_mode(asio::ssl::verify_peer);
  pair.client.set_verify_callback([&](bool accepted, asio::ssl::verify_context& chain) {
    BOOST_TEST(X509_STORE_CTX_get_current_cert(chain.native_handle()) != nullptr);
    asked += accepted ? 0 : 1;
    return true;
  });
  auto const [at_client, at_server] = pair.handshake(context);
  BOOST_TEST(!at_client);
  BOOST_TEST(!at_server);
  BOOST_TEST(asked > 0);
}

BOOST_AUTO_TEST_CASE(a_verify_callback_can_refuse_what_is_trusted) {
  auto pair = make_pair();
  error_code code = asio::error::fault;
  pair.client.set_verify_callback([](bool, asio::ssl::verify_context&) { return false; }, code);
  BOOST_TEST(!code);
  auto const [at_client, at_server] = pair.handshake(context);
  BOOST_TEST((at_client.category() == openssl_category()));
  BOOST_TEST(at_server == alert::handshake_failure);
  BOOST_TEST(pair.client.last_error().verify_result() == X509_V_ERR_APPLICATION_VERIFICATION);
}

BOOST_AUTO_TEST_CASE(asios_host_name_verification_decides) {
  auto right = make_pair();
  right.client.set_verify_callback(asio::ssl::host_name_verification("localhost"));
  BOOST_TEST(!right.handshake(context).first);
  auto wrong = make_pair();
  wrong.client.set_verify_callback(asio::ssl::host_name_verification("example.org"));
  BOOST_TEST((wrong.handshake(context).first.category() == openssl_category()));
}

BOOST_AUTO_TEST_CASE(the_contexts_verify_callback_goes_on_deciding) {
  int asked = 0;
  client_side.set_verify_callback([&](bool accepted, asio::ssl::verify_context&) {
    ++asked;
    return accepted;
  });
  auto pair = make_pair();
  // A verify mode of the stream's leaves the callback.
  pair.client.set_verify_mode(asio::ssl::verify_peer);
  BOOST_TEST(!pair.handshake(context).first);
  BOOST_TEST(asked > 0);

  client_side.set_verify_callback([](bool, asio::ssl::verify_context&) { return false; });
  auto refusing = make_pair();
  BOOST_TEST((refusing.handshake(context).first.category() == openssl_category()));

  // The stream's own callback is asked instead.
  auto own = make_pair();
  own.client.set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
  BOOST_TEST(!own.handshake(context).first);
}

BOOST_AUTO_TEST_CASE(the_verify_depth_limits_the_chain) {
  auto pair = make_pair();
  error_code code = asio::error::fault;
  pair.client.set_verify_depth(3, code);
  BOOST_TEST(!code);
  BOOST_TEST(SSL_get_verify_depth(pair.client.native_handle()) == 3);
}

BOOST_AUTO_TEST_CASE(the_native_handle_is_there_before_the_handshake) {
  auto pair = make_pair();
  BOOST_TEST(SSL_set_tlsext_host_name(pair.client.native_handle(), "virtual.example") == 1);
  BOOST_TEST(!pair.handshake(context).first);
  BOOST_TEST(pair.server.info().server_name == "virtual.example");
}

BOOST_AUTO_TEST_CASE(a_stream_takes_over_a_connection_that_was_made_elsewhere) {
  auto [at_client, at_server] = connected_sockets(context);
  SSL* const made = SSL_new(client_side.native_handle());
  stream_type client(std::move(at_client), made);
  stream_type server(std::move(at_server), server_side);
  BOOST_TEST(client.native_handle() == made);
  error_code code = asio::error::fault;
  server.async_handshake(stream_type::server, [&](error_code ended) { code = ended; });
  client.async_handshake(stream_type::client, asio::detached);
  run_for(context);
  BOOST_TEST(!code);
}

BOOST_AUTO_TEST_CASE(a_connection_outlives_its_context) {
  auto pair = make_connected_pair();
  client_side = trusting_nothing();
  server_side = trusting_nothing();
  run(context, [&]() -> asio::awaitable<void> {
    co_await pair.client.async_write_some(asio::buffer("abcd", 4));
    std::size_t const count = co_await pair.server.async_read_some(asio::buffer(text));
    BOOST_TEST(count == 4u);
  }());
}

BOOST_AUTO_TEST_CASE(close_notify_is_the_end) {
  auto pair = make_connected_pair();
  run(context, [&]() -> asio::awaitable<void> {
    pair.client.async_shutdown(asio::detached);
    auto const [read, count] = co_await pair.server.async_read_some(asio::buffer(text), as_result);
    BOOST_TEST(read == asio::error::eof);
    co_await pair.server.async_shutdown();
  }());
}

BOOST_AUTO_TEST_CASE(blocking_calls_talk) {
  auto pair = make_pair();
  auto served = std::async(std::launch::async, [&] {
    std::array<char, 600> received;
    std::size_t const size = pair.server.next_layer().read_some(asio::buffer(received));
    pair.server.handshake(stream_type::server, asio::buffer(received, size));
    std::string asked(100'000, '\0');
    asio::read(pair.server, asio::buffer(asked));
    asio::write(pair.server, asio::buffer(asked));
    pair.server.shutdown();
  });
  pair.client.handshake(stream_type::client);
  std::string const said = pattern(100'000);
  BOOST_TEST(asio::write(pair.client, asio::buffer(said)) == said.size());
  std::string heard(said.size(), '\0');
  asio::read(pair.client, asio::buffer(heard));
  BOOST_TEST((heard == said));
  BOOST_CHECK_EXCEPTION(pair.client.read_some(asio::buffer(heard)), error, [](error const& thrown) {
    return thrown.code() == asio::error::eof;
  });
  pair.client.shutdown();
  served.get();
}

BOOST_AUTO_TEST_CASE(blocking_calls_talk_over_a_transport_that_is_no_socket) {
  auto outer = make_pair();
  ssl_stream<stream_type&> client(outer.client, client_side);
  ssl_stream<stream_type&> server(outer.server, server_side);
  auto served = std::async(std::launch::async, [&] {
    outer.server.handshake(stream_type::server);
    server.handshake(stream_type::server);
    std::string asked(100'000, '\0');
    asio::read(server, asio::buffer(asked));
    asio::write(server, asio::buffer(asked));
    server.shutdown();
  });
  outer.client.handshake(stream_type::client);
  client.handshake(stream_type::client);
  std::string const said = pattern(100'000);
  asio::write(client, asio::buffer(said));
  std::string heard(said.size(), '\0');
  asio::read(client, asio::buffer(heard));
  BOOST_TEST((heard == said));
  client.shutdown();
  served.get();
}

BOOST_AUTO_TEST_CASE(a_blocking_failure_is_thrown_with_all_that_is_known) {
  client_side = trusting_nothing();
  client_side.set_verify_mode(asio::ssl::verify_peer);
  auto pair = make_pair();
  auto served = std::async(std::launch::async, [&] {
    error_code code;
    return pair.server.handshake(stream_type::server, code);
  });
  BOOST_CHECK_EXCEPTION(pair.client.handshake(stream_type::client), error,
                        [](error const& thrown) { return thrown.verify_result() != 0; });
  BOOST_TEST(served.get() == alert::unknown_ca);
}

BOOST_AUTO_TEST_CASE(a_non_blocking_socket_is_not_waited_for) {
  auto pair = make_connected_pair();
  pair.server.lowest_layer().non_blocking(true);
  error_code code;
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST(pair.server.read_some(asio::buffer(text), code) == 0u);
    BOOST_TEST(code == asio::error::would_block);
    asio::write(pair.client, asio::buffer("abcd", 4));
    pair.server.next_layer().async_wait(tcp::socket::wait_read, asio::detached);
    run_for(context);
    BOOST_TEST(pair.server.read_some(asio::buffer(text), code) == 4u);
    BOOST_TEST(!code);
  }
}

BOOST_AUTO_TEST_CASE(a_closed_socket_is_an_error_and_not_waited_for) {
  auto pair = make_connected_pair();
  pair.server.lowest_layer().close();
  error_code code;
  pair.server.read_some(asio::buffer(text), code);
  BOOST_TEST(code == asio::error::bad_descriptor);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::ssl_stream_test
