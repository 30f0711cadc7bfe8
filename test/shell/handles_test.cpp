// Handles whose connection is not theirs, or not yet: awaitables that start late, what is empty,
// and sockets that the program has, too.

#include "memory_stream.hpp"
#include "print.hpp"
#include "ssl_streams.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <optional>
#include <thread>

namespace cotls::test::handles_test {

namespace {

// How an operation ends that is asked for as an awaitable, and started when `change` has happened.
template <class Ask, class Change>
error_code ends_late(asio::io_context& context, Ask ask, Change change) {
  std::optional<error_code> ended;
  asio::co_spawn(context, ask(), [&](std::exception_ptr thrown, auto... result) {
    if (thrown) std::rethrow_exception(thrown);
    (ended.emplace(std::get<0>(result)), ...);
  });
  change();
  run_for(context);
  BOOST_TEST_REQUIRE(ended.has_value());
  return *ended;
}

// A handler that keeps the code, and the thread on which it ran.
struct answer {
  std::optional<error_code> code;
  std::thread::id thread;

  auto handler() {
    return [this](error_code ended, auto...) {
      code = ended;
      thread = std::this_thread::get_id();
    };
  }
};

template <class Function>
error_code thrown_by(Function function) {
  try {
    function();
    return {};
  } catch (error const& failed) {
    return failed.code();
  }
}

struct fixture : connected {
  std::array<char, 4> text{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(handles, fixture)

BOOST_AUTO_TEST_CASE(an_awaitable_that_starts_when_its_stream_is_gone_ends_aborted) {
  auto const read = [&] { return client.async_read_some(asio::buffer(text), as_result); };
  auto const write = [&] { return client.async_write(asio::buffer(text), as_result); };
  auto const write_some = [&] { return client.async_write_some(asio::buffer(text), as_result); };
  auto const close = [&] { return client.async_close_write(as_result); };
  auto const shut = [&] { return client.async_shutdown(as_result); };
  auto const replace = [&] {
    client = tcp_stream(tcp::socket(context), localhost_client(),
                        client_options().host("localhost"));
  };
  auto const aborted = [&](auto ask) {
    tcp_pair fresh(context);
    client = std::move(fresh.client);
    return ends_late(context, ask, replace) == asio::error::operation_aborted;
  };
  BOOST_TEST(aborted(read));
  BOOST_TEST(aborted(write));
  BOOST_TEST(aborted(write_some));
  BOOST_TEST(aborted(close));
  BOOST_TEST(aborted(shut));
}

BOOST_AUTO_TEST_CASE(an_awaitable_that_starts_when_its_half_is_gone_ends_aborted) {
  auto parts = std::move(client).split();
  std::optional reads(std::move(parts.first));
  std::optional writes(std::move(parts.second));
  auto const read = [&] { return reads->async_read_some(asio::buffer(text), as_result); };
  auto const write = [&] { return writes->async_write(asio::buffer(text), as_result); };
  BOOST_TEST(ends_late(context, read, [&] { reads.reset(); }) == asio::error::operation_aborted);
  BOOST_TEST(ends_late(context, write, [&] { writes.reset(); }) == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(an_awaitable_that_starts_when_its_drop_in_is_gone_ends_aborted) {
  asio::ssl::context client_side = localhost_ssl_client();
  asio::ssl::context server_side = localhost_ssl_server();
  std::optional<ssl_stream_pair> drop_ins(std::in_place, context, client_side, server_side);
  drop_ins->handshake(context);
  auto const read = [&] { return drop_ins->client.async_read_some(asio::buffer(text), as_result); };
  BOOST_TEST(ends_late(context, read, [&] { drop_ins.reset(); }) == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(an_awaitable_that_starts_when_the_transport_was_given_back_ends_aborted) {
  client.set_read_ahead(false);
  std::optional<error_code> ended;
  client.async_shutdown([&](error_code code) { ended = code; });
  server.async_shutdown([](error_code) {});
  run_for(context);
  BOOST_TEST_REQUIRE((ended && !*ended));
  std::optional<tcp::socket> socket;
  auto const read = [&] { return client.async_read_some(asio::buffer(text), as_result); };
  auto const code = ends_late(context, read, [&] { socket = client.release().first; });
  BOOST_TEST(code == asio::error::operation_aborted);
  BOOST_TEST(socket->is_open());
}

BOOST_AUTO_TEST_CASE(an_awaitable_follows_its_connection_to_where_that_was_moved) {
  tcp_stream moved;
  auto const read = [&] { return client.async_read_some(asio::buffer(text), as_result); };
  server.async_write(asio::buffer("abcd", 4), [](error_code, std::size_t) {});
  BOOST_TEST(!ends_late(context, read, [&] { moved = std::move(client); }));
  BOOST_TEST(text[3] == 'd');
}

// No thread of the system's calls the handlers of what is empty.
BOOST_AUTO_TEST_CASE(operations_of_what_is_empty_end_on_the_callers_thread_or_the_handlers) {
  tcp_stream empty;
  auto [reads, writes] = std::move(client).split();
  auto const gone = std::pair(std::move(reads), std::move(writes));
  asio::ssl::context client_side = localhost_ssl_client();
  ssl_stream<tcp::socket> drop_in(context, client_side);
  auto const moved = std::move(drop_in);
  auto const ends = [&](auto ask) {
    answer plain;
    ask(plain.handler());
    BOOST_TEST((plain.code == error_code(errc::not_connected)));
    BOOST_TEST((plain.thread == std::this_thread::get_id()));
    answer bound;
    ask(asio::bind_executor(context, bound.handler()));
    BOOST_TEST(!bound.code.has_value());   // not inside of the initiating function
    run_for(context);
    BOOST_TEST((bound.code == error_code(errc::not_connected)));
    answer serialised;
    ask(asio::bind_executor(asio::make_strand(context), serialised.handler()));
    run_for(context);
    BOOST_TEST((serialised.code == error_code(errc::not_connected)));
  };
  auto const buffer = asio::buffer(text);
  ends([&](auto handler) { empty.async_handshake(handler); });
  ends([&](auto handler) { empty.async_read_some(buffer, handler); });
  ends([&](auto handler) { empty.async_write(buffer, handler); });
  ends([&](auto handler) { empty.async_shutdown(handler); });
  ends([&](auto handler) { client.async_read_some(buffer, handler); });
  ends([&](auto handler) { reads.async_read_some(buffer, handler); });
  ends([&](auto handler) { writes.async_write(buffer, handler); });
  ends([&](auto handler) { writes.async_close_write(handler); });
  ends([&](auto handler) { drop_in.async_read_some(buffer, handler); });
  ends([&](auto handler) { drop_in.async_shutdown(handler); });
  ends([&](auto handler) { drop_in.async_handshake(drop_in.client, handler); });
}

BOOST_AUTO_TEST_CASE(what_is_asked_of_an_empty_stream_throws) {
  tcp_stream empty;
  empty.cancel();
  BOOST_TEST(!empty.native_handle());
  BOOST_TEST(thrown_by([&] { empty.info(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.peer(); }) == errc::not_connected);
  BOOST_TEST(empty.last_error().code() == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.get_executor(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.next_layer(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.lowest_layer(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.release(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.give_input({}); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.set_read_ahead(false); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.tolerate_truncation(); }) == errc::not_connected);
  auto [reads, writes] = std::move(empty).split();
  reads.cancel();
  writes.cancel();
  BOOST_TEST(thrown_by([&] { reads.get_executor(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { writes.get_executor(); }) == errc::not_connected);
}

BOOST_AUTO_TEST_CASE(addresses_are_those_of_the_socket) {
  BOOST_TEST(client.local_endpoint() == server.remote_endpoint());
  BOOST_TEST(client.remote_endpoint() == client.next_layer().remote_endpoint());
  error_code code;
  BOOST_TEST(server.local_endpoint(code) == client.remote_endpoint(code));
  BOOST_TEST(!code);
  tcp_stream empty;
  BOOST_TEST(thrown_by([&] { empty.local_endpoint(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.remote_endpoint(code); }) == errc::not_connected);
  client.next_layer().close();
  client.remote_endpoint(code);
  BOOST_TEST(code == asio::error::bad_descriptor);
}

BOOST_AUTO_TEST_CASE(programs_find_the_lowest_layer_and_replace_the_executor) {
  using inner = ssl_stream<tcp::socket>;
  asio::ssl::context client_side = localhost_ssl_client();
  ssl_stream<inner> outer(inner(context, client_side), client_side);
  BOOST_TEST(&boost::beast::get_lowest_layer(outer) == &outer.next_layer().next_layer());
  BOOST_TEST(&boost::beast::get_lowest_layer(client) == &client.next_layer());
  using token = asio::as_tuple_t<asio::use_awaitable_t<>>;
  using executor = token::executor_with_default<asio::any_io_executor>;
  static_assert(std::is_same_v<token::as_default_on_t<tcp_stream>::executor_type, executor>);
  static_assert(std::is_same_v<token::as_default_on_t<ssl_stream<inner>>::executor_type, executor>);
}

BOOST_AUTO_TEST_CASE(what_is_asked_of_a_drop_in_that_was_moved_from_throws) {
  asio::ssl::context client_side = localhost_ssl_client();
  ssl_stream<tcp::socket> empty(context, client_side);
  auto const moved = std::move(empty);
  error_code code;
  BOOST_TEST(!empty.native_handle());
  BOOST_TEST(thrown_by([&] { empty.info(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.peer(); }) == errc::not_connected);
  BOOST_TEST(empty.last_error().code() == errc::not_connected);
  BOOST_TEST(empty.set_verify_mode(asio::ssl::verify_none, code) == errc::not_connected);
  BOOST_TEST(empty.set_verify_depth(1, code) == errc::not_connected);
  auto const accept = [](bool, asio::ssl::verify_context&) { return true; };
  BOOST_TEST(empty.set_verify_callback(accept, code) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.get_executor(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.next_layer(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.lowest_layer(); }) == errc::not_connected);
  BOOST_TEST(thrown_by([&] { empty.set_verify_depth(1); }) == errc::not_connected);
}

BOOST_AUTO_TEST_CASE(what_the_program_waits_for_beside_a_stream_goes_on) {
  auto sockets = connected_sockets(context);
  sockets.first.non_blocking(true);
  tcp_stream ours(std::move(sockets.first), localhost_client(),
                  client_options().host("localhost"));
  tcp_stream theirs(std::move(sockets.second), localhost_server());
  std::optional<error_code> waited;
  ours.next_layer().async_wait(tcp::socket::wait_error, [&](error_code code) { waited = code; });
  std::optional<error_code> read;
  theirs.async_handshake([&](error_code) {
    theirs.async_write(asio::buffer("abcd", 4), [](error_code, std::size_t) {});
  });
  ours.async_handshake([&](error_code) {
    ours.async_read_some(asio::buffer(text), [&](error_code code, std::size_t) { read = code; });
  });
  context.restart();
  while (!read && context.run_one_for(20s) > 0) {
  }
  BOOST_TEST_REQUIRE((read && !*read));
  BOOST_TEST(!waited.has_value());
  BOOST_TEST(ours.next_layer().non_blocking());
  ours.next_layer().cancel();
  run_for(context);
  BOOST_TEST((waited == error_code(asio::error::operation_aborted)));
}

BOOST_AUTO_TEST_CASE(a_socket_stays_non_blocking_that_is_not_lent) {
  auto sockets = connected_sockets(context);
  sockets.first.non_blocking(true);
  tcp_stream ours(std::move(sockets.first), localhost_client(),
                  client_options().host("localhost"));
  tcp_stream theirs(std::move(sockets.second), localhost_server());
  theirs.async_handshake([](error_code) {});
  std::optional<error_code> shaken;
  ours.async_handshake([&](error_code code) { shaken = code; });
  run_for(context);
  BOOST_TEST_REQUIRE((shaken && !*shaken));
  BOOST_TEST(ours.next_layer().non_blocking());
}

// Both have said goodbye, but what was cut has not left: a transport given back now would carry
// what comes next inside of a record.
BOOST_AUTO_TEST_CASE(a_transport_is_not_given_back_while_something_is_unsent) {
  auto ends = memory_stream::make_pair(context.get_executor());
  memory_stream link = ends.first;
  stream<memory_stream> ours(std::move(ends.first), localhost_client(),
                             client_options().host("localhost"));
  stream<memory_stream> theirs(std::move(ends.second), localhost_server());
  ours.async_handshake([](error_code) {});
  theirs.async_handshake([](error_code) {});
  run_for(context);
  ours.set_shutdown_timeout(20ms);
  std::optional<error_code> shut;
  theirs.async_close_write([](error_code) {});
  run_for(context);
  link.set_fault_behind(fault::stall, way::out, link.bytes(way::out));
  ours.async_shutdown([&](error_code code) { shut = code; });
  context.restart();
  while (!shut && context.run_one_for(20s) > 0) {
  }
  BOOST_TEST((shut == error_code(errc::shutdown_timeout)));
  BOOST_TEST(thrown_by([&] { ours.release(); }) == errc::not_over);
  link.lift_fault();
  shut.reset();
  ours.async_shutdown([&](error_code code) { shut = code; });
  run_for(context);
  BOOST_TEST((shut == error_code()));
  ours.release();
  BOOST_TEST(!ours);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::handles_test
