// One echo, replayed with the transport failing, ending or stalling at each of its steps, and with
// the operation in progress cancelled at each step. Every run ends, and with a documented error.

#include "memory_stream.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <vector>

namespace cotls::test {

using namespace asio::experimental::awaitable_operators;

namespace {

using memory_tls = stream<memory_stream>;

enum class stage { handshake, write, read, shutdown, done };

struct outcome {
  stage reached = stage::handshake;
  error_code code;
};

// What happens to the client's end: nothing, a fault of its transport, or a cancellation.
struct trouble {
  fault kind = fault::none;
  bool cancels = false;
  std::size_t at = 0;
};

constexpr std::size_t payload = 3000;

class scenario {
 public:
  scenario(protocol version, trouble what, std::size_t limit) : what_(what) {
    auto [left, right] = memory_stream::make_pair(context_.get_executor());
    left.set_limit(limit);
    right.set_limit(limit);
    if (what.kind != fault::none) left.set_fault(what.kind, what.at);
    if (what.cancels) {
      left.on_step([this](std::size_t step) {
        if (step == what_.at) {
          // Not from inside the operation that is being started.
          asio::post(context_, [this] { signal_.emit(asio::cancellation_type::total); });
        }
      });
    }
    left_ = std::make_unique<memory_stream>(left);
    client_ = memory_tls(std::move(left), localhost_client(version),
                         client_options().host("localhost"));
    server_ = memory_tls(std::move(right), localhost_server(version));
    for (memory_tls* each : {&client_, &server_}) {
      each->set_handshake_timeout(300ms);
      each->set_shutdown_timeout(300ms);
    }
  }

  // Returns how far the client came, and the server's outcome.
  std::array<outcome, 2> run() {
    spawn(context_, serve());
    asio::co_spawn(context_, ask(),
                   asio::bind_cancellation_slot(signal_.slot(), [](std::exception_ptr thrown) {
                     if (thrown) std::rethrow_exception(thrown);
                   }));
    run_for(context_, 10s);
    return {client_ends_, server_ends_};
  }

  std::size_t steps() const { return left_->steps(); }

 private:
  asio::awaitable<void> ask() {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await asio::this_coro::throw_if_cancelled(false);
    std::string const text = pattern(payload);
    std::string answer(payload, '\0');
    outcome& ends = client_ends_;
    std::tie(ends.code) = co_await client_.async_handshake(as_result);
    if (!ends.code) {
      ends.reached = stage::write;
      std::size_t count = 0;
      std::tie(ends.code, count) = co_await client_.async_write(asio::buffer(text), as_result);
      BOOST_TEST((ends.code || count == payload));
    }
    if (!ends.code) {
      ends.reached = stage::read;
      std::tie(ends.code) = co_await read_answer(answer);
    }
    if (!ends.code) {
      BOOST_TEST((answer == text));
      ends.reached = stage::shutdown;
      std::tie(ends.code) = co_await client_.async_shutdown(as_result);
    }
    if (!ends.code) ends.reached = stage::done;
    // Whatever happened, the peer must not be left waiting: the transport goes.
    client_ = memory_tls();
    left_->close();
  }

  asio::awaitable<std::tuple<error_code>> read_answer(std::string& into) {
    std::size_t have = 0;
    while (have < into.size()) {
      // A read that stalls for ever is somebody's deadline to end; here the test's own.
      auto const [code, count] =
          co_await client_.async_read_some(asio::buffer(into) + have, as_result);
      have += count;
      if (code) co_return std::tuple(code);
    }
    co_return std::tuple(error_code());
  }

  asio::awaitable<void> serve() {
    outcome& ends = server_ends_;
    std::string text(payload, '\0');
    std::tie(ends.code) = co_await server_.async_handshake(as_result);
    if (!ends.code) {
      ends.reached = stage::read;
      std::size_t count = 0;
      std::tie(ends.code, count) =
          co_await asio::async_read(server_, asio::buffer(text), as_result);
    }
    if (!ends.code) {
      ends.reached = stage::write;
      std::size_t count = 0;
      std::tie(ends.code, count) = co_await server_.async_write(asio::buffer(text), as_result);
    }
    if (!ends.code) {
      ends.reached = stage::shutdown;
      std::tie(ends.code) = co_await server_.async_shutdown(as_result);
    }
    if (!ends.code) ends.reached = stage::done;
    server_ = memory_tls();
  }

  asio::io_context context_;
  trouble const what_;
  asio::cancellation_signal signal_;
  std::unique_ptr<memory_stream> left_;
  memory_tls client_;
  memory_tls server_;
  outcome client_ends_;
  outcome server_ends_;
};

// The errors that the documentation of the operations names.
bool documented(error_code const& code) {
  std::array const known{
      error_code(asio::error::eof),
      error_code(asio::error::operation_aborted),
      error_code(asio::error::connection_reset),
      error_code(asio::error::broken_pipe),
      make_error_code(errc::stream_truncated),
      make_error_code(errc::handshake_truncated),
      make_error_code(errc::handshake_timeout),
      make_error_code(errc::shutdown_timeout),
  };
  return std::find(known.begin(), known.end(), code) != known.end();
}

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const limits = boost::unit_test::data::make({100, 1'000'000});

std::size_t steps_of_a_good_run(protocol version, std::size_t limit) {
  scenario good(version, {}, limit);
  auto const [client, server] = good.run();
  BOOST_TEST(!client.code);
  BOOST_TEST((client.reached == stage::done));
  BOOST_TEST((server.reached == stage::done));
  return good.steps();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(echo_with_faults)

BOOST_DATA_TEST_CASE(every_fault_at_every_step_ends_with_a_documented_error, versions* limits,
                     version, limit) {
  auto const bytes = static_cast<std::size_t>(limit);
  std::size_t const steps = steps_of_a_good_run(version, bytes);
  BOOST_REQUIRE(steps > 4u);
  for (fault kind : {fault::failure, fault::end}) {
    for (std::size_t at = 0; at < steps; ++at) {
      BOOST_TEST_CONTEXT("fault " << static_cast<int>(kind) << " at step " << at) {
        scenario bad(version, {kind, false, at}, bytes);
        auto const [client, server] = bad.run();
        BOOST_TEST((client.code || client.reached == stage::done));
        if (client.code) BOOST_TEST(documented(client.code));
        if (server.code) BOOST_TEST(documented(server.code));
      }
    }
  }
}

BOOST_DATA_TEST_CASE(a_transport_that_stalls_at_any_step_is_given_up_at_the_deadline, versions,
                     version) {
  std::size_t const steps = steps_of_a_good_run(version, 1'000'000);
  for (std::size_t at = 0; at < steps; ++at) {
    BOOST_TEST_CONTEXT("stalled at step " << at) {
      // The reads and writes between handshake and shutdown have no deadline of their own: as a
      // user would, the test cancels what it waits for.
      scenario bad(version, {fault::stall, true, at}, 1'000'000);
      auto const [client, server] = bad.run();
      BOOST_TEST((client.code || client.reached == stage::done));
      if (client.code) BOOST_TEST(documented(client.code));
      if (server.code) BOOST_TEST(documented(server.code));
    }
  }
}

BOOST_DATA_TEST_CASE(a_handshake_whose_transport_stalls_ends_by_itself, versions, version) {
  for (std::size_t at : {0u, 1u, 2u}) {
    scenario bad(version, {fault::stall, false, at}, 1'000'000);
    auto const [client, server] = bad.run();
    BOOST_TEST((client.reached == stage::handshake));
    BOOST_TEST(client.code == errc::handshake_timeout);
    BOOST_TEST(documented(server.code));
  }
}

BOOST_DATA_TEST_CASE(a_cancellation_at_any_step_ends_that_operation_and_nothing_else_breaks,
                     versions* limits, version, limit) {
  auto const bytes = static_cast<std::size_t>(limit);
  std::size_t const steps = steps_of_a_good_run(version, bytes);
  std::size_t aborted = 0;
  for (std::size_t at = 0; at < steps; ++at) {
    BOOST_TEST_CONTEXT("cancelled at step " << at) {
      scenario cut(version, {fault::none, true, at}, bytes);
      auto const [client, server] = cut.run();
      // The cancellation may come when nothing of it is left to cancel.
      BOOST_TEST((client.code == asio::error::operation_aborted || client.reached == stage::done));
      aborted += client.code == asio::error::operation_aborted ? 1 : 0;
      if (server.code) BOOST_TEST(documented(server.code));
    }
  }
  BOOST_TEST(aborted > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
