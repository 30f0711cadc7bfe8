// Streams that are dropped with operations pending: at every moment of every operation, from
// outside and from inside a completion, by destruction and by move assignment.

#include "memory_stream.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

namespace cotls::test::abandon_test {

using namespace asio::experimental::awaitable_operators;

namespace {

enum class work { handshake, read, write, close_write, shutdown };
enum class style { awaitable, callback };

std::ostream& operator<<(std::ostream& out, work value) {
  constexpr std::array names{"handshake", "read", "write", "close_write", "shutdown"};
  return out << names[static_cast<std::size_t>(value)];
}
std::ostream& operator<<(std::ostream& out, style value) {
  return out << (value == style::awaitable ? "awaitable" : "callback");
}

auto const all_work = boost::unit_test::data::make(
    {work::handshake, work::read, work::write, work::close_write, work::shutdown});
auto const styles = boost::unit_test::data::make({style::awaitable, style::callback});

std::string const& text() {
  static std::string const made = pattern(300'000);
  return made;
}

// A connection of whose client one operation is in progress, its peer doing what it takes.
template <class Next>
class scene {
 public:
  scene(Next near, Next far)
      : client(std::move(near), localhost_client(), client_options().host("localhost")),
        server_(std::move(far), localhost_server()) {}

  stream<Next> client;
  int completions = 0;
  error_code code;

  // Starts the operation; before it, everything runs that it needs.
  void start(asio::io_context& context, work what, style how) {
    if (what == work::handshake) {
      server_.async_handshake([](error_code) {});
    } else {
      run(context, shake_hands());
      start_peer(what);
    }
    if (how == style::awaitable) {
      asio::co_spawn(context, perform(what), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
    } else {
      start_callback(what);
    }
  }

  void drop_peer() { server_ = stream<Next>(); }

 private:
  asio::awaitable<void> shake_hands() {
    co_await (client.async_handshake(asio::use_awaitable) &&
              server_.async_handshake(asio::use_awaitable));
  }

  void start_peer(work what) {
    auto ignored = [](error_code, std::size_t) {};
    if (what == work::read) server_.async_write(asio::buffer(text()), ignored);
    if (what == work::write) asio::async_read(server_, asio::buffer(server_room_), ignored);
    if (what == work::shutdown) server_.async_shutdown([](error_code) {});
  }

  void note(error_code said) {
    code = said;
    ++completions;
  }

  asio::awaitable<void> perform(work what) {
    error_code said;
    std::size_t count = 0;
    switch (what) {
      case work::handshake: std::tie(said) = co_await client.async_handshake(as_result); break;
      case work::read:
        while (count < room_.size() && !said) {
          auto const rest = asio::buffer(room_) + count;
          auto const [ended, more] = co_await client.async_read_some(rest, as_result);
          said = ended;
          count += more;
        }
        break;
      case work::write:
        std::tie(said, count) = co_await client.async_write(asio::buffer(text()), as_result);
        break;
      case work::close_write: std::tie(said) = co_await client.async_close_write(as_result); break;
      case work::shutdown: std::tie(said) = co_await client.async_shutdown(as_result); break;
    }
    note(said);
  }

  void start_callback(work what) {
    auto simple = [this](error_code said) { note(said); };
    auto counting = [this](error_code said, std::size_t) { note(said); };
    switch (what) {
      case work::handshake: return client.async_handshake(simple);
      case work::read: return read_all(0);
      case work::write: return client.async_write(asio::buffer(text()), counting);
      case work::close_write: return client.async_close_write(simple);
      case work::shutdown: return client.async_shutdown(simple);
    }
  }

  // Asio's own `async_read` would go on with a stream that is gone.
  void read_all(std::size_t have) {
    client.async_read_some(asio::buffer(room_) + have, [this, have](error_code said,
                                                                    std::size_t count) {
      bool const more = !said && have + count < room_.size();
      more ? read_all(have + count) : note(said);
    });
  }

  stream<Next> server_;
  std::string room_ = std::string(text().size(), '\0');
  std::string server_room_ = std::string(text().size(), '\0');
};

// Drops the client after so many steps of the context. True when the operation was still pending.
template <class Next>
bool drop_after(std::size_t steps, asio::io_context& context, scene<Next>& on, work what,
                style how) {
  on.start(context, what, how);
  context.restart();
  for (std::size_t i = 0; i < steps && on.completions == 0; ++i) context.run_one_for(5s);
  bool const pending = on.completions == 0;
  on.client = stream<Next>();
  context.restart();
  context.poll();   // it ends by what is ours alone, whatever the peer does
  BOOST_TEST(on.completions == 1);
  if (pending) BOOST_TEST((!on.code || on.code == asio::error::operation_aborted ||
                           on.code == errc::not_connected));
  if (!pending) BOOST_TEST(!on.code);
  on.drop_peer();
  run_for(context);
  BOOST_TEST(on.completions == 1);
  return pending;
}

scene<tcp::socket> over_sockets(asio::io_context& context) {
  tcp::acceptor acceptor(context, any_port());
  tcp::socket near(context);
  near.connect(acceptor.local_endpoint());
  return {std::move(near), acceptor.accept()};
}

scene<memory_stream> over_memory(asio::io_context& context) {
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  for (memory_stream* each : {&left, &right}) {
    each->set_limit(20'000);
    each->set_capacity(50'000);
  }
  return {std::move(left), std::move(right)};
}

struct two_connections : connected {
  tcp_pair other{context};
  std::string const much = pattern(8'000'000);
  char one = 0;
  std::optional<error_code> read;
  std::optional<error_code> written;

  void start_both() {
    client.async_read_some(asio::buffer(&one, 1),
                           [this](error_code code, std::size_t) { read = code; });
    client.async_write(asio::buffer(much),
                       [this](error_code code, std::size_t) { written = code; });
    settle();
    BOOST_TEST(!read);
    BOOST_TEST(!written);
  }

  void settle() {
    context.restart();
    context.poll();
  }

  bool both_aborted() const {
    error_code const aborted = asio::error::operation_aborted;
    return read == aborted && written == aborted;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(dropped_at_any_moment)

BOOST_DATA_TEST_CASE(every_operation_over_a_socket_ends_once, all_work* styles, what, how) {
  bool pending = true;
  for (std::size_t steps = 0; pending; ++steps) {
    BOOST_TEST_CONTEXT("dropped after " << steps << " steps") {
      asio::io_context context;
      auto on = over_sockets(context);
      pending = drop_after(steps, context, on, what, how);
    }
  }
}

BOOST_DATA_TEST_CASE(every_operation_over_another_transport_ends_once, all_work* styles, what,
                     how) {
  bool pending = true;
  for (std::size_t steps = 0; pending; ++steps) {
    BOOST_TEST_CONTEXT("dropped after " << steps << " steps") {
      asio::io_context context;
      auto on = over_memory(context);
      pending = drop_after(steps, context, on, what, how);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(dropped, two_connections)

BOOST_AUTO_TEST_CASE(with_a_read_and_a_write_pending_both_end) {
  start_both();
  client = tcp_stream();
  settle();
  BOOST_TEST(both_aborted());
}

BOOST_AUTO_TEST_CASE(by_move_assignment_both_end_and_the_new_stream_works) {
  start_both();
  client = std::move(other.client);
  settle();
  BOOST_TEST(both_aborted());
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("x", 1));
    BOOST_TEST(co_await other.server.async_read_some(asio::buffer(&one, 1)) == 1u);
    BOOST_TEST(one == 'x');
  }());
}

BOOST_AUTO_TEST_CASE(by_move_assignment_to_itself_nothing_ends) {
  start_both();
  tcp_stream& itself = client;
  client = std::move(itself);
  settle();
  BOOST_TEST(!read);
  BOOST_TEST(!written);
}

BOOST_AUTO_TEST_CASE(inside_the_completion_of_its_own_operation) {
  std::optional<error_code> ended;
  auto owned = std::make_unique<tcp_stream>(std::move(client));
  tcp_stream& used = *owned;
  used.async_read_some(asio::buffer(&one, 1),
                       [&, kept = std::move(owned)](error_code code, std::size_t) mutable {
                         kept.reset();
                         ended = code;
                       });
  run(context, [&]() -> asio::awaitable<void> {
    co_await server.async_write(asio::buffer("x", 1));
    auto const [end, nothing] = co_await read_to_end(server);
    BOOST_TEST(end == errc::stream_truncated);
  }());
  BOOST_TEST((ended == error_code()));
}

BOOST_AUTO_TEST_CASE(inside_the_completion_of_one_operation_the_other_ends) {
  client.async_write(asio::buffer(much), [this](error_code code, std::size_t) { written = code; });
  client.async_read_some(asio::buffer(&one, 1), [this](error_code code, std::size_t) {
    read = code;
    client = tcp_stream();
  });
  run(context, [&]() -> asio::awaitable<void> {
    co_await server.async_write(asio::buffer("x", 1));
  }());
  BOOST_TEST((read == error_code()));
  BOOST_TEST((written == error_code(asio::error::operation_aborted)));
}

BOOST_AUTO_TEST_CASE(by_another_coroutine) {
  run(context, [&]() -> asio::awaitable<void> {
    auto reading = [&]() -> asio::awaitable<void> {
      auto const [code, count] = co_await client.async_read_some(asio::buffer(&one, 1), as_result);
      read = code;
    };
    auto writing = [&]() -> asio::awaitable<void> {
      auto const [code, count] = co_await client.async_write(asio::buffer(much), as_result);
      written = code;
    };
    auto dropping = [&]() -> asio::awaitable<void> {
      co_await asio::post(asio::use_awaitable);
      client = tcp_stream();
    };
    co_await (reading() && writing() && dropping());
  }());
  BOOST_TEST(both_aborted());
}

BOOST_AUTO_TEST_CASE(while_both_directions_are_ready_to_go_on) {
  start_both();
  run(context, [&]() -> asio::awaitable<void> {
    co_await server.async_write(asio::buffer("x", 1));
    // Comes before the ends of both waits, which the same look at the sockets will find.
    asio::post(context, [&] { client = tcp_stream(); });
  }());
  BOOST_TEST(both_aborted());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::abandon_test
