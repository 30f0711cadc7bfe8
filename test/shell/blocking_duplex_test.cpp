// One blocking stream in several threads: a reader and a writer who both need what the peer says,
// and calls that wait while another thread asks, or closes the stream.

#include "blocking.hpp"
#include "print.hpp"

#include <cotls/engine.hpp>

#include <cotls/detail/support/access.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <string>
#include <string_view>
#include <thread>

namespace cotls::test::blocking_duplex_test {

namespace {

int pad_ticket(SSL* of, void*) {
  std::string const padding(1'500, 'a');
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(of), padding.data(), padding.size());
}

SSL_TICKET_RETURN look_at_ticket(SSL*, SSL_SESSION*, unsigned char const*, std::size_t,
                                 SSL_TICKET_STATUS, void*) {
  return SSL_TICKET_RETURN_IGNORE;
}

// A server whose tickets span several records, so that half of one can be sent.
server_context server_of_long_tickets() {
  server_context made = localhost_server();
  SSL_CTX_set_session_ticket_cb(made.native_handle(), pad_ticket, look_at_ticket, nullptr);
  SSL_CTX_set_max_send_fragment(made.native_handle(), 512);
  return made;
}

// A blocking client, and a server in the hands of the test.
class duplex {
 public:
  blocking::stream client;

  duplex() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    client = blocking::stream(ends[0], localhost_client(), client_options().host("localhost"));
    socket_ = detail::owned_descriptor(ends[1]);
    client.set_timeout(20s);
    auto connecting = std::async(std::launch::async, [&] { client.handshake(); });
    while (server_.handshake().want != want::nothing) {
      send(taken_output());
      receive();
    }
    send(taken_output());
    connecting.get();
  }

  std::string ticket() {
    SSL_new_session_ticket(server_.native_handle());
    server_.handshake();
    return taken_output();
  }

  std::string encrypted(std::string_view text) {
    server_.write(asio::buffer(text));
    return taken_output();
  }

  void send(std::string_view bytes) {
    BOOST_REQUIRE(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(bytes.size()));
  }

  void hang_up() { ::shutdown(socket_.get(), SHUT_WR); }

  std::string received_text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t got = 0; got < size;) {
      step const next = server_.read(asio::buffer(text.data() + got, size - got));
      BOOST_REQUIRE(!next.error);
      got += next.bytes;
      if (got < size) receive();
    }
    return text;
  }

  // What is gone from the socket is OpenSSL's: half a ticket, which keeps writers waiting.
  void take_half_a_ticket() {
    std::array<char, 10> room{};
    error_code timed_out;
    client.set_read_timeout(0s);
    while (received_by(client) > 0) client.read_some(asio::buffer(room), timed_out);
    BOOST_TEST(timed_out == asio::error::timed_out);
    client.set_read_timeout(20s);
  }

  auto reading() {
    auto begun = std::async(std::launch::async, [&] {
      std::string text(100, '\0');
      error_code code;
      text.resize(client.read_some(asio::buffer(text), code));
      return code ? code.message() : text;
    });
    wait_until(begun, [&] { return detail::access::core(client)->reading.busy; });
    return begun;
  }

  auto writing(std::string text) {
    auto begun = std::async(std::launch::async, [this, text = std::move(text)] {
      error_code code;
      client.write(asio::buffer(text), code);
      return code;
    });
    wait_until(begun, [&] { return detail::access::core(client)->writing.busy; });
    return begun;
  }

 private:
  // A busy direction whose mutex is free waits, unless its call is done.
  template <class Future, class Condition>
  void wait_until(Future& call, Condition condition) {
    auto const met = [&] {
      std::scoped_lock const lock(detail::access::core(client)->mutex);
      return condition() || call.wait_for(0s) == std::future_status::ready;
    };
    while (!met()) std::this_thread::yield();
  }

  std::string taken_output() {
    asio::const_buffer const output = server_.output();
    std::string bytes(static_cast<char const*>(output.data()), output.size());
    server_.consume_output(bytes.size());
    return bytes;
  }

  void receive() {
    std::string bytes(64 * 1024, '\0');
    ssize_t const got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    BOOST_REQUIRE(got > 0);
    server_.input(asio::buffer(bytes.data(), static_cast<std::size_t>(got)));
  }

  engine server_{server_of_long_tickets()};
  detail::owned_descriptor socket_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_duplex, duplex)

BOOST_AUTO_TEST_CASE(a_writer_goes_on_when_the_reader_has_taken_what_it_waits_for) {
  for (int round = 0; round < 50; ++round) {
    std::string const all = ticket();
    auto text = reading();
    send(all.substr(0, 600));
    while (received_by(client) > 0) std::this_thread::yield();
    auto written = writing("x");
    send(all.substr(600));
    BOOST_TEST(written.get() == error_code());
    BOOST_TEST(received_text(1) == "x");
    send(encrypted("y"));
    BOOST_TEST(text.get() == "y");
  }
}

BOOST_AUTO_TEST_CASE(a_reader_misses_nothing_beside_a_writer_that_was_there_first) {
  for (int round = 0; round < 50; ++round) {
    std::string const all = ticket();
    send(all.substr(0, 600));
    take_half_a_ticket();
    auto written = writing("x");
    auto text = reading();
    send(all.substr(600) + encrypted("y"));   // in one piece, which either of them could take
    BOOST_TEST(text.get() == "y");
    BOOST_TEST(written.get() == error_code());
    BOOST_TEST(received_text(1) == "x");
  }
}

BOOST_AUTO_TEST_CASE(a_writer_alone_reads_for_itself) {
  std::string const all = ticket();
  send(all.substr(0, 600));
  take_half_a_ticket();
  auto written = writing("x");
  send(all.substr(600) + encrypted("y"));
  BOOST_TEST(written.get() == error_code());
  BOOST_TEST(reading().get() == "y");
}

BOOST_AUTO_TEST_CASE(a_writer_goes_on_by_itself_when_the_reader_has_given_up) {
  std::string const all = ticket();
  send(all.substr(0, 600));
  take_half_a_ticket();
  client.set_read_timeout(20ms);
  auto text = reading();
  auto written = writing("x");
  BOOST_TEST(text.get() == error_code(asio::error::timed_out).message());
  send(all.substr(600));
  BOOST_TEST(written.get() == error_code());
}

BOOST_AUTO_TEST_CASE(a_writer_that_waits_for_the_reader_has_a_deadline) {
  send(ticket().substr(0, 600));
  take_half_a_ticket();
  auto text = reading();
  client.set_write_timeout(20ms);
  BOOST_TEST(writing("x").get() == asio::error::timed_out);
  client.close();
  text.get();
}

BOOST_AUTO_TEST_CASE(closing_ends_the_calls_that_wait_and_those_to_come) {
  send(ticket().substr(0, 600));
  take_half_a_ticket();
  auto text = reading();
  auto written = writing("x");
  client.close();
  BOOST_TEST(text.get() == error_code(asio::error::operation_aborted).message());
  BOOST_TEST(written.get() == asio::error::operation_aborted);
  std::array<char, 1> one{};
  error_code code;
  client.read_some(asio::buffer(one), code);
  BOOST_TEST(code == asio::error::operation_aborted);
  client.write(asio::buffer("x", 1), code);
  BOOST_TEST(code == asio::error::operation_aborted);
  client.shutdown(code);
  BOOST_TEST(code == asio::error::operation_aborted);
  BOOST_TEST(client.peer().verified());
}

BOOST_AUTO_TEST_CASE(closing_ends_a_writer_that_waits_for_room) {
  auto written = writing(std::string(10'000'000, 'x'));
  client.close();
  BOOST_TEST(written.get() == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(what_is_known_can_be_asked_for_while_calls_wait) {
  auto text = reading();
  auto written = writing(std::string(10'000'000, 'x'));
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(client.info().version == "TLSv1.3");
    BOOST_TEST(client.peer().subject() == "CN=localhost");
    BOOST_TEST(!client.last_error().code());
    BOOST_TEST(client.failure(asio::error::eof, "read").code() == asio::error::eof);
    BOOST_TEST(client.native_socket() >= 0);
    BOOST_TEST(client.native_handle() != nullptr);
  }
  client.close();
  text.get();
  written.get();
}

BOOST_AUTO_TEST_CASE(a_second_call_of_a_kind_and_a_shutdown_beside_either_are_refused) {
  std::array<char, 1> one{};
  error_code code;
  auto text = reading();
  client.read_some(asio::buffer(one), code);
  BOOST_TEST(code == errc::operation_in_progress);
  client.shutdown(code);
  BOOST_TEST(code == errc::operation_in_progress);
  send(encrypted("y"));
  BOOST_TEST(text.get() == "y");
  auto written = writing(std::string(10'000'000, 'x'));
  client.write(asio::buffer("x", 1), code);
  BOOST_TEST(code == errc::operation_in_progress);
  client.close_write(code);
  BOOST_TEST(code == errc::operation_in_progress);
  client.shutdown(code);
  BOOST_TEST(code == errc::operation_in_progress);
  client.close();
  written.get();
}

BOOST_AUTO_TEST_CASE(close_notify_that_cannot_leave_ends_at_the_shutdowns_deadline) {
  client.set_write_timeout(20ms);
  BOOST_TEST(writing(std::string(10'000'000, 'x')).get() == asio::error::timed_out);
  client.set_shutdown_timeout(20ms);
  error_code code;
  client.close_write(code);
  BOOST_TEST(code == errc::shutdown_timeout);
}

BOOST_AUTO_TEST_CASE(some_is_written_at_once_and_a_cut_read_counts_what_came) {
  BOOST_TEST(client.write_some(asio::buffer(std::string(100'000, 'x'))) == 64u * 1024);
  send(encrypted("cut off"));
  hang_up();
  std::string text(100, '.');
  error_code code;
  BOOST_TEST(client.read(asio::buffer(text), code) == 7u);
  BOOST_TEST(code == errc::stream_truncated);
  client.shutdown(code);
  BOOST_TEST(code == errc::stream_truncated);
}

// A second thread costs nothing until a writer must wait for the reader.
BOOST_AUTO_TEST_CASE(no_descriptor_is_held_but_the_sockets) {
  int const next = ::dup(client.native_socket());
  ::close(next);
  auto text = reading();
  auto written = writing(std::string(10'000'000, 'x'));
  int const still = ::dup(client.native_socket());
  ::close(still);
  BOOST_TEST(still == next);
  client.close();
  text.get();
  written.get();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_duplex_test
