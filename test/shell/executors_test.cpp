// Where the steps of an operation run: on its handler's executor, whatever the transport's is; or
// in the strand of a handler to which only a hook leads.

#include "memory_stream.hpp"
#include "print.hpp"
#include "tls.hpp"
#include "watched.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context_strand.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/version.hpp>
#include <boost/test/unit_test.hpp>

#if BOOST_ASIO_VERSION >= 102700
#include <boost/asio/any_completion_handler.hpp>
#endif
#if BOOST_ASIO_VERSION >= 103100
#include <boost/asio/cancel_after.hpp>
#endif

#include <array>
#include <optional>

namespace cotls::test::executors_test {

namespace {

// A client over a transport that counts what is asked of it inside of a strand, and outside. It
// takes a hello at once but not much more, and little is on its way to the server.
template <class Strand>
class fixture {
  using link = watched<memory_stream>;

 public:
  asio::io_context context;
  Strand strand;
  int inside = 0;
  int outside = 0;
  std::optional<stream<link>> client;
  std::optional<stream<memory_stream>> server;

  explicit fixture(Strand (*make)(asio::io_context&)) : strand(make(context)) {
    auto ends = memory_stream::make_pair(context.get_executor());
    ends.first.set_limit(2000);
    ends.first.set_capacity(50'000);
    client.emplace(link(std::move(ends.first), [this] { note(); }), localhost_client(),
                   client_options().host("localhost"));
    server.emplace(std::move(ends.second), localhost_server());
  }

  // Asks in the strand, and runs until something is there.
  template <class Ask, class Value>
  void until(std::optional<Value> const& there, Ask ask) {
    asio::post(strand, ask);
    context.restart();
    while (!there && context.run_one_for(20s) > 0) {
    }
    BOOST_TEST_REQUIRE(there.has_value());
  }

  void settle() {
    context.restart();
    context.poll();
  }

 private:
  void note() { ++(strand.running_in_this_thread() ? inside : outside); }
};

// A handler that keeps the code.
auto into(std::optional<error_code>& ended) {
  return [&ended](error_code code, auto...) { ended = code; };
}

template <class Strand, class Bind>
void shake_hands(fixture<Strand>& pair, Bind bind) {
  std::optional<error_code> ended;
  std::optional<error_code> served;
  pair.server->async_handshake(into(served));
  pair.until(ended, [&] { pair.client->async_handshake(bind(into(ended))); });
  BOOST_TEST(!*ended);
  pair.until(served, [] {});
}

template <class Strand, class Bind>
void send_and_receive(fixture<Strand>& pair, Bind bind) {
  std::string const text = pattern(200'000);
  std::string received(text.size(), '\0');
  std::optional<error_code> sent;
  std::optional<error_code> read;
  char one = 0;
  asio::async_read(*pair.server, asio::buffer(received), [&](error_code code, std::size_t) {
    BOOST_TEST(!code);
    pair.server->async_write(asio::buffer("x", 1), [](error_code, std::size_t) {});
  });
  pair.until(sent, [&] {
    pair.client->async_read_some(asio::buffer(&one, 1), bind(into(read)));
    pair.client->async_write(asio::buffer(text), bind(into(sent)));
  });
  pair.until(read, [] {});
  BOOST_TEST(!*sent);
  BOOST_TEST(!*read);
  BOOST_TEST((received == text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(executors)

BOOST_AUTO_TEST_CASE(the_transport_is_called_in_the_strand_of_the_operation) {
  using strand_type = asio::strand<asio::io_context::executor_type>;
  fixture<strand_type> pair(+[](asio::io_context& context) { return asio::make_strand(context); });
  auto const bind = [&](auto handler) {
    return asio::bind_executor(pair.strand, std::move(handler));
  };
  shake_hands(pair, bind);
  send_and_receive(pair, bind);
  BOOST_TEST(pair.inside > 0);
  BOOST_TEST(pair.outside == 0);
}

BOOST_AUTO_TEST_CASE(what_leaves_beside_a_read_is_sent_in_its_strand) {
  using strand_type = asio::strand<asio::io_context::executor_type>;
  fixture<strand_type> pair(+[](asio::io_context& context) { return asio::make_strand(context); });
  auto const bind = [&](auto handler) {
    return asio::bind_executor(pair.strand, std::move(handler));
  };
  shake_hands(pair, bind);

  std::string const text = pattern(200'000);
  std::optional<error_code> cut;
  std::size_t taken = 0;
  asio::post(pair.strand, [&] {
    pair.client->async_write(asio::buffer(text), bind([&](error_code code, std::size_t count) {
                              cut = code;
                              taken = count;
                            }));
  });
  pair.settle();
  BOOST_TEST_REQUIRE(!cut.has_value());
  pair.until(cut, [&] { pair.client->cancel(); });
  BOOST_TEST_REQUIRE(detail::access::core(*pair.client)->engine().unsent() > 0u);

  char one = 0;
  std::optional<error_code> read;
  asio::post(pair.strand, [&] {
    pair.client->async_read_some(asio::buffer(&one, 1), bind(into(read)));
  });
  pair.settle();
  int const before = pair.inside;
  std::string received(taken, '\0');
  std::optional<error_code> arrived;
  asio::async_read(*pair.server, asio::buffer(received), into(arrived));
  pair.until(arrived, [] {});
  BOOST_TEST(!read.has_value());
  BOOST_TEST(pair.inside > before + 4);   // the rest has left, in several writes
  BOOST_TEST(pair.outside == 0);
  pair.server->async_write(asio::buffer("x", 1), [](error_code, std::size_t) {});
  pair.until(read, [] {});
  BOOST_TEST(!*read);
}

#ifdef COTLS_ASIO_HAS_INVOKE_HOOK
BOOST_AUTO_TEST_CASE(the_transport_is_called_in_the_strand_that_wrapped_the_handler) {
  fixture<asio::io_context::strand> pair(
      +[](asio::io_context& context) { return asio::io_context::strand(context); });
  auto const wrap = [&](auto handler) { return pair.strand.wrap(std::move(handler)); };
  shake_hands(pair, wrap);
  send_and_receive(pair, wrap);
  BOOST_TEST(pair.inside > 0);
  BOOST_TEST(pair.outside == 0);
}
#endif

#if BOOST_ASIO_VERSION >= 102700
// Its executor can be dispatched to, and nothing else.
BOOST_FIXTURE_TEST_CASE(a_handler_of_any_type_is_called, connected) {
  using any_handler = asio::any_completion_handler<void(error_code, std::size_t)>;
  std::optional<error_code> read;
  std::array<char, 4> text{};
  server.async_read_some(asio::buffer(text), any_handler(into(read)));
  client.async_write(asio::buffer("abcd", 4), any_handler([](error_code, std::size_t) {}));
  run_for(context);
  BOOST_TEST((read == error_code()));
  std::optional<error_code> empty;
  tcp_stream().async_read_some(asio::buffer(text), any_handler(into(empty)));
  BOOST_TEST((empty == error_code(errc::not_connected)));
  std::optional<error_code> closed;
  listener accepts(context.get_executor(), any_port(), localhost_server());
  accepts.async_accept(asio::any_completion_handler<void(error_code, tcp_stream)>(into(closed)));
  accepts.close();
  run_for(context);
  BOOST_TEST((closed == error_code(asio::error::operation_aborted)));
}
#endif

#if BOOST_ASIO_VERSION >= 103100
BOOST_FIXTURE_TEST_CASE(a_token_of_asios_ends_what_takes_too_long, connected) {
  std::array<char, 4> text{};
  std::optional<error_code> read;
  std::optional<error_code> shut;
  server.async_read_some(asio::buffer(text), asio::cancel_after(1ms, into(read)));
  run_for(context);
  BOOST_TEST((read == error_code(asio::error::operation_aborted)));
  server.async_shutdown(asio::cancel_after(1ms, into(shut)));
  run_for(context);
  BOOST_TEST((shut == error_code(asio::error::operation_aborted)));
  std::optional<error_code> accepted;
  std::optional<error_code> found;
  listener accepts(context.get_executor(), any_port(), localhost_server());
  accepts.async_accept(asio::cancel_after(1ms, into(accepted)));
  async_connect(context.get_executor(), "127.0.0.1", accepts.port(), localhost_client(),
                connect_options(), asio::cancel_after(20s, into(found)));
  run_for(context);
  BOOST_TEST((accepted == error_code(asio::error::operation_aborted)));
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::executors_test
