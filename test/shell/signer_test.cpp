// Signers that are waited for: at either end, by every driver, and what becomes of those that fail,
// never answer, or are given up.

#include "blocking.hpp"
#include "key_elsewhere.hpp"
#include "print.hpp"
#include "sanitized.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string_view>

namespace cotls::test::signer_test {
namespace {

namespace data = boost::unit_test::data;
using clock = std::chrono::steady_clock;
using local_socket = asio::local::stream_protocol::socket;
using local_stream = stream<local_socket>;

enum class answer { signs, throws, signs_wrongly, never, never_and_heeds_nothing };

std::ostream& operator<<(std::ostream& out, answer which) {
  constexpr std::array names{"signs", "throws", "signs wrongly", "never", "never, heeds nothing"};
  return out << names[static_cast<std::size_t>(which)];
}

enum class end { server, client };

std::ostream& operator<<(std::ostream& out, end which) {
  return out << (which == end::server ? "server" : "client");
}

enum class driver { awaited, composed };

std::ostream& operator<<(std::ostream& out, driver which) {
  return out << (which == driver::awaited ? "awaited" : "composed");
}

auto const versions = data::make({protocol::tls1_2, protocol::tls1_3});
auto const ends = data::make({end::server, end::client});
auto const drivers = data::make({driver::awaited, driver::composed});

key_elsewhere const& far_key() {
  static key_elsewhere const made("P-256");
  return made;
}

// What was asked, and what is in progress of that.
struct tally {
  std::atomic<int> asked{0};
  std::atomic<int> alive{0};
};

class living {
 public:
  explicit living(tally& of) : of_(of) { ++of_.alive; }
  living(living const&) = delete;
  ~living() { --of_.alive; }

 private:
  tally& of_;
};

asio::awaitable<signer::signature> answered(signature_request const& request, answer how,
                                            int pauses, tally& counted) {
  living const here(counted);
  ++counted.asked;
  auto const executor = co_await asio::this_coro::executor;
  for (int i = 0; i < pauses; ++i) co_await asio::post(executor, asio::use_awaitable);
  if (how == answer::never_and_heeds_nothing) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  }
  if (how == answer::never || how == answer::never_and_heeds_nothing) {
    asio::steady_timer waits(executor, clock::time_point::max());
    co_await waits.async_wait(asio::use_awaitable);
  }
  if (how == answer::throws) throw std::runtime_error("the device is gone");
  signer::signature made = sign_with(far_key().key(), request, true);
  if (how == answer::signs_wrongly) made.resize(made.size() - 1);
  co_return made;
}

signer waiting(answer how, int pauses, tally& counted) {
  return [=, &counted](signature_request const& request) {
    return answered(request, how, pauses, counted);
  };
}

// Two ends, each of which shows a certificate; one of them has its key elsewhere.
struct contexts {
  server_context server;
  client_context client;

  contexts(end which, signer sign, protocol version)
      : server(version), client(version) {
    identity const far = far_key().signed_by(std::move(sign));
    identity const& near = localhost_identity();
    server.use(which == end::server ? far : near);
    server.add_root(near.chain().leaf()).add_root(far.chain().leaf());
    server.set_verify(verify::required);
    client.use(which == end::client ? far : near);
    client.add_root(near.chain().leaf()).add_root(far.chain().leaf());
  }
};

struct pair {
  local_stream client;
  local_stream server;

  pair(asio::any_io_executor const& executor, contexts const& of)
      : pair(local_socket(executor), local_socket(executor), of) {}

 private:
  pair(local_socket near, local_socket far, contexts const& of)
      : client((asio::local::connect_pair(near, far), std::move(near)), of.client,
               client_options().host("localhost")),
        server(std::move(far), of.server) {}
};

struct fixture {
  asio::io_context context;
  tally counted;
  asio::cancellation_signal cancel;   // of the end that signs

  // Shakes hands at both ends, and lets the client read what a server says last (T7).
  std::pair<error_code, error_code> shake_hands(pair& both, end signs, driver by) {
    std::optional<error_code> client;
    std::optional<error_code> server;
    bool const is_server = signs == end::server;
    start(both.server, by, is_server, server);
    start(both.client, by, !is_server, client);
    run_until([&] { return client && server; });
    if (!*client && *server) client = first_read(both.client);
    if (!*client && !*server && !is_server) {
      asio::co_spawn(context, both.server.async_write(asio::buffer("x", 1)), asio::detached);
      client = first_read(both.client);
    }
    return {*client, *server};
  }

  template <class Done>
  void run_until(Done const& done) {
    auto const until = clock::now() + 20s;
    context.restart();
    while (!done() && clock::now() < until) context.run_one_until(until);
    BOOST_REQUIRE(done());
  }

  void settle() {
    context.restart();
    context.poll();
  }

 private:
  void start(local_stream& of, driver by, bool is_cancelled, std::optional<error_code>& ended) {
    auto const slot = is_cancelled ? cancel.slot() : asio::cancellation_slot();
    auto const done = [&ended](error_code code) { ended = code; };
    if (by == driver::composed) {
      return of.async_handshake(asio::bind_cancellation_slot(slot, done));
    }
    asio::co_spawn(context, of.async_handshake(as_result),
                   asio::bind_cancellation_slot(
                       slot, [done](std::exception_ptr thrown, std::tuple<error_code> got) {
                         if (thrown) std::rethrow_exception(thrown);
                         done(std::get<0>(got));
                       }));
  }

  error_code first_read(local_stream& from) {
    std::optional<error_code> code;
    std::array<char, 1> byte;
    from.async_read_some(asio::buffer(byte), [&](error_code got, std::size_t) { code = got; });
    run_until([&] { return code.has_value(); });
    return *code;
  }
};

bool says(error const& thrown, std::string_view text) {
  return std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

local_stream& signing_end(pair& of, end which) {
  return which == end::server ? of.server : of.client;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signers_that_wait, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_handshake_goes_on_with_the_signature,
                       data::make({0, 1, 3}) * versions * ends * drivers, pauses, version, signs,
                       by) {
  contexts const of(signs, waiting(answer::signs, pauses, counted), version);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST(!client, both.client.last_error().what());
  BOOST_TEST(!server, both.server.last_error().what());
  BOOST_TEST(both.server.peer().verified());
  BOOST_TEST(counted.asked == 1);
  BOOST_TEST(counted.alive == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, a_failing_signer_ends_it_with_an_alert_and_its_reason,
                       data::make({0, 3}) * versions * ends * drivers, pauses, version, signs,
                       by) {
  contexts const of(signs, waiting(answer::throws, pauses, counted), version);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST((signs == end::server ? server : client) == errc::signer_failed);
  BOOST_TEST((signs == end::server ? client : server) == alert::internal_error);
  error const why = signing_end(both, signs).last_error();
  BOOST_TEST(says(why, "the device is gone"), why.what());
}

BOOST_DATA_TEST_CASE_F(fixture, a_wrong_signature_is_refused_by_the_peer,
                       versions * ends * drivers, version, signs, by) {
  contexts const of(signs, waiting(answer::signs_wrongly, 1, counted), version);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST(client.failed());
  BOOST_TEST(server.failed());
}

BOOST_DATA_TEST_CASE_F(fixture, a_signer_that_never_answers_ends_at_the_deadline,
                       data::make({answer::never, answer::never_and_heeds_nothing}) * versions *
                           ends * drivers,
                       how, version, signs, by) {
  contexts const of(signs, waiting(how, 1, counted), version);
  {
    pair both(context.get_executor(), of);
    signing_end(both, signs).set_handshake_timeout(50ms);
    auto const [client, server] = shake_hands(both, signs, by);
    BOOST_TEST((signs == end::server ? server : client) == errc::handshake_timeout);
    BOOST_TEST((signs == end::server ? client : server) == alert::internal_error);
    error_code again;
    signing_end(both, signs).async_handshake([&](error_code code) { again = code; });
    settle();
    BOOST_TEST(again == errc::handshake_timeout);
  }
  settle();
  BOOST_TEST(counted.asked == 1);
  BOOST_TEST(counted.alive == (how == answer::never ? 0 : 1));   // its own affair
}

BOOST_DATA_TEST_CASE_F(fixture, a_cancelled_handshake_ends_its_signer_and_cannot_be_gone_on_with,
                       versions * ends, version, signs) {
  contexts const of(signs, waiting(answer::never, 1, counted), version);
  pair both(context.get_executor(), of);
  std::optional<error_code> first;
  signing_end(both, signs)
      .async_handshake(asio::bind_cancellation_slot(cancel.slot(),
                                                    [&](error_code code) { first = code; }));
  std::optional<error_code> other;
  signing_end(both, signs == end::server ? end::client : end::server)
      .async_handshake([&](error_code code) { other = code; });
  run_until([&] { return counted.alive == 1; });
  cancel.emit(asio::cancellation_type::total);
  run_until([&] { return first.has_value(); });
  BOOST_TEST(*first == asio::error::operation_aborted);
  settle();
  BOOST_TEST(counted.alive == 0);
  std::optional<error_code> second;
  signing_end(both, signs).async_handshake([&](error_code code) { second = code; });
  run_until([&] { return second && other; });
  BOOST_TEST((*second == errc::answer_abandoned));
  BOOST_TEST((*other == alert::internal_error));
  BOOST_TEST(counted.asked == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_stream_that_is_dropped_meanwhile_ends_its_signer_once,
                       versions * ends, version, signs) {
  contexts const of(signs, waiting(answer::never, 1, counted), version);
  std::optional<error_code> ended;
  std::optional<error_code> others;
  {
    std::optional<pair> both(std::in_place, context.get_executor(), of);
    signing_end(*both, signs).async_handshake([&](error_code code) { ended = code; });
    signing_end(*both, signs == end::server ? end::client : end::server)
        .async_handshake([&](error_code code) { others = code; });
    run_until([&] { return counted.alive == 1; });
    both.reset();
    run_until([&] { return ended && others; });
  }
  BOOST_TEST(*ended == asio::error::operation_aborted);
  settle();
  BOOST_TEST(counted.alive == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, a_read_or_a_write_waits_for_the_signature_too,
                       versions * ends, version, signs) {
  contexts const of(signs, waiting(answer::signs, 1, counted), version);
  pair both(context.get_executor(), of);
  std::optional<error_code> written;
  std::optional<error_code> got;
  std::string text(5, '\0');
  asio::async_write(both.client, asio::buffer("hello", 5),
                    [&](error_code code, std::size_t) { written = code; });
  asio::async_read(both.server, asio::buffer(text),
                   [&](error_code code, std::size_t) { got = code; });
  run_until([&] { return written && got; });
  BOOST_TEST(!*written);
  BOOST_TEST(!*got);
  BOOST_TEST(text == "hello");
  BOOST_TEST(counted.asked == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_reader_and_a_writer_at_once_come_to_one_handshake, versions * ends,
                       version, signs) {
  contexts const of(signs, waiting(answer::signs, 3, counted), version);
  pair both(context.get_executor(), of);
  int done = 0;
  std::array<std::string, 2> texts{std::string(5, '\0'), std::string(5, '\0')};
  auto const one_more = [&](error_code code, std::size_t) {
    BOOST_TEST(!code);
    ++done;
  };
  asio::async_read(both.client, asio::buffer(texts[0]), one_more);
  asio::async_write(both.client, asio::buffer("hello", 5), one_more);
  asio::async_read(both.server, asio::buffer(texts[1]), one_more);
  asio::async_write(both.server, asio::buffer("world", 5), one_more);
  run_until([&] { return done == 4; });
  BOOST_TEST(texts[0] == "world");
  BOOST_TEST(texts[1] == "hello");
}

BOOST_DATA_TEST_CASE_F(fixture, blocking_calls_wait_on_their_own_thread, versions, version) {
  contexts const of(end::server, waiting(answer::signs, 3, counted), version);
  blocking::listener server(any_port(), of.server,
                            blocking::listen_options().accept_timeout(20s));
  auto serving = serve(server, [](blocking::stream& peer) { peer.write(asio::buffer("x", 1)); });
  blocking::stream client = blocking::connect("localhost", server.port(), of.client);
  std::array<char, 1> byte;
  BOOST_TEST(client.read_some(asio::buffer(byte)) == 1u);
  serving.get();
  BOOST_TEST(counted.asked == 1);

  tally clients;
  contexts const back(end::client, waiting(answer::signs, 3, clients), version);
  blocking::listener other(any_port(), back.server,
                           blocking::listen_options().accept_timeout(20s));
  auto also = serve(other, [](blocking::stream& peer) { peer.write(asio::buffer("x", 1)); });
  blocking::stream signing = blocking::connect("localhost", other.port(), back.client);
  BOOST_TEST(signing.read_some(asio::buffer(byte)) == 1u);
  also.get();
  BOOST_TEST(clients.asked == 1);
}

BOOST_AUTO_TEST_CASE(a_blocking_handshake_ends_at_its_deadline) {
  contexts const of(end::client, waiting(answer::never, 1, counted), protocol::tls1_3);
  blocking::listener server(any_port(), of.server,
                            blocking::listen_options().accept_timeout(20s));
  auto serving = std::async(std::launch::async, [&] {
    error_code code;
    server.accept(code);
  });
  BOOST_CHECK_EXCEPTION(blocking::connect("localhost", server.port(), of.client,
                                          connect_options().handshake_timeout(50ms)),
                        error, with_code(errc::handshake_timeout));
  server.close();
  serving.wait();
  BOOST_TEST(counted.alive == 0);
}

BOOST_AUTO_TEST_CASE(a_listener_serves_others_meanwhile_and_its_observer_hears_of_failures) {
  std::atomic<int> calls{0};
  contexts const of(
      end::server,
      [&](signature_request const& request) {
        bool const first = calls++ == 0;
        return answered(request, first ? answer::never : answer::signs, 1, counted);
      },
      protocol::tls1_3);
  std::vector<error> failures;
  listener server(context.get_executor(), any_port(), of.server,
                  listener_options()
                      .handshake_timeout(300ms)
                      .observer([&](accept_failure const& failure) {
                        failures.push_back(failure.reason());
                      }));
  int accepted = 0;
  int connected = 0;
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    async_connect(context.get_executor(), "localhost", server.port(), of.client,
                  connect_options(), [&](error_code code, tcp_stream) {
                    code ? ++refused : ++connected;
                  });
  }
  for (int i = 0; i < 2; ++i) {
    server.async_accept([&](error_code code, tcp_stream) { accepted += code ? 0 : 1; });
  }
  run_until([&] { return accepted == 2 && connected == 2; });
  BOOST_TEST(failures.empty());
  run_until([&] { return !failures.empty() && refused == 1; });
  BOOST_TEST((failures.front().code() == errc::handshake_timeout));
  server.close();
}

BOOST_AUTO_TEST_CASE(many_handshakes_wait_side_by_side) {
  contexts const of(
      end::server,
      [&](signature_request const& request) -> asio::awaitable<signer::signature> {
        living const here(counted);
        asio::steady_timer takes_long(co_await asio::this_coro::executor, 200ms);
        co_await takes_long.async_wait(asio::use_awaitable);
        co_return sign_with(far_key().key(), request, true);
      },
      protocol::tls1_3);
  auto const time_for = [&](int count) {
    std::vector<std::unique_ptr<pair>> all;
    int done = 0;
    int most = 0;
    for (int i = 0; i < count; ++i) {
      all.push_back(std::make_unique<pair>(context.get_executor(), of));
      for (local_stream* each : {&all.back()->client, &all.back()->server}) {
        each->async_handshake([&](error_code code) {
          BOOST_TEST(!code);
          ++done;
        });
      }
    }
    auto const begin = clock::now();
    run_until([&] {
      most = std::max(most, counted.alive.load());
      return done == 2 * count;
    });
    BOOST_TEST(most == count);
    return clock::now() - begin;
  };
  auto const alone = time_for(1);
  BOOST_TEST((time_for(64) < 16 * alone));
}

BOOST_AUTO_TEST_CASE(handshakes_go_on_in_whichever_thread_has_the_answer) {
  asio::thread_pool pool(4);
  contexts const of(
      end::server,
      [&](signature_request const& request) -> asio::awaitable<signer::signature> {
        for (int i = 0; i < 3; ++i) {
          co_await asio::post(pool, asio::bind_executor(pool, asio::use_awaitable));
        }
        co_return sign_with(far_key().key(), request, true);
      },
      protocol::secure);
  std::atomic<int> well{0};
  std::atomic<int> ended{0};
  std::promise<void> all_ended;
  {
    std::vector<std::unique_ptr<pair>> all;
    for (int i = 0; i < 40; ++i) {
      all.push_back(std::make_unique<pair>(pool.get_executor(), of));
      for (local_stream* each : {&all.back()->client, &all.back()->server}) {
        each->async_handshake([&](error_code code) {
          if (!code) ++well;
          if (++ended == 80) all_ended.set_value();
        });
      }
    }
    BOOST_REQUIRE((all_ended.get_future().wait_for(20s) == std::future_status::ready));
    pool.join();
  }
  BOOST_TEST(well == 80);
}

BOOST_AUTO_TEST_CASE(a_thousand_abandoned_ones_leave_nothing_behind) {
  contexts const of(end::server, waiting(answer::never, 1, counted), protocol::tls1_3);
  auto const abandon = [&](int times) {
    for (int i = 0; i < times; ++i) {
      pair both(context.get_executor(), of);
      std::optional<error_code> ended;
      both.server.async_handshake(
          asio::bind_cancellation_slot(cancel.slot(), [&](error_code code) { ended = code; }));
      both.client.async_handshake([](error_code) {});
      run_until([&] { return counted.alive == 1; });
      if (i % 2 == 0) {
        cancel.emit(asio::cancellation_type::terminal);
        run_until([&] { return ended.has_value(); });
      }
    }
    settle();
    BOOST_TEST(counted.alive == 0);
  };
  abandon(50);
  std::size_t const before = ::mallinfo2().uordblks;
  abandon(1000);
  std::size_t const after = ::mallinfo2().uordblks;
  if (!sanitized) BOOST_TEST(after < before + 20'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::signer_test
