// What goes over a connection and how it ends, over loopback TCP.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <vector>

namespace cotls::test::transfer_test {

using namespace asio::experimental::awaitable_operators;

namespace {

asio::awaitable<void> send(tcp_stream& to, std::string const& text) {
  std::size_t const count = co_await to.async_write(asio::buffer(text));
  BOOST_TEST(count == text.size());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(transfer, connected)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_in_both_directions) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await send(client, "to the server");
    BOOST_TEST(co_await receive(server, 13) == "to the server");
    co_await send(server, "to the client");
    BOOST_TEST(co_await receive(client, 13) == "to the client");
  }());
}

BOOST_DATA_TEST_CASE_F(connected, a_text_of_any_size_arrives_whole,
                       boost::unit_test::data::make({1, 16383, 16384, 16385, 100000, 3000000}),
                       size) {
  std::string const text = pattern(static_cast<std::size_t>(size));
  run(context, [&]() -> asio::awaitable<void> {
    auto sending = send(client, text);
    auto receiving = receive(server, text.size());
    std::string const got = co_await (std::move(sending) && std::move(receiving));
    BOOST_TEST((got == text));
  }());
}

BOOST_AUTO_TEST_CASE(bulk_in_both_directions_at_once_does_not_deadlock) {
  std::string const text = pattern(4'000'000);
  run(context, [&]() -> asio::awaitable<void> {
    auto both = co_await (send(client, text) && send(server, text) &&
                          receive(client, text.size()) && receive(server, text.size()));
    BOOST_TEST((std::get<0>(both) == text));
    BOOST_TEST((std::get<1>(both) == text));
  }());
}

BOOST_AUTO_TEST_CASE(a_sequence_of_many_small_buffers_is_one_write) {
  std::string const text = pattern(40'000);
  std::vector<asio::const_buffer> pieces;
  for (std::size_t at = 0; at < text.size(); at += 7) {
    pieces.push_back(asio::buffer(text) + at);
    pieces.back() = asio::buffer(pieces.back(), 7);
  }
  run(context, [&]() -> asio::awaitable<void> {
    auto const count = co_await client.async_write(pieces);
    BOOST_TEST(count == text.size());
    BOOST_TEST((co_await receive(server, text.size()) == text));
  }());
}

BOOST_AUTO_TEST_CASE(one_read_fills_its_buffer_from_several_records) {
  run(context, [&]() -> asio::awaitable<void> {
    for (char letter = 'a'; letter < 'e'; ++letter) {
      co_await client.async_write(asio::buffer(&letter, 1));
    }
    std::string text(16, '\0');
    // All four have been sent before the first read: loopback delivers them in order.
    std::size_t const count = co_await server.async_read_some(asio::buffer(text));
    BOOST_TEST(text.substr(0, count) == "abcd");
  }());
}

BOOST_AUTO_TEST_CASE(a_read_spreads_over_a_sequence_of_buffers) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await send(client, "abcdef");
    std::array<char, 2> first{};
    std::array<char, 9> second{};
    std::array<asio::mutable_buffer, 2> const into{asio::buffer(first), asio::buffer(second)};
    std::size_t const count = co_await server.async_read_some(into);
    BOOST_TEST(count == 6u);
    BOOST_TEST(std::string(first.data(), 2) == "ab");
    BOOST_TEST(std::string(second.data(), 4) == "cdef");
  }());
}

// A wait for output leaves its interest in asio's registration, which is woken by every
// acknowledgement (A3).
BOOST_AUTO_TEST_CASE(who_waits_for_input_after_a_stalled_write_is_not_woken_by_room_for_output) {
  std::string const text = pattern(8'000'000);
  run(context, [&]() -> asio::awaitable<void> {
    co_await send(server, "x");
    co_await receive(client, 1);   // and the tickets before it
    co_await (send(client, text) && receive(server, text.size()));
  }());
  char more = 0;
  client.async_read_some(asio::buffer(&more, 1), [](error_code, std::size_t) {});
  context.restart();
  BOOST_TEST(context.run_for(20ms) == 0u);
}

// The ciphertext is an engine's, so that it can be cut anywhere; the buffers that OpenSSL is made
// to release between the parts must not hold one.
BOOST_AUTO_TEST_CASE(a_record_read_in_parts_or_cut_anywhere_is_read_whole) {
  for (std::size_t cut = 1; cut <= 40; ++cut) {
    engine sender(localhost_client(), client_options().host("localhost"));
    tcp::acceptor acceptor(context, any_port());
    tcp::socket far(context);
    far.connect(acceptor.local_endpoint());
    tcp_stream near(acceptor.accept(), localhost_server());
    run(context, [&]() -> asio::awaitable<void> {
      auto push = [&](std::size_t most) -> asio::awaitable<void> {
        asio::const_buffer const piece = asio::buffer(sender.output(), most);
        co_await asio::async_write(far, piece, asio::use_awaitable);
        sender.consume_output(piece.size());
      };
      auto shaking = [&]() -> asio::awaitable<void> {
        std::string arrived(8192, '\0');
        while (sender.handshake().want == want::input) {
          while (sender.output().size() > 0) co_await push(8192);
          auto const count =
              co_await far.async_read_some(asio::buffer(arrived), asio::use_awaitable);
          sender.input(asio::buffer(arrived, count));
        }
        while (sender.output().size() > 0) co_await push(8192);
      };
      co_await (near.async_handshake(asio::use_awaitable) && shaking());
      sender.write(asio::buffer("a record of some length", 23));
      std::string text;
      auto reading = [&]() -> asio::awaitable<void> {
        char one = 0;
        while (text.size() < 23) {
          co_await near.async_read_some(asio::buffer(&one, 1));
          text.push_back(one);
        }
      };
      auto pushing = [&]() -> asio::awaitable<void> {
        co_await push(cut);
        // The reader has taken the first part, and waits for the rest.
        for (int i = 0; i < 5; ++i) co_await asio::post(asio::use_awaitable);
        while (sender.output().size() > 0) co_await push(8192);
      };
      co_await (reading() && pushing());
      BOOST_TEST(text == "a record of some length");
    }());
  }
}

BOOST_AUTO_TEST_CASE(an_empty_write_sends_no_record_and_is_no_error) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await client.async_write(asio::const_buffer()) == 0u);
    BOOST_TEST(co_await client.async_write_some(asio::const_buffer()) == 0u);
    BOOST_TEST(co_await server.async_read_some(asio::mutable_buffer()) == 0u);
    BOOST_TEST(server.next_layer().available() == 0u);
    co_await send(client, "x");
    BOOST_TEST(co_await receive(server, 1) == "x");
  }());
}

BOOST_AUTO_TEST_CASE(close_notify_reads_as_eof_and_shutdown_meets_it) {
  run(context, [&]() -> asio::awaitable<void> {
    auto reader = [&]() -> asio::awaitable<void> {
      auto const [code, text] = co_await read_to_end(server);
      BOOST_TEST(code == asio::error::eof);
      co_await server.async_shutdown();
    };
    co_await (reader() && client.async_shutdown(asio::use_awaitable));
    auto const [again, none] = co_await client.async_read_some(asio::mutable_buffer(), as_result);
    BOOST_TEST(!again);
  }());
}

BOOST_AUTO_TEST_CASE(an_end_without_close_notify_reads_as_truncation) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await send(client, "half");
    client.next_layer().shutdown(tcp::socket::shutdown_send);
    auto const [code, text] = co_await read_to_end(server);
    BOOST_TEST(code == errc::stream_truncated);
    BOOST_TEST(text == "half");
    auto const [again, count] =
        co_await server.async_read_some(asio::buffer(&context, 1), as_result);
    BOOST_TEST(again == errc::stream_truncated);
  }());
}

BOOST_AUTO_TEST_CASE(after_half_close_the_other_direction_goes_on) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await send(client, "question");
    co_await client.async_close_write();
    auto const [code, question] = co_await read_to_end(server);
    BOOST_TEST(code == asio::error::eof);
    BOOST_TEST(question == "question");
    co_await send(server, "answer");
    BOOST_TEST(co_await receive(client, 6) == "answer");
  }());
}

BOOST_AUTO_TEST_CASE(a_write_after_close_notify_is_refused) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_close_write();
    auto const [code, count] = co_await client.async_write(asio::buffer("x", 1), as_result);
    BOOST_TEST(code == errc::write_after_close);
    BOOST_TEST(count == 0u);
  }());
}

BOOST_AUTO_TEST_CASE(a_bare_end_of_the_peers_direction_leaves_ours_usable) {
  run(context, [&]() -> asio::awaitable<void> {
    client.next_layer().shutdown(tcp::socket::shutdown_send);
    auto const [code, text] = co_await read_to_end(server);
    BOOST_TEST(code == errc::stream_truncated);
    co_await send(server, "still here");
    BOOST_TEST(co_await receive(client, 10) == "still here");
  }());
}

BOOST_AUTO_TEST_CASE(a_second_read_beside_a_pending_one_is_refused) {
  char one = 0;
  char two = 0;
  error_code first;
  error_code second;
  server.async_read_some(asio::buffer(&one, 1),
                         [&](error_code code, std::size_t) { first = code; });
  server.async_read_some(asio::buffer(&two, 1),
                         [&](error_code code, std::size_t) { second = code; });
  run(context, send(client, "x"));
  BOOST_TEST(!first);
  BOOST_TEST(one == 'x');
  BOOST_TEST(second == errc::operation_in_progress);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_destroyed_aborts_its_operations) {
  char one = 0;
  error_code read;
  error_code shut;
  server.async_read_some(asio::buffer(&one, 1), [&](error_code code, std::size_t) { read = code; });
  client.async_shutdown([&](error_code code) { shut = code; });
  context.poll();
  server = tcp_stream();
  client = tcp_stream();
  run_for(context);
  BOOST_TEST(read == asio::error::operation_aborted);
  BOOST_TEST(shut == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_destroyed_ends_a_coroutine_by_an_exception_that_says_so) {
  char one = 0;
  error_code ended;
  auto reading = [&]() -> asio::awaitable<void> {
    try {
      co_await server.async_read_some(asio::buffer(&one, 1));
    } catch (error const& thrown) {
      ended = thrown.code();
    }
  };
  spawn(context, reading());
  context.restart();
  context.poll();
  server = tcp_stream();
  run_for(context);
  BOOST_TEST(ended == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_SUITE_END()

// Told by LeakSanitizer, and by a count of what is alive: a context that is destroyed takes with it
// the coroutines that wait in it, although they own what they wait on.
BOOST_AUTO_TEST_SUITE(destroyed_context)

namespace {

struct counted {
  explicit counted(int& alive) : count(&alive) { ++*count; }
  counted(counted&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
  ~counted() {
    if (count) --*count;
  }
  int* count;
};

asio::awaitable<void> read_for_ever(tcp_stream made, counted) {
  char one = 0;
  co_await made.async_read_some(asio::buffer(&one, 1));
}

asio::awaitable<void> write_for_ever(tcp_stream made, counted) {
  std::string const text = pattern(20'000'000);
  co_await made.async_write(asio::buffer(text));
}

// Its ciphertext is stuck, so that the read waits for either direction.
asio::awaitable<void> cut_and_read(tcp_stream made, counted) {
  std::string const text = pattern(20'000'000);
  asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
  co_await (made.async_write(asio::buffer(text), asio::use_awaitable) ||
            timer.async_wait(asio::use_awaitable));
  char one = 0;
  co_await made.async_read_some(asio::buffer(&one, 1));
}

asio::awaitable<void> accept_for_ever(counted) {
  listener own(co_await asio::this_coro::executor, any_port(), localhost_server());
  co_await own.async_accept();
}

asio::awaitable<void> shut_for_ever(tcp_stream made, counted) { co_await made.async_shutdown(); }

}  // namespace

BOOST_AUTO_TEST_CASE(takes_with_it_the_coroutines_that_wait) {
  int alive = 0;
  auto inner = std::make_unique<asio::io_context>();
  {
    tcp_pair idle(*inner);
    tcp_pair full(*inner);
    tcp_pair cut(*inner);
    auto start = [&](asio::awaitable<void> work) {
      asio::co_spawn(*inner, std::move(work), asio::detached);
    };
    start(read_for_ever(std::move(idle.server), counted(alive)));
    start(shut_for_ever(std::move(idle.client), counted(alive)));
    start(write_for_ever(std::move(full.client), counted(alive)));
    start(read_for_ever(std::move(cut.server), counted(alive)));
    start(accept_for_ever(counted(alive)));
    inner->restart();
    inner->run_for(50ms);
  }
  BOOST_TEST(alive >= 3);
  inner.reset();
  BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(takes_with_it_a_reader_that_waits_for_either_direction) {
  int alive = 0;
  auto inner = std::make_unique<asio::io_context>();
  auto cut = std::make_unique<tcp_pair>(*inner);
  asio::co_spawn(*inner, cut_and_read(std::move(cut->client), counted(alive)), asio::detached);
  inner->restart();
  inner->run_for(60ms);
  BOOST_TEST(alive == 1);
  cut.reset();
  inner.reset();
  BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(transfer_ends, connected)

BOOST_AUTO_TEST_CASE(a_moved_stream_goes_on_and_what_is_left_is_empty) {
  tcp_stream moved = std::move(client);
  run(context, [&]() -> asio::awaitable<void> {
    co_await send(moved, "x");
    BOOST_TEST(co_await receive(server, 1) == "x");
    auto const [code, count] = co_await client.async_write(asio::buffer("x", 1), as_result);
    BOOST_TEST(code == errc::not_connected);
    auto const [shut] = co_await client.async_shutdown(as_result);
    BOOST_TEST(shut == errc::not_connected);
  }());
  BOOST_TEST(!client);
  error_code plain;
  client.async_read_some(asio::mutable_buffer(),
                         asio::bind_executor(context, [&](error_code code, std::size_t) {
                           plain = code;
                         }));
  run_for(context);
  BOOST_TEST(plain == errc::not_connected);
}

BOOST_AUTO_TEST_CASE(what_was_negotiated_and_who_the_peer_is_can_be_asked) {
  BOOST_TEST(client.info().version == "TLSv1.3");
  BOOST_TEST(!client.info().suite.empty());
  BOOST_TEST(!client.info().group.empty());
  BOOST_TEST(!client.info().resumed);
  BOOST_TEST(client.peer().verified());
  BOOST_TEST(client.peer().names().size() == 3u);
  BOOST_TEST(!server.peer().verified());   // no certificate was asked for (T8)
  BOOST_TEST(!server.peer().certificate());
}

BOOST_AUTO_TEST_CASE(the_sockets_of_both_ends_do_not_delay_small_writes) {
  for (tcp_stream* each : {&client, &server}) {
    tcp::no_delay option;
    each->next_layer().get_option(option);
    BOOST_TEST(option.value());
  }
}

BOOST_AUTO_TEST_CASE(an_exception_of_an_awaitable_says_what_failed) {
  run(context, [&]() -> asio::awaitable<void> {
    client.next_layer().shutdown(tcp::socket::shutdown_send);
    std::string text(10, '\0');
    try {
      co_await server.async_read_some(asio::buffer(text));
      BOOST_ERROR("the read did not fail");
    } catch (error const& failed) {
      BOOST_TEST(failed.code() == errc::stream_truncated);
      BOOST_TEST(std::string(failed.what()).find("read") != std::string::npos);
    }
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::transfer_test
