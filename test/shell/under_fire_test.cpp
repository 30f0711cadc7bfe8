// A listener under fire: a thousand clients that say nothing and a hundred that send a byte a
// second, while good ones work. What it costs is printed; that it holds is tested.

#include "print.hpp"
#include "sanitized.hpp"
#include "tls.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

namespace cotls::test::under_fire_test {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t silent_clients = 1000;
constexpr std::size_t dripping_clients = 100;
constexpr std::size_t bad_clients = silent_clients + dripping_clients;
constexpr std::size_t good_clients = 50;
constexpr auto handshake_limit = 3s;
constexpr auto slack = sanitized ? 10s : 2s;

double milliseconds(clock::duration length) {
  return std::chrono::duration<double, std::milli>(length).count();
}

// Both ends of every connection are ours: let the process have descriptors for all of them.
void allow_descriptors(rlim_t needed) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  BOOST_TEST_REQUIRE(limit.rlim_cur >= needed);
}

// Clients that connect and never get to a handshake: bare descriptors, which cost us no heap.
class crowd {
 public:
  explicit crowd(tcp::endpoint const& target) {
    for (std::size_t i = 0; i < bad_clients; ++i) {
      int const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      BOOST_TEST_REQUIRE(descriptor >= 0);
      descriptors_.push_back(descriptor);
      auto const size = static_cast<socklen_t>(target.size());
      BOOST_TEST_REQUIRE(::connect(descriptor, target.data(), size) == 0);
    }
  }
  ~crowd() {
    for (int each : descriptors_) ::close(each);
  }
  crowd(crowd const&) = delete;
  crowd& operator=(crowd const&) = delete;

  // Lets each of those that drip send the next byte of a long client hello.
  void drip() {
    std::string_view const header("\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb", 9);
    char const next = drops_ < header.size() ? header[drops_] : '\0';
    ++drops_;
    for (std::size_t i = 0; i < dripping_clients; ++i) {
      ::send(descriptors_[i], &next, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }

  // How many the server has hung up on.
  std::size_t gone() const {
    std::vector<pollfd> all;
    for (int each : descriptors_) all.push_back({each, POLLIN, 0});
    ::poll(all.data(), all.size(), 0);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](pollfd const& one) { return one.revents != 0; }));
  }

 private:
  std::vector<int> descriptors_;
  std::size_t drops_ = 0;
};

// The good clients, on a thread of their own. Each connects, asks, is answered and says goodbye.
class workers {
 public:
  explicit workers(std::uint16_t port) : port_(port) {}

  // Starts them; afterwards `done` is called on the executor.
  template <class Function>
  void start(asio::any_io_executor const& executor, Function done) {
    thread_ = std::jthread([this, executor, done] {
      asio::io_context context(1);
      for (std::size_t i = 0; i < good_clients; ++i) {
        asio::co_spawn(context, work(), [this](std::exception_ptr thrown) {
          if (thrown) ++failures_;
        });
      }
      context.run_for(60s);
      asio::post(executor, done);
    });
  }

  // To be asked when they are done.
  void report(char const* title) {
    thread_.join();
    BOOST_TEST(failures_ == 0);
    BOOST_TEST_REQUIRE(handshakes_.size() == good_clients);
    std::sort(handshakes_.begin(), handshakes_.end());
    BOOST_TEST_MESSAGE(title << ": handshakes of " << good_clients << " good clients at once: "
                             << "median " << milliseconds(handshakes_[good_clients / 2])
                             << " ms, worst "
                             << milliseconds(handshakes_.back()) << " ms");
  }

 private:
  asio::awaitable<void> work() {
    auto const begin = clock::now();
    // Which fails by itself when the deadline passes.
    tcp_stream tls = co_await async_connect("127.0.0.1", port_, with_,
                                            connect_options().timeout(handshake_limit + slack));
    handshakes_.push_back(clock::now() - begin);
    std::string const text = pattern(1000);
    std::string answer(text.size(), '\0');
    for (int i = 0; i < 20; ++i) {
      co_await tls.async_write(asio::buffer(text));
      co_await asio::async_read(tls, asio::buffer(answer), asio::use_awaitable);
      if (answer != text) throw std::runtime_error("the answer is another");
    }
    co_await tls.async_shutdown();
  }

  std::uint16_t port_;
  client_context with_ = localhost_client();
  std::vector<clock::duration> handshakes_;
  int failures_ = 0;
  std::jthread thread_;
};

asio::awaitable<void> echo(tcp_stream stream) {
  std::string text(2000, '\0');
  for (;;) {
    auto const [code, count] = co_await stream.async_read_some(asio::buffer(text), as_result);
    if (code) break;
    co_await stream.async_write(asio::buffer(text, count));
  }
  co_await stream.async_shutdown();
}

// The server, on the thread of the test, whose heap is the one that is measured.
struct fixture {
  asio::io_context context{1};
  std::size_t timed_out = 0;
  std::size_t otherwise_failed = 0;
  listener server{context.get_executor(), any_port(), localhost_server(),
                  listener_options()
                      .max_handshakes(bad_clients + good_clients)
                      .handshake_timeout(handshake_limit)
                      .observer([this](accept_failure const& failure) {
                        ++(failure.reason().code() == errc::handshake_timeout ? timed_out
                                                                              : otherwise_failed);
                      })};
  std::size_t served = 0;

  fixture() {
    allow_descriptors(2 * (bad_clients + good_clients) + 100);
    spawn(context, serve());
  }

  asio::awaitable<void> serve() {
    for (;;) {
      auto [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
      auto const executor = made.get_executor();
      asio::co_spawn(executor, echo(std::move(made)), [this](std::exception_ptr thrown) {
        if (!thrown) ++served;
      });
    }
  }

  // Serves until the condition holds.
  template <class Condition>
  void serve_until(Condition holds) {
    auto const give_up = clock::now() + handshake_limit + slack;
    while (!holds() && clock::now() < give_up) context.run_one_for(10ms);
    BOOST_TEST_REQUIRE(holds());
  }

  void let_good_ones_work(char const* title) {
    workers good(server.port());
    bool done = false;
    std::size_t const before = served;
    good.start(context.get_executor(), [&] { done = true; });
    serve_until([&] { return done && served == before + good_clients; });
    good.report(title);
  }

  // Everything that is ready now runs.
  void settle() {
    while (context.poll() > 0) {
    }
  }
};

// What OpenSSL takes of itself for a server's connection of which nothing has come.
std::size_t heap_of_a_bare_connection() {
  constexpr std::size_t count = 100;
  server_context const with = localhost_server();
  std::vector<std::unique_ptr<SSL, decltype(&SSL_free)>> all;
  all.reserve(count);
  std::size_t const before = ::mallinfo2().uordblks;
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(SSL_new(with.native_handle()), SSL_free);
    SSL_set_accept_state(all.back().get());
  }
  return (::mallinfo2().uordblks - before) / count;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(under_fire, fixture)

BOOST_AUTO_TEST_CASE(bad_clients_cost_little_hold_up_nobody_and_are_gone_at_the_deadline) {
  let_good_ones_work("alone");

  std::size_t const heap_before = ::mallinfo2().uordblks;
  auto const begin = clock::now();
  crowd bad(server.local_endpoint());
  settle();
  bad.drip();
  settle();
  std::size_t const heap = ::mallinfo2().uordblks - heap_before;
  std::size_t const each = heap / bad_clients;
  if (sanitized) {
    BOOST_TEST_MESSAGE("heap: not measured under a sanitizer");
  } else {
    BOOST_TEST_MESSAGE("heap per bad client: " << each << " bytes");
    BOOST_TEST(each <= heap_of_a_bare_connection() + 3'500u);
  }

  asio::steady_timer second(context);
  auto dripping = [&]() -> asio::awaitable<void> {
    for (;;) {
      second.expires_after(1s);
      if (std::get<0>(co_await second.async_wait(as_result))) co_return;
      bad.drip();
    }
  };
  spawn(context, dripping());
  BOOST_TEST(bad.gone() == 0u);   // they have been there all the while
  let_good_ones_work("under fire");
  BOOST_TEST(timed_out == 0u);

  serve_until([&] { return timed_out == bad_clients; });
  auto const over = clock::now() - begin;
  settle();
  BOOST_TEST(bad.gone() == bad_clients);
  BOOST_TEST(otherwise_failed == 0u);
  BOOST_TEST((over >= handshake_limit));
  BOOST_TEST_MESSAGE("all bad clients gone after " << milliseconds(over) << " ms, at a limit of "
                                                   << milliseconds(handshake_limit) << " ms");
  second.cancel();
  server.close();
  settle();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::under_fire_test
