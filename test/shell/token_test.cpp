// The completion tokens that a stream's operations take, and Asio's rules for them.

#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <memory_resource>
#include <type_traits>

namespace cotls::test::token_test {

namespace {

struct fixture : connected {
  std::array<char, 4> text{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(token, fixture)

BOOST_AUTO_TEST_CASE(a_callback_is_called_with_the_result) {
  std::size_t written = 0;
  client.async_write(asio::buffer("abcd", 4), [&](error_code code, std::size_t count) {
    BOOST_TEST(!code);
    written = count;
  });
  server.async_read_some(asio::buffer(text), [&](error_code code, std::size_t) {
    BOOST_TEST(!code);
  });
  run_for(context);
  BOOST_TEST(written == 4u);
  BOOST_TEST(std::string(text.data(), 4) == "abcd");
}

BOOST_AUTO_TEST_CASE(a_handler_is_never_called_inside_the_initiating_function) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("abcd", 4));
    co_await server.async_read_some(asio::buffer(text, 1));
    // Three bytes are decrypted and waiting.
    bool called = false;
    server.async_read_some(asio::buffer(text, 1), [&](error_code, std::size_t) { called = true; });
    BOOST_TEST(!called);
    bool refused = false;
    server.async_read_some(asio::buffer(text, 1), [&](error_code code, std::size_t) {
      refused = code == errc::operation_in_progress;
    });
    BOOST_TEST(!refused);
    co_await asio::post(asio::use_awaitable);
    co_await asio::post(asio::use_awaitable);
    BOOST_TEST(called);
    co_await asio::post(asio::use_awaitable);
  }());
}

BOOST_AUTO_TEST_CASE(an_awaitable_with_data_at_hand_does_not_suspend) {
  bool others_ran = false;
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("abcd", 4));
    co_await server.async_read_some(asio::buffer(text, 1));
    asio::post(context, [&] { others_ran = true; });
    co_await server.async_read_some(asio::buffer(text, 1));
    BOOST_TEST(!others_ran);
  }());
}

BOOST_AUTO_TEST_CASE(as_tuple_and_redirect_error_do_not_throw) {
  run(context, [&]() -> asio::awaitable<void> {
    client.next_layer().shutdown(tcp::socket::shutdown_send);
    auto const [code, count] = co_await server.async_read_some(asio::buffer(text), as_result);
    BOOST_TEST(code == errc::stream_truncated);
    error_code redirected;
    std::size_t const none = co_await server.async_read_some(
        asio::buffer(text), asio::redirect_error(asio::use_awaitable, redirected));
    BOOST_TEST(redirected == errc::stream_truncated);
    BOOST_TEST(none == 0u);
    error_code shut;
    co_await server.async_shutdown(asio::redirect_error(asio::use_awaitable, shut));
    BOOST_TEST(shut == errc::stream_truncated);
  }());
}

BOOST_AUTO_TEST_CASE(a_future_waits_on_another_thread) {
  auto written = client.async_write(asio::buffer("abcd", 4), asio::use_future);
  auto read = server.async_read_some(asio::buffer(text), asio::use_future);
  auto waiting = std::async(std::launch::async, [&] { return written.get() + read.get(); });
  run_for(context);
  BOOST_TEST(waiting.get() == 8u);
}

BOOST_AUTO_TEST_CASE(a_deferred_operation_starts_when_it_is_launched) {
  auto later = server.async_read_some(asio::buffer(text), asio::deferred);
  auto shut = client.async_shutdown(asio::deferred);
  client.async_write(asio::buffer("abcd", 4), asio::detached);
  context.poll();
  BOOST_TEST(text[0] == '\0');
  std::size_t count = 0;
  std::move(later)([&](error_code, std::size_t bytes) { count = bytes; });
  run_for(context);
  BOOST_TEST(count == 4u);
  server.async_shutdown(asio::detached);
  error_code code = asio::error::fault;
  std::move(shut)([&](error_code ended) { code = ended; });
  run_for(context);
  BOOST_TEST(!code);
}

BOOST_AUTO_TEST_CASE(a_handler_runs_on_its_executor_and_uses_its_allocator) {
  auto const strand = asio::make_strand(context);
  std::array<std::byte, 4096> arena;
  std::pmr::monotonic_buffer_resource memory(arena.data(), arena.size(),
                                             std::pmr::null_memory_resource());
  std::pmr::polymorphic_allocator<std::byte> const allocator(&memory);
  bool right = false;
  server.async_read_some(
      asio::buffer(text),
      asio::bind_executor(strand, asio::bind_allocator(allocator, [&](error_code, std::size_t) {
        right = strand.running_in_this_thread();
      })));
  client.async_write(asio::buffer("abcd", 4), asio::detached);
  run_for(context);
  BOOST_TEST(right);
}

BOOST_AUTO_TEST_CASE(a_coroutine_may_run_on_a_strand_or_an_io_context_executor) {
  using strand_type = asio::strand<asio::io_context::executor_type>;
  using on_strand = asio::use_awaitable_t<strand_type>;
  using on_context = asio::use_awaitable_t<asio::io_context::executor_type>;
  bool done = false;
  auto reader = [&]() -> asio::awaitable<void, strand_type> {
    std::size_t const count = co_await server.async_read_some(asio::buffer(text), on_strand());
    BOOST_TEST(count == 4u);
    done = true;
  };
  auto writer = [&]() -> asio::awaitable<void, asio::io_context::executor_type> {
    co_await client.async_write(asio::buffer("abcd", 4), on_context());
    co_await client.async_close_write(on_context());
  };
  asio::co_spawn(asio::make_strand(context), reader(), asio::detached);
  asio::co_spawn(context, writer(), asio::detached);
  run_for(context);
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(an_executor_with_a_default_token_gives_it_to_the_stream) {
  using defaulted = asio::use_awaitable_t<>::as_default_on_t<tcp::socket>;
  BOOST_TEST((std::is_same_v<stream<defaulted>::default_token,
                             defaulted::executor_type::default_completion_token_type>));
  BOOST_TEST((std::is_same_v<tcp_stream::default_token, asio::use_awaitable_t<>>));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::token_test
