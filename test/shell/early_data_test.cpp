// Early data over sockets: from a connect, to a listener that hands connections out for it, awaited and
// on the calling thread.

#include "blocking.hpp"
#include "key_elsewhere.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>
#include <cotls/engine.hpp>
#include <cotls/incoming.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <future>
#include <string>
#include <thread>

namespace cotls::test::early_data_test {

namespace {

using namespace asio::experimental::awaitable_operators;

std::string const request = "GET /";

connect_options early(std::string const& text = request,
                      unaccepted otherwise = unaccepted::send_late) {
  return connect_options().early_data(asio::buffer(text), otherwise);
}

// What a server has heard of one client, and when.
struct heard {
  std::string early;
  std::string late;
  error_code end;   // of the early data
};

asio::awaitable<std::string> read_early(tcp_stream& from, error_code& end) {
  std::string all;
  for (;;) {
    std::array<char, 4096> piece;
    auto const [code, size] = co_await from.async_read_early(asio::buffer(piece), as_result);
    all.append(piece.data(), size);
    end = code;
    if (code) co_return all;
  }
}

// Hears what a client says early and behind the handshake, a line at the most, and tells it.
asio::awaitable<heard> serve(tcp_stream stream) {
  heard all;
  all.early = co_await read_early(stream, all.end);
  if (all.end != asio::error::eof) co_return all;
  co_await stream.async_handshake();
  std::array<char, 1 << 16> piece;
  if (all.early.empty()) {
    std::size_t const size = co_await stream.async_read_some(asio::buffer(piece));
    all.late.assign(piece.data(), size);
  }
  co_await stream.async_write(asio::buffer("done", 4));
  co_await stream.async_shutdown(as_result);
  co_return all;
}

struct fixture {
  asio::io_context context;
  server_context serving = localhost_server().set_early_data();
  client_context client = localhost_client();
  listener_options options =
      listener_options().stream_executor(context.get_executor()).early_data(true);
  std::optional<listener> accepts;

  listener& here() {
    if (!accepts) accepts.emplace(context.get_executor(), any_port(), serving, options);
    return *accepts;
  }

  // Runs a test, and the listener no longer than that.
  template <class Body>
  void check(Body body) {
    run(context, [&]() -> asio::awaitable<void> {
      co_await body();
      if (accepts) accepts->close();
    }());
  }

  // One client's visit, whose connection has ended well.
  asio::awaitable<connection_info> connect(connect_options with) {
    tcp_stream made = co_await async_connect("127.0.0.1", here().port(), client, with);
    connection_info const known = made.info();
    if (known.early_data == early_data::none) co_await made.async_write(asio::buffer("late", 4));
    std::string const answer = co_await receive(made, 4);
    BOOST_TEST(answer == "done");
    co_await made.async_shutdown(as_result);
    co_return known;
  }

  asio::awaitable<heard> accept() {
    tcp_stream made = co_await here().async_accept();
    auto serving_it = serve(std::move(made));
    co_return co_await std::move(serving_it);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(early_data_, fixture)

BOOST_AUTO_TEST_CASE(the_second_connection_says_it_with_its_hello) {
  check([&]() -> asio::awaitable<void> {
    auto const [heard_first, first] = co_await (accept() && connect(early()));
    BOOST_TEST(heard_first.early == "");
    BOOST_TEST(heard_first.late == request);
    BOOST_TEST((first.early_data == early_data::sent_late));
    auto const [heard_next, next] = co_await (accept() && connect(early()));
    BOOST_TEST(heard_next.early == request);
    BOOST_TEST((next.early_data == early_data::accepted));
    BOOST_TEST(next.resumed);
  });
}

// The client has heard the answer before it has said the last word of its handshake: what it has
// written is with the server a round trip earlier than its Finished.
BOOST_AUTO_TEST_CASE(it_is_answered_before_the_handshake_is_done) {
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early()));
    auto at_server = [&]() -> asio::awaitable<void> {
      tcp_stream made = co_await here().async_accept();
      std::array<char, 64> piece;
      std::size_t const size = co_await made.async_read_early(asio::buffer(piece));
      BOOST_TEST(std::string(piece.data(), size) == request);
      BOOST_TEST(SSL_is_init_finished(made.native_handle()) == 0);
      co_await made.async_write_early(asio::buffer("done", 4));
      BOOST_TEST(SSL_is_init_finished(made.native_handle()) == 0);
      auto const [code, none] = co_await made.async_read_early(asio::buffer(piece), as_result);
      BOOST_TEST(code == asio::error::eof);
      co_await made.async_handshake();
      co_await made.async_shutdown(as_result);
    };
    co_await (at_server() && connect(early()));
  });
}

BOOST_AUTO_TEST_CASE(a_listener_that_was_not_told_hands_out_what_is_done) {
  options.early_data(false);
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early()));
    auto at_server = [&]() -> asio::awaitable<void> {
      tcp_stream made = co_await here().async_accept();
      BOOST_TEST(SSL_is_init_finished(made.native_handle()) == 1);
      auto serving_it = serve(std::move(made));
      heard const all = co_await std::move(serving_it);
      BOOST_TEST(all.early == "");
      BOOST_TEST(all.late == request);
    };
    auto const known = co_await (at_server() && connect(early()));
    BOOST_TEST((known.early_data == early_data::sent_late));
    BOOST_TEST(known.resumed);
  });
}

BOOST_AUTO_TEST_CASE(an_incoming_connection_has_it_too) {
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early()));
    auto at_server = [&]() -> asio::awaitable<void> {
      incoming one = co_await here().async_accept_incoming();
      client_hello const hello = co_await one.async_client_hello();
      BOOST_TEST(!hello.versions.empty());
      tcp_stream made = co_await one.async_handshake();
      auto serving_it = serve(std::move(made));
      heard const all = co_await std::move(serving_it);
      BOOST_TEST(all.early == request);
    };
    co_await (at_server() && connect(early()));
  });
}

// The listener waits for it, between the hello and the end of the handshake.
BOOST_AUTO_TEST_CASE(a_connection_is_handed_out_when_it_comes_later_than_the_hello) {
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early()));
    tcp::socket raw(context);
    co_await raw.async_connect({asio::ip::address_v4::loopback(), here().port()},
                               asio::use_awaitable);
    engine slow(client, client_options().host("127.0.0.1").port(here().port())
                            .early_data(asio::buffer(request)));
    slow.handshake();
    auto const words = slow.output();
    std::size_t const first = words.size() - 10;
    co_await asio::async_write(raw, asio::buffer(words, first), asio::use_awaitable);
    auto at_server = [&]() -> asio::awaitable<void> {
      tcp_stream made = co_await here().async_accept();
      std::array<char, 64> piece;
      auto const [reading, none] = co_await made.async_read_some(asio::buffer(piece), as_result);
      BOOST_TEST(reading == errc::unread_data);
      std::size_t const size = co_await made.async_read_early(asio::buffer(piece));
      BOOST_TEST(std::string(piece.data(), size) == request);
    };
    auto at_client = [&]() -> asio::awaitable<void> {
      std::array<char, 4096> flight;   // of the server, which has heard the hello
      co_await raw.async_read_some(asio::buffer(flight), asio::use_awaitable);
      co_await asio::async_write(raw, asio::buffer(words + first, 10), asio::use_awaitable);
    };
    co_await (at_server() && at_client());
  });
}

// What a client has begun with a hello and does not finish has an end.
BOOST_AUTO_TEST_CASE(a_client_that_says_no_more_is_cut_at_the_deadline) {
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early()));
    tcp::socket raw(context);
    co_await raw.async_connect({asio::ip::address_v4::loopback(), here().port()},
                               asio::use_awaitable);
    engine silent(client, client_options().host("127.0.0.1").port(here().port())
                              .early_data(asio::buffer(request)));
    silent.handshake();
    co_await asio::async_write(raw, silent.output(), asio::use_awaitable);
    tcp_stream made = co_await here().async_accept();
    made.set_handshake_timeout(50ms);
    error_code end;
    std::string const text = co_await read_early(made, end);
    BOOST_TEST(text == request);
    BOOST_TEST(end == errc::handshake_timeout);
    auto const [code] = co_await made.async_handshake(as_result);
    BOOST_TEST(code == errc::handshake_timeout);
  });
}

BOOST_AUTO_TEST_CASE(a_cancelled_read_has_taken_nothing) {
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early()));
    auto at_server = [&]() -> asio::awaitable<void> {
      tcp::acceptor plain(context, any_port());
      tcp::socket client_end(context);
      auto const port = plain.local_endpoint().port();
      co_await client_end.async_connect({asio::ip::address_v4::loopback(), port},
                                        asio::use_awaitable);
      tcp_stream made(co_await plain.async_accept(asio::use_awaitable), serving);
      std::array<char, 64> piece;
      asio::cancellation_signal stop;
      bool ended = false;
      made.async_read_early(asio::buffer(piece),
                            asio::bind_cancellation_slot(stop.slot(), [&](error_code code, auto) {
                              BOOST_TEST(code == asio::error::operation_aborted);
                              ended = true;
                            }));
      co_await asio::post(asio::use_awaitable);
      stop.emit(asio::cancellation_type::terminal);
      while (!ended) co_await asio::post(asio::use_awaitable);
      engine other(client, client_options().host("127.0.0.1").port(here().port())
                               .early_data(asio::buffer(request)));
      other.handshake();
      co_await asio::async_write(client_end, other.output(), asio::use_awaitable);
      std::size_t const size = co_await made.async_read_early(asio::buffer(piece));
      BOOST_TEST(std::string(piece.data(), size) == request);
    };
    co_await at_server();
  });
}

// The look for early data is what waits for the signature of a full handshake.
BOOST_AUTO_TEST_CASE(a_signer_is_waited_for) {
  key_elsewhere const far("P-256");
  int asked = 0;
  auto const sign = [&](signature_request const& wanted) -> asio::awaitable<signer::signature> {
    ++asked;
    for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
    co_return sign_with(far.key(), wanted, true);
  };
  serving = server_context().use(far.signed_by(sign)).set_early_data();
  client = client_context().add_root(far.leaf());
  check([&]() -> asio::awaitable<void> {
    for (bool const again : {false, true}) {
      auto const [heard_one, known] =
          co_await (accept() && connect(early().verify_host("localhost")));
      BOOST_TEST(heard_one.early == (again ? request : ""));
      BOOST_TEST(asked == 1);
    }
  });
}

BOOST_AUTO_TEST_CASE(much_of_it_comes_whole) {
  std::string const much = pattern(16'384);
  check([&]() -> asio::awaitable<void> {
    co_await (accept() && connect(early(much)));
    auto const [heard_next, next] = co_await (accept() && connect(early(much)));
    BOOST_TEST((heard_next.early == much));
    BOOST_TEST((next.early_data == early_data::accepted));
  });
}

BOOST_AUTO_TEST_CASE(on_the_calling_thread) {
  blocking::listener blocks(any_port(), serving, blocking::listen_options().early_data(true));
  for (bool const again : {false, true}) {
    auto said = std::async(std::launch::async, [&] {
      blocking::stream made = blocks.accept();
      std::array<char, 64> piece;
      error_code end;
      std::string all;
      for (;;) {
        std::size_t const size = made.read_early(asio::buffer(piece), end);
        all.append(piece.data(), size);
        if (size > 0) made.write_early(asio::buffer("early", 5));
        if (end) break;
      }
      BOOST_TEST(end == asio::error::eof);
      made.handshake();
      made.write(asio::buffer("done", 4));
      made.shutdown(end);
      return all;
    });
    blocking::stream made =
        blocking::connect("127.0.0.1", blocks.port(), client, early());
    std::string answer(again ? 9 : 4, ' ');
    made.read(asio::buffer(answer));
    error_code ignored;
    made.shutdown(ignored);
    BOOST_TEST(said.get() == (again ? request : ""));
    BOOST_TEST(answer == (again ? "earlydone" : "done"));
    BOOST_TEST((made.info().early_data ==
                (again ? early_data::accepted : early_data::sent_late)));
  }
}

BOOST_AUTO_TEST_CASE(too_much_of_it_is_refused_before_any_connection) {
  std::string const more = pattern(65'537);
  check([&]() -> asio::awaitable<void> {
    auto const [code, none] = co_await async_connect("127.0.0.1", 1, client, early(more), as_result);
    BOOST_TEST(code == errc::invalid_setting);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::early_data_test
