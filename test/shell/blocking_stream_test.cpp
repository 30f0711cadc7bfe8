// The blocking stream beyond reading and writing: sockets taken over and given back, several
// threads.

#include "blocking.hpp"
#include "print.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <thread>
#include <vector>

namespace cotls::test::blocking_stream_test {

namespace {

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

// Two connected sockets, which block.
struct socket_pair {
  std::array<int, 2> ends{-1, -1};
  socket_pair() { BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0); }
};

// A client and a server over sockets that somebody else has connected.
struct taken_over : socket_pair {
  blocking::stream client{ends[0], localhost_client(), client_options().host("localhost")};
  blocking::stream server{ends[1], localhost_server()};

  void shake_hands() {
    auto serving = std::async(std::launch::async, [&] { server.handshake(); });
    client.handshake();
    serving.get();
  }

  void shut_down() {
    auto serving = std::async(std::launch::async, [&] { server.shutdown(); });
    client.shutdown();
    serving.get();
  }
};

std::string text_of(std::vector<std::byte> const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(blocking_stream)

BOOST_FIXTURE_TEST_CASE(connected_sockets_are_taken_over_and_closed_at_the_end, taken_over) {
  shake_hands();
  BOOST_TEST(client.native_socket() == ends[0]);
  BOOST_TEST(client.peer().verified());
  server.write(asio::buffer("hello", 5));
  std::string text(5, '\0');
  client.read(asio::buffer(text));
  BOOST_TEST(text == "hello");
  client = blocking::stream();   // with nothing unread, so that it is no reset
  BOOST_TEST(::write(ends[0], "x", 1) == -1);
  error_code code;
  server.read_some(asio::buffer(text), code);
  BOOST_TEST(code == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(a_socket_that_could_not_be_taken_over_stays_the_callers) {
  socket_pair const both;
  BOOST_CHECK_EXCEPTION(blocking::stream(both.ends[0], localhost_client()), error,
                        with_code(errc::no_host_name));
  BOOST_CHECK_EXCEPTION(blocking::stream(both.ends[0], server_context()), error,
                        with_code(errc::no_certificate));
  BOOST_TEST(::write(both.ends[0], "x", 1) == 1);
  for (int each : both.ends) ::close(each);
}

BOOST_FIXTURE_TEST_CASE(bytes_received_before_are_read_first, socket_pair) {
  blocking::stream client(ends[0], localhost_client(), client_options().host("localhost"));
  blocking::stream server(ends[1], localhost_server());
  auto connecting = std::async(std::launch::async, [&] { client.handshake(); });
  std::array<char, 16> first;   // as by a protocol above that has read too much
  auto const count = ::recv(ends[1], first.data(), first.size(), 0);
  BOOST_REQUIRE(count > 0);
  server.give_input(asio::buffer(first, static_cast<std::size_t>(count)));
  server.handshake();
  connecting.get();
}

BOOST_FIXTURE_TEST_CASE(a_socket_is_given_back_with_what_follows_tls_in_it, taken_over) {
  client.set_read_ahead(false);
  shake_hands();
  BOOST_CHECK_EXCEPTION(client.release(), error, with_code(errc::not_over));
  server.close_write();
  BOOST_TEST(::write(ends[1], "plain", 5) == 5);
  client.shutdown();
  auto const [descriptor, unread] = client.release();
  BOOST_TEST(!client);
  BOOST_TEST(descriptor == ends[0]);
  BOOST_TEST(unread.empty());
  std::string text(5, '\0');
  BOOST_TEST(::read(descriptor, text.data(), text.size()) == 5);
  BOOST_TEST(text == "plain");
  ::close(descriptor);
}

BOOST_FIXTURE_TEST_CASE(of_a_peer_without_tls_all_that_it_said_is_given_back, taken_over) {
  server.give_input(asio::buffer(std::string_view("HELO example and more")));
  error_code code;
  server.handshake(code);
  BOOST_TEST((code.category() == openssl_category()));
  BOOST_TEST(text_of(server.release().second) == "HELO example and more");
  ::close(ends[1]);
}

BOOST_FIXTURE_TEST_CASE(read_ahead_bytes_keep_the_socket_with_the_stream, taken_over) {
  shake_hands();
  server.close_write();
  BOOST_TEST(::write(ends[1], "plain", 5) == 5);
  client.shutdown();
  BOOST_CHECK_EXCEPTION(client.release(), error, with_code(errc::read_ahead));
  BOOST_TEST(bool(client));
}

BOOST_FIXTURE_TEST_CASE(truncation_is_an_end_where_it_is_tolerated, taken_over) {
  shake_hands();
  client.tolerate_truncation();
  server = blocking::stream();
  char one = 0;
  error_code code;
  client.read_some(asio::buffer(&one, 1), code);
  BOOST_TEST(code == asio::error::eof);
}

BOOST_FIXTURE_TEST_CASE(a_half_closed_stream_goes_on_reading, blocking_pair) {
  client.close_write();
  char one = 0;
  error_code code;
  server.read_some(asio::buffer(&one, 1), code);
  BOOST_TEST(code == asio::error::eof);
  server.write(asio::buffer("x", 1));
  client.read_some(asio::buffer(&one, 1));
  BOOST_TEST(one == 'x');
  client.write(asio::buffer(&one, 1), code);
  BOOST_TEST(code == errc::write_after_close);
}

BOOST_AUTO_TEST_CASE(of_an_empty_stream_nothing_is_known) {
  blocking::stream empty;
  BOOST_CHECK_EXCEPTION(empty.info(), error, with_code(errc::not_connected));
  BOOST_CHECK_EXCEPTION(empty.peer(), error, with_code(errc::not_connected));
  BOOST_CHECK_EXCEPTION(empty.release(), error, with_code(errc::not_connected));
  BOOST_CHECK_EXCEPTION(empty.shutdown(), error, with_code(errc::not_connected));
  BOOST_CHECK_EXCEPTION(empty.handshake(), error, with_code(errc::not_connected));
  BOOST_TEST(empty.last_error().code() == errc::not_connected);
  BOOST_TEST(empty.native_socket() == -1);
  BOOST_TEST(empty.native_handle() == nullptr);
}

BOOST_FIXTURE_TEST_CASE(the_failure_of_a_connection_is_kept, blocking_pair) {
  BOOST_TEST(!client.last_error().code());
  BOOST_TEST(::write(server.native_socket(), "no record at all", 16) == 16);
  char one = 0;
  error_code code;
  client.read_some(asio::buffer(&one, 1), code);
  BOOST_TEST((code.category() == openssl_category()));
  BOOST_TEST(client.last_error().code() == code);
  BOOST_TEST(!client.last_error().openssl_stack().empty());
  BOOST_TEST(std::string(client.failure(code, "read").what()).find("read with 127.0.0.1") == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_sockets_of_both_ends_do_not_delay_small_writes, blocking_pair) {
  for (int each : {client.native_socket(), server.native_socket()}) {
    int on = 0;
    socklen_t size = sizeof on;
    BOOST_TEST(::getsockopt(each, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
    BOOST_TEST(on != 0);
  }
}

BOOST_FIXTURE_TEST_CASE(no_socket_is_inherited_by_programs_that_are_run, blocking_pair) {
  for (int each : {client.native_socket(), server.native_socket(), listener.native_handle()}) {
    BOOST_TEST((::fcntl(each, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

BOOST_FIXTURE_TEST_CASE(a_signal_does_not_end_a_call_that_waits, blocking_pair) {
  static std::atomic<int> caught = 0;
  struct sigaction counted {};
  struct sigaction before {};
  counted.sa_handler = [](int) { ++caught; };
  BOOST_REQUIRE(::sigaction(SIGUSR1, &counted, &before) == 0);
  auto signalling = std::async(std::launch::async, [&, reader = ::pthread_self()] {
    while (caught < 20) {
      int const so_far = caught;
      ::pthread_kill(reader, SIGUSR1);
      while (caught == so_far) std::this_thread::yield();
    }
    server.write(asio::buffer("hello", 5));
  });
  std::string text(5, '\0');
  error_code code;
  client.read(asio::buffer(text), code);
  signalling.get();
  ::sigaction(SIGUSR1, &before, nullptr);
  BOOST_TEST(!code);
  BOOST_TEST(text == "hello");
}

BOOST_FIXTURE_TEST_CASE(one_thread_reads_while_another_writes, blocking_pair) {
  std::string const text = pattern(4 << 20);   // more than is on its way at once
  for (int each : {client.native_socket(), server.native_socket()}) {
    int const size = 100'000;
    ::setsockopt(each, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    ::setsockopt(each, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  auto echo = std::async(std::launch::async, [&] {
    std::string chunk(10'000, '\0');
    for (;;) {
      error_code ended;
      std::size_t const got = server.read_some(asio::buffer(chunk), ended);
      if (ended == asio::error::eof) break;
      server.write(asio::buffer(chunk, got));
    }
    server.shutdown();
  });
  auto writing = std::async(std::launch::async, [&] {
    client.write(asio::buffer(text));
    client.close_write();
  });
  std::string answer(text.size(), '\0');
  client.read(asio::buffer(answer));
  BOOST_TEST((answer == text));
  BOOST_TEST(client.info().version == "TLSv1.3");
  error_code code;
  client.read_some(asio::buffer(answer), code);
  BOOST_TEST(code == asio::error::eof);
  writing.get();
  echo.get();
}

BOOST_FIXTURE_TEST_CASE(different_threads_use_different_streams, blocking_fixture) {
  constexpr int count = 4;
  constexpr std::size_t size = 200'000;
  std::vector<std::future<void>> servers;
  std::vector<std::future<std::string>> clients;
  for (int i = 0; i < count; ++i) {
    servers.push_back(serve(listener, [](blocking::stream& stream) {
      std::string text(size, '\0');
      stream.read(asio::buffer(text));
      stream.write(asio::buffer(text));
      stream.shutdown();
    }));
    clients.push_back(std::async(std::launch::async, [this, i] {
      blocking::stream client = connect();
      client.write(asio::buffer(std::string(size, static_cast<char>('a' + i))));
      std::string answer(size, '\0');
      client.read(asio::buffer(answer));
      client.shutdown();
      return answer;
    }));
  }
  for (int i = 0; i < count; ++i) {
    BOOST_TEST((clients[static_cast<std::size_t>(i)].get() ==
                std::string(size, static_cast<char>('a' + i))));
  }
  for (auto& each : servers) each.get();
}

BOOST_FIXTURE_TEST_CASE(no_thread_is_started, blocking_fixture) {
  auto server = serve(listener, [](blocking::stream& stream) {
    char one = 0;
    stream.read_some(asio::buffer(&one, 1));
    stream.shutdown();
  });
  auto const before = threads_of_this_process();
  blocking::stream client =
      blocking::connect("localhost", listener.port(), localhost_client());
  BOOST_TEST(threads_of_this_process() == before);
  client.write(asio::buffer("x", 1));
  client.shutdown();
  server.wait();
  BOOST_TEST(threads_of_this_process() <= before);
  server.get();
}

BOOST_AUTO_TEST_CASE(a_connection_over_tcp_tells_both_addresses) {
  blocking_pair pair;
  BOOST_TEST(pair.client.remote_endpoint() == pair.listener.local_endpoint());
  BOOST_TEST(pair.client.local_endpoint() == pair.server.remote_endpoint());
  BOOST_TEST(pair.client.remote_endpoint() == pair.server.local_endpoint());
  BOOST_TEST(pair.client.local_endpoint() != pair.client.remote_endpoint());
}

BOOST_AUTO_TEST_CASE(a_connection_over_another_socket_has_no_address_of_tcp) {
  taken_over pair;
  for (blocking::stream* const each : {&pair.client, &pair.server}) {
    BOOST_CHECK_EXCEPTION(each->local_endpoint(), error,
                          with_code(asio::error::address_family_not_supported));
    BOOST_CHECK_EXCEPTION(each->remote_endpoint(), error,
                          with_code(asio::error::address_family_not_supported));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_stream_test
