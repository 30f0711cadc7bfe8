// A WebSocket over our streams: messages, pings, and the end of the connection in both roles.

#include "beast_streams.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <tuple>
#include <utility>

namespace cotls::test::websocket_test {

namespace {

namespace websocket = beast::websocket;
using beast::role_type;

struct fixture {
  asio::io_context context;
};

// Without compression, which is not ours and takes long to compile.
template <class Tls>
using websocket_stream = websocket::stream<Tls, false>;

// Of each kind of stream and of channel one: a WebSocket, too, takes long to compile.
using websocket_streams = std::tuple<stream<tcp::socket>, ssl_stream<beast::tcp_stream>>;

template <class Tls>
class websocket_ends {
  tls_ends<Tls> tls_;

 public:
  explicit websocket_ends(asio::io_context& context) : tls_(context) {}

  websocket_stream<Tls> client{std::move(tls_.client)};
  websocket_stream<Tls> server{std::move(tls_.server)};

  asio::awaitable<void> meet(asio::io_context& context) {
    spawn(context, accept());
    co_await client.async_handshake("localhost", "/", asio::use_awaitable);
  }

 private:
  asio::awaitable<void> accept() { co_await server.async_accept(asio::use_awaitable); }
};

// Reads a message, always with the same token: each is another twenty seconds for the compiler.
template <class Tls>
asio::awaitable<error_code> hear(websocket_stream<Tls>& on, beast::flat_buffer& heard) {
  auto const [code, size] = co_await on.async_read(heard, as_result);
  co_return code;
}

template <class Tls>
asio::awaitable<void> echo(websocket_stream<Tls>& on) {
  co_await on.async_accept(asio::use_awaitable);
  for (;;) {
    beast::flat_buffer buffer;
    error_code const code = co_await hear(on, buffer);
    if (code) {
      BOOST_TEST(code == websocket::error::closed);
      co_return;
    }
    on.binary(on.got_binary());
    co_await on.async_write(buffer.data(), asio::use_awaitable);
  }
}

template <class Tls>
asio::awaitable<void> talk(websocket_stream<Tls>& on) {
  co_await on.async_handshake("localhost", "/", asio::use_awaitable);
  for (std::size_t const size : {0u, 10u, 300'000u}) {
    std::string const said = pattern(size);
    on.binary(size == 10u);
    co_await on.async_write(asio::buffer(said), asio::use_awaitable);
    beast::flat_buffer heard;
    error_code const failed = co_await hear(on, heard);
    BOOST_TEST(!failed);
    BOOST_TEST((beast::buffers_to_string(heard.data()) == said));
    BOOST_TEST(on.got_binary() == (size == 10u));
  }
  co_await on.async_close(websocket::close_code::normal, asio::use_awaitable);
}

// What the end of a connection leaves of a transport.
bool is_open(tcp::socket const& socket) { return socket.is_open(); }
bool is_open(beast::tcp_stream const& stream) { return stream.socket().is_open(); }

using closable_streams = std::tuple<stream<tcp::socket>, stream<beast::tcp_stream>,
                                    ssl_stream<tcp::socket>, ssl_stream<beast::tcp_stream>>;

using blocking_streams = std::tuple<ssl_stream<tcp::socket>, ssl_stream<beast::tcp_stream>>;

// TLS within TLS, both handshakes done.
class nested_ends {
  asio::ssl::context client_side_ = localhost_ssl_client();
  asio::ssl::context server_side_ = localhost_ssl_server();

 public:
  explicit nested_ends(asio::io_context& context) : outer(context) {
    client.async_handshake(asio::ssl::stream_base::client, asio::detached);
    server.async_handshake(asio::ssl::stream_base::server, asio::detached);
    run_for(context);
  }

  tls_ends<ssl_stream<tcp::socket>> outer;
  ssl_stream<ssl_stream<tcp::socket>&> client{outer.client, client_side_};
  ssl_stream<ssl_stream<tcp::socket>&> server{outer.server, server_side_};
};

// The end of a teardown that is still to come.
struct teardown_result {
  bool done = false;
  error_code code = asio::error::fault;

  auto handler() {
    return [this](error_code ended) {
      done = true;
      code = ended;
    };
  }
};

void poll(asio::io_context& context) {
  context.restart();
  context.poll();
}

// Lets the server say goodbye, and the client hear of it.
template <class Tls>
void shut_server_down(asio::io_context& context, tls_ends<Tls>& ends) {
  bool shut = false;
  ends.server.async_shutdown([&](error_code code) { shut = !code; });
  context.restart();
  while (!shut && context.run_one_for(10s) > 0) {
  }
  poll(context);
}

// Cancels a client's teardown when it has come as far as the function lets it.
template <class Tls, class Function>
void cancel_teardown(asio::io_context& context, Function go_on) {
  tls_ends<Tls> ends(context);
  ends.client.set_shutdown_timeout(1h);
  teardown_result client;
  asio::cancellation_signal cancel;
  async_teardown(role_type::client, ends.client,
                 asio::bind_cancellation_slot(cancel.slot(), client.handler()));
  go_on(ends);
  BOOST_TEST(!client.done);
  cancel.emit(asio::cancellation_type::total);
  run_for(context);
  BOOST_TEST(client.code == asio::error::operation_aborted);
  BOOST_TEST(!is_open(ends.client.next_layer()));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(beast_websocket, fixture)

BOOST_AUTO_TEST_CASE_TEMPLATE(messages_pass_and_the_close_is_clean, Tls, websocket_streams) {
  websocket_ends<Tls> ends(context);
  spawn(context, echo(ends.server));
  run(context, talk(ends.client));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ping_is_answered_beside_messages, Tls, websocket_streams) {
  websocket_ends<Tls> ends(context);
  int pongs = 0;
  ends.client.control_callback([&](websocket::frame_type kind, beast::string_view payload) {
    if (kind == websocket::frame_type::pong && payload == "still there?") ++pongs;
  });
  spawn(context, echo(ends.server));
  run(context, [&]() -> asio::awaitable<void> {
    co_await ends.client.async_handshake("localhost", "/", asio::use_awaitable);
    co_await ends.client.async_ping("still there?", asio::use_awaitable);
    co_await ends.client.async_write(asio::buffer("abcd", 4), asio::use_awaitable);
    beast::flat_buffer heard;
    error_code const failed = co_await hear(ends.client, heard);
    BOOST_TEST(!failed);
    BOOST_TEST(pongs == 1);
    co_await ends.client.async_close(websocket::close_code::normal, asio::use_awaitable);
  }());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_server_may_close_and_both_sockets_are_closed, Tls,
                              websocket_streams) {
  websocket_ends<Tls> ends(context);
  run(context, [&]() -> asio::awaitable<void> {
    co_await ends.meet(context);
    error_code closed = asio::error::fault;
    ends.server.async_close(websocket::close_code::normal, [&](error_code code) { closed = code; });
    beast::flat_buffer heard;
    error_code const code = co_await hear(ends.client, heard);
    BOOST_TEST(code == websocket::error::closed);
    while (closed == asio::error::fault) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(!closed);
  }());
  BOOST_TEST(!is_open(ends.client.next_layer().next_layer()));
  BOOST_TEST(!is_open(ends.server.next_layer().next_layer()));
}

// A16: Beast closes the socket beneath us, and the number of its descriptor is soon another's.
BOOST_AUTO_TEST_CASE(a_timeout_of_beasts_leaves_the_next_socket_of_that_number_alone) {
  websocket_ends<stream<tcp::socket>> ends(context);
  run(context, [&]() -> asio::awaitable<void> {
    co_await ends.meet(context);
    int const number = ends.client.next_layer().next_layer().native_handle();
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = 10s;
    limits.idle_timeout = 30ms;
    limits.keep_alive_pings = false;
    ends.client.set_option(limits);
    beast::flat_buffer heard;
    error_code const code = co_await hear(ends.client, heard);
    BOOST_TEST(code == beast::error::timeout);

    auto [other, others_peer] = connected_sockets(context);
    while (other.native_handle() != number && others_peer.native_handle() != number) {
      std::tie(other, others_peer) = connected_sockets(context);
    }
    auto const [written, count] =
        co_await ends.client.next_layer().async_write(asio::buffer("abcd", 4), as_result);
    BOOST_TEST(written == asio::error::bad_descriptor);
    BOOST_TEST(other.available() == 0u);
    BOOST_TEST(others_peer.available() == 0u);
  }());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_client_waits_for_the_servers_end, Tls, closable_streams) {
  tls_ends<Tls> ends(context);
  ends.client.set_shutdown_timeout(1h);
  teardown_result client;
  async_teardown(role_type::client, ends.client, client.handler());
  BOOST_TEST(!client.done);
  shut_server_down(context, ends);
  BOOST_TEST(!client.done);
  beast::get_lowest_layer(ends.server).close();
  run_for(context);
  BOOST_TEST(!client.code);
  BOOST_TEST(!is_open(ends.client.next_layer()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_server_closes_at_once, Tls, closable_streams) {
  tls_ends<Tls> ends(context);
  ends.server.set_shutdown_timeout(1h);
  teardown_result server;
  async_teardown(role_type::server, ends.server, server.handler());
  ends.client.async_shutdown(asio::detached);
  run_for(context);
  BOOST_TEST(!server.code);
  BOOST_TEST(!is_open(ends.server.next_layer()));
  BOOST_TEST(is_open(ends.client.next_layer()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_silent_peer_is_given_up_at_the_deadline, Tls, closable_streams) {
  for (role_type const role : {role_type::client, role_type::server}) {
    tls_ends<Tls> ends(context);
    ends.client.set_shutdown_timeout(20ms);
    teardown_result ended;
    async_teardown(role, ends.client, ended.handler());
    run_for(context);
    BOOST_TEST(ended.code == errc::shutdown_timeout);
    BOOST_TEST(!is_open(ends.client.next_layer()));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_server_that_never_closes_is_given_up_at_the_deadline, Tls,
                              closable_streams) {
  tls_ends<Tls> ends(context);
  ends.client.set_shutdown_timeout(50ms);
  teardown_result client;
  async_teardown(role_type::client, ends.client, client.handler());
  ends.server.async_shutdown(asio::detached);
  run_for(context);
  BOOST_TEST(!client.code);   // what TLS had to say was said
  BOOST_TEST(!is_open(ends.client.next_layer()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_teardown_can_be_cancelled_while_it_waits_for_the_end, Tls,
                              closable_streams) {
  cancel_teardown<Tls>(context, [&](tls_ends<Tls>& ends) { shut_server_down(context, ends); });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_teardown_can_be_cancelled_while_it_shuts_down, Tls,
                              closable_streams) {
  cancel_teardown<Tls>(context, [&](tls_ends<Tls>&) { poll(context); });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_teardown_is_there_for_the_calling_thread, Tls, blocking_streams) {
  tls_ends<Tls> ends(context);
  auto served = std::async(std::launch::async, [&] {
    error_code code = asio::error::fault;
    teardown(role_type::server, ends.server, code);
    return code;
  });
  error_code code = asio::error::fault;
  teardown(role_type::client, ends.client, code);
  BOOST_TEST(!code);
  BOOST_TEST(!served.get());
  BOOST_TEST(!is_open(ends.client.next_layer()));
  BOOST_TEST(!is_open(ends.server.next_layer()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_client_that_blocks_waits_for_the_servers_end, Tls,
                              blocking_streams) {
  tls_ends<Tls> ends(context);
  ends.client.set_shutdown_timeout(1h);
  auto served = std::async(std::launch::async, [&] {
    error_code code;
    ends.server.shutdown(code);
    tcp::socket& socket = detail::socket_of(ends.server.next_layer());
    pollfd waited{socket.native_handle(), POLLIN, 0};
    bool const open = ::poll(&waited, 1, 50) == 0;
    socket.close();
    return std::pair(code, open);
  });
  error_code code = asio::error::fault;
  teardown(role_type::client, ends.client, code);
  BOOST_TEST(!code);
  auto const [shut, waited] = served.get();
  BOOST_TEST(!shut);
  BOOST_TEST(waited);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_server_that_blocks_closes_at_once, Tls, blocking_streams) {
  tls_ends<Tls> ends(context);
  ends.server.set_shutdown_timeout(1h);
  auto served = std::async(std::launch::async, [&] {
    error_code code = asio::error::fault;
    teardown(role_type::server, ends.server, code);
    return code;
  });
  error_code code;
  ends.client.shutdown(code);
  BOOST_TEST(!code);
  BOOST_TEST((served.wait_for(10s) == std::future_status::ready));
  beast::get_lowest_layer(ends.client).close();
  BOOST_TEST(!served.get());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_client_that_blocks_gives_a_server_up_that_never_closes, Tls,
                              blocking_streams) {
  tls_ends<Tls> ends(context);
  ends.client.set_shutdown_timeout(50ms);
  ends.server.async_shutdown(asio::detached);
  poll(context);
  error_code code = asio::error::fault;
  teardown(role_type::client, ends.client, code);
  BOOST_TEST(!code);
  BOOST_TEST(!is_open(ends.client.next_layer()));
}

BOOST_AUTO_TEST_CASE(a_teardown_is_the_end_though_another_has_the_descriptor) {
  tls_ends<stream<tcp::socket>> ends(context);
  tcp::socket const other(context, tcp::v4(), ::dup(ends.server.next_layer().native_handle()));
  async_teardown(role_type::server, ends.server, asio::detached);
  ends.client.async_shutdown(asio::detached);
  run_for(context);
  tcp::socket& socket = ends.client.next_layer();
  socket.non_blocking(true);
  char byte = 0;
  error_code ended;
  socket.read_some(asio::buffer(&byte, 1), ended);
  BOOST_TEST(ended == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_transport_in_memory_is_torn_down_with_its_tls) {
  tls_ends<stream<beast::test::stream>> ends(context);
  teardown_result client;
  teardown_result server;
  async_teardown(role_type::client, ends.client, client.handler());
  async_teardown(role_type::server, ends.server, server.handler());
  run_for(context);
  BOOST_TEST(!client.code);
  BOOST_TEST(!server.code);
  for (auto* end : {&ends.client, &ends.server}) {
    error_code written;
    end->next_layer().write_some(asio::buffer("x", 1), written);
    BOOST_TEST(written == asio::error::connection_reset);
  }
}

BOOST_AUTO_TEST_CASE(a_truncated_connection_in_memory_is_no_clean_end) {
  tls_ends<stream<beast::test::stream>> ends(context);
  ends.server.next_layer().close();
  teardown_result client;
  async_teardown(role_type::client, ends.client, client.handler());
  run_for(context);
  BOOST_TEST(client.code == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(tls_within_tls_is_torn_down_layer_by_layer) {
  nested_ends ends(context);
  teardown_result client;
  teardown_result server;
  async_teardown(role_type::client, ends.client, client.handler());
  async_teardown(role_type::server, ends.server, server.handler());
  run_for(context);
  BOOST_TEST(!client.code);
  BOOST_TEST(!server.code);
  BOOST_TEST(!is_open(ends.outer.client.next_layer()));
  BOOST_TEST(!is_open(ends.outer.server.next_layer()));
}

BOOST_AUTO_TEST_CASE(tls_within_tls_is_torn_down_by_the_calling_thread) {
  nested_ends ends(context);
  auto served = std::async(std::launch::async, [&] {
    error_code code = asio::error::fault;
    teardown(role_type::server, ends.server, code);
    return code;
  });
  error_code code = asio::error::fault;
  teardown(role_type::client, ends.client, code);
  BOOST_TEST(!code);
  BOOST_TEST(!served.get());
  BOOST_TEST(!is_open(ends.outer.client.next_layer()));
  BOOST_TEST(!is_open(ends.outer.server.next_layer()));
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_outer_tls_is_told) {
  for (bool const blocking : {false, true}) {
    nested_ends ends(context);
    ends.outer.client.set_shutdown_timeout(20ms);
    ends.server.async_shutdown(asio::detached);
    poll(context);
    teardown_result client;
    if (blocking) {
      teardown(role_type::client, ends.client, client.code);
    } else {
      async_teardown(role_type::client, ends.client, client.handler());
      run_for(context);
    }
    BOOST_TEST(client.code == errc::shutdown_timeout);
    BOOST_TEST(!is_open(ends.outer.client.next_layer()));
  }
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_inner_tls_is_told) {
  nested_ends ends(context);
  ends.outer.client.set_shutdown_timeout(20ms);
  ends.outer.server.async_shutdown(asio::detached);   // in the middle of the inner connection
  poll(context);
  error_code code;
  teardown(role_type::client, ends.client, code);
  BOOST_TEST(code == asio::ssl::error::stream_truncated);
  BOOST_TEST(!is_open(ends.outer.client.next_layer()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::websocket_test
