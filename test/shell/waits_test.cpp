// Each way to wait, on three threads: over TCP, Unix sockets and any other stream; with a deadline
// that comes amid it and without; cancelled and not; on a strand, and without one where none is
// needed. Of most use under ThreadSanitizer.

#include <cotls/detail/support/access.hpp>

#include "print.hpp"
#include "tls.hpp"
#include "watched.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace cotls::test::waits_test {

namespace {

enum class ends { well, at_deadline, cancelled };

std::ostream& operator<<(std::ostream& to, ends how) {
  constexpr char const* names[] = {"well", "at its deadline", "cancelled"};
  return to << names[static_cast<int>(how)];
}

// Boost.Test's checks are for one thread.
void expect(error_code what, error_code wanted) {
  if (what != wanted) throw std::runtime_error("ended with: " + what.message());
}

// How a connection's end is made of sockets with little room.
template <class Next>
struct over;

void give_little_room(auto& from, auto& to) {
  from.set_option(asio::socket_base::send_buffer_size(100'000));
  to.set_option(asio::socket_base::receive_buffer_size(200'000));
}

template <>
struct over<tcp::socket> {
  static std::pair<tcp::socket, tcp::socket> connect(asio::io_context& context) {
    tcp::acceptor acceptor(context, any_port());
    tcp::socket ours(context);
    ours.connect(acceptor.local_endpoint());
    std::pair both(std::move(ours), acceptor.accept());
    give_little_room(both.first, both.second);
    return both;
  }
};

template <>
struct over<asio::local::stream_protocol::socket> {
  using socket = asio::local::stream_protocol::socket;
  static std::pair<socket, socket> connect(asio::io_context& context) {
    std::pair both(socket{context}, socket{context});
    asio::local::connect_pair(both.first, both.second);
    give_little_room(both.first, both.second);
    return both;
  }
};

template <>
struct over<watched<tcp::socket>> {
  using socket = watched<tcp::socket>;
  static std::pair<socket, socket> connect(asio::io_context& context) {
    auto both = over<tcp::socket>::connect(context);
    return {socket(std::move(both.first)), socket(std::move(both.second))};
  }
};

// One connection. Ours is where operations wait; the peer, on a strand of its own, keeps its input
// to itself while it drips bytes, then reads all there is.
template <class Next>
class connection {
 public:
  connection(asio::io_context& context, ends how)
      : connection(context, how, over<Next>::connect(context)) {}

  // Handshake: input. A write that cannot leave: output. A read behind it, and a shutdown: either.
  asio::awaitable<void> work() {
    bool const limited = how_ == ends::at_deadline;
    ours_.set_handshake_timeout(10s);
    co_await ours_.async_handshake();
    auto cutting = asio::co_spawn(strand_, cut_a_write(), asio::use_awaitable);
    co_await std::move(cutting);
    char one = 0;
    co_await ours_.async_read_some(asio::buffer(&one, 1));
    if (how_ == ends::cancelled) {
      auto cancelling = asio::co_spawn(strand_, cancel_a_read(), asio::use_awaitable);
      co_await std::move(cancelling);
    }
    if (limited) {
      for (auto limit : {100us, 300us, 1000us}) {
        ours_.set_shutdown_timeout(limit);
        auto const [code] = co_await ours_.async_shutdown(as_result);
        expect(code, errc::shutdown_timeout);
      }
    }
    dripping_ = false;
    ours_.set_shutdown_timeout(20s);
    co_await ours_.async_shutdown();
  }

  asio::awaitable<void> answer() {
    co_await peer_.async_handshake();
    while (dripping_) co_await peer_.async_write(asio::buffer("x", 1));
    std::string text(64 * 1024, '\0');
    for (;;) {
      auto const [code, count] = co_await peer_.async_read_some(asio::buffer(text), as_result);
      received_ += count;
      if (code) break;
    }
    co_await peer_.async_shutdown();
  }

  asio::any_io_executor strand() const { return strand_; }
  bool whole() const { return received_ == taken_; }

 private:
  connection(asio::io_context& context, ends how, std::pair<Next, Next> both)
      : ours_(std::move(both.first), localhost_client(), client_options().host("localhost")),
        peer_(std::move(both.second), localhost_server()),
        strand_(asio::make_strand(context)),
        how_(how) {}

  // The write is cut once a byte of the peer's has come, which reads nothing yet.
  asio::awaitable<void> cut_a_write() {
    static std::string const text = pattern(4'000'000);
    error_code cut = asio::error::fault;
    ours_.async_write(asio::buffer(text),
                      asio::bind_executor(strand_, [&](error_code code, std::size_t count) {
                        cut = code;
                        taken_ = count;
                      }));
    char one = 0;
    while (detail::access::core(ours_)->engine().unsent() == 0) {
      co_await ours_.async_read_some(asio::buffer(&one, 1));
    }
    ours_.cancel();
    while (cut == asio::error::fault) co_await asio::post(strand_, asio::use_awaitable);
    expect(cut, asio::error::operation_aborted);
  }

  asio::awaitable<void> cancel_a_read() {
    std::vector<char> most(1'000'000);
    for (int i = 0; i < 20; ++i) {
      asio::cancellation_signal stop;
      bool done = false;
      ours_.async_read_some(
          asio::buffer(most),
          asio::bind_executor(strand_, asio::bind_cancellation_slot(
                                           stop.slot(), [&](error_code, std::size_t) {
                                             done = true;
                                           })));
      co_await asio::post(strand_, asio::use_awaitable);
      stop.emit(asio::cancellation_type::total);
      while (!done) co_await asio::post(strand_, asio::use_awaitable);
    }
  }

  stream<Next> ours_;
  stream<Next> peer_;
  asio::strand<asio::io_context::executor_type> strand_;
  ends how_;
  std::atomic<bool> dripping_ = true;
  std::size_t taken_ = 0;
  std::size_t received_ = 0;
};

// Runs several at once on three threads.
template <class Next>
void run_on_three_threads(ends how, bool on_strand) {
  asio::io_context context(3);
  std::atomic<int> done = 0;
  std::atomic<int> failed = 0;
  auto const count = [&](std::exception_ptr thrown) { thrown ? ++failed : ++done; };
  std::vector<std::unique_ptr<connection<Next>>> all;
  for (int i = 0; i < 4; ++i) {
    auto& one = *all.emplace_back(std::make_unique<connection<Next>>(context, how));
    asio::co_spawn(asio::make_strand(context), one.answer(), count);
    if (on_strand) {
      asio::co_spawn(one.strand(), one.work(), count);
    } else {
      asio::co_spawn(context, one.work(), count);
    }
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { context.run_for(60s); });
  for (std::thread& each : threads) each.join();
  BOOST_TEST(context.stopped());
  BOOST_TEST(failed == 0);
  BOOST_TEST(done == 8);
  for (auto const& each : all) BOOST_TEST(each->whole());
}

auto const all_ends =
    boost::unit_test::data::make({ends::well, ends::at_deadline, ends::cancelled});

}  // namespace

BOOST_AUTO_TEST_SUITE(waits)

BOOST_DATA_TEST_CASE(over_tcp_need_no_strand, all_ends) {
  run_on_three_threads<tcp::socket>(sample, false);
}
BOOST_DATA_TEST_CASE(over_tcp_on_a_strand, all_ends) {
  run_on_three_threads<tcp::socket>(sample, true);
}
BOOST_DATA_TEST_CASE(over_unix_sockets_need_no_strand, all_ends) {
  run_on_three_threads<asio::local::stream_protocol::socket>(sample, false);
}
BOOST_DATA_TEST_CASE(over_unix_sockets_on_a_strand, all_ends) {
  run_on_three_threads<asio::local::stream_protocol::socket>(sample, true);
}
BOOST_DATA_TEST_CASE(over_another_stream_on_a_strand, all_ends) {
  run_on_three_threads<watched<tcp::socket>>(sample, true);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::waits_test
