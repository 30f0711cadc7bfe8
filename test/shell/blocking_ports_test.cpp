// A connection as a std::istream and a std::ostream.

#include "ports_fixture.hpp"
#include "print.hpp"

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <future>
#include <ios>
#include <string>
#include <utility>

namespace cotls::test::blocking_ports_test {

BOOST_FIXTURE_TEST_SUITE(blocking_ports, ports_fixture)

BOOST_AUTO_TEST_CASE(lines_numbers_and_insertion_work) {
  out << "GET /" << 42 << "\r\n" << std::flush;
  BOOST_TEST(receive(9) == "GET /42\r\n");
  send("first line\n17 4.5\nlast");
  server.close_write();
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "first line");
  int number = 0;
  double another = 0;
  in >> number >> another >> line;
  BOOST_TEST(number == 17);
  BOOST_TEST(another == 4.5);
  BOOST_TEST(line == "last");
}

BOOST_AUTO_TEST_CASE(they_are_bound_to_names_where_they_are_made) {
  auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
  auto [input, output] = blocking::ports(connect());
  blocking::stream peer = accepting.get();
  output << "hello" << std::flush;
  std::string text(5, '\0');
  peer.read(asio::buffer(text));
  BOOST_TEST(text == "hello");
  BOOST_TEST(input.tie() == &output);
  peer = blocking::stream();
}

BOOST_AUTO_TEST_CASE(output_gathers_until_it_is_flushed) {
  out << "gathered";
  BOOST_TEST(received_by(server) == 0);
  out << std::flush;
  BOOST_TEST(receive(8) == "gathered");
  out << "again" << std::endl;
  BOOST_TEST(receive(6) == "again\n");
  out << std::flush;
  BOOST_TEST(received_by(server) == 0);
}

BOOST_AUTO_TEST_CASE(output_leaves_when_the_buffer_is_full) {
  out << std::string(buffered - 1, 'a');
  BOOST_TEST(received_by(server) == 0);
  out << 'b';   // and nothing behind it
  BOOST_TEST((receive(buffered) == std::string(buffered - 1, 'a') + 'b'));
  for (std::size_t i = 0; i < buffered; ++i) out.put('c');
  BOOST_TEST((receive(buffered) == std::string(buffered, 'c')));
  out << 'd' << std::string(buffered - 1, 'e');
  BOOST_TEST((receive(buffered) == 'd' + std::string(buffered - 1, 'e')));
}

BOOST_AUTO_TEST_CASE(input_that_waits_sends_the_output_it_is_tied_to) {
  auto answering = std::async(std::launch::async, [&] { send(receive(8) + "\n"); });
  out << "question";
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "question");
  answering.get();
}

BOOST_AUTO_TEST_CASE(input_that_is_not_tied_sends_nothing) {
  in.tie(nullptr);
  out << "question";
  send("\n");
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(received_by(server) == 0);
}

BOOST_AUTO_TEST_CASE(much_data_passes_both_ways) {
  std::string const text = pattern(3'000'001);
  auto echo = std::async(std::launch::async, [&] {
    send(receive(text.size()));
    server.close_write();
  });
  out.write(text.data(), 10);
  out.write(text.data() + 10, static_cast<std::streamsize>(text.size() - 10));
  out.flush();
  std::string answer(text.size(), '\0');
  in.read(answer.data(), 20'000);
  in.read(answer.data() + 20'000, 5);
  in.read(answer.data() + 20'005, static_cast<std::streamsize>(text.size() - 20'005));
  BOOST_TEST(static_cast<std::size_t>(in.gcount()) == text.size() - 20'005);
  BOOST_TEST((answer == text));
  BOOST_TEST((in.peek() == std::istream::traits_type::eof()));
  echo.get();
}

BOOST_AUTO_TEST_CASE(close_notify_is_the_end_of_file_and_no_failure) {
  in.exceptions(std::ios_base::badbit);
  send("all");
  server.close_write();
  BOOST_TEST(all_of(in) == "all");
  std::string more;
  BOOST_TEST(!std::getline(in, more));
  BOOST_TEST(in.eof());
  BOOST_TEST(!in.bad());
  BOOST_TEST(!in.error().code());
}

BOOST_AUTO_TEST_CASE(a_read_of_more_than_comes_takes_what_has_come) {
  for (std::size_t const size : {std::size_t(100), 3 * buffered}) {
    auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
    blocking::ports pair{connect()};
    blocking::stream peer = accepting.get();
    peer.write(asio::buffer("all", 3));
    peer.close_write();
    std::string text(size, '\0');
    pair.in.read(text.data(), static_cast<std::streamsize>(size));
    BOOST_TEST(pair.in.gcount() == 3);
    BOOST_TEST(pair.in.eof());
    BOOST_TEST(!pair.in.bad());
  }
}

BOOST_AUTO_TEST_CASE(closing_the_output_sends_what_is_left_and_reading_goes_on) {
  out << "last words";
  out.close();
  BOOST_TEST(out.good());
  BOOST_TEST(receive_all() == "last words");
  send("an answer\n");
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "an answer");
  out.close();
  BOOST_TEST(out.good());
}

BOOST_AUTO_TEST_CASE(a_closed_output_takes_nothing) {
  out.close();
  out << "x";
  BOOST_TEST(out.bad());
  BOOST_TEST(out.error().code() == errc::write_after_close);
}

BOOST_AUTO_TEST_CASE(a_closed_input_is_at_its_end) {
  send("unread");
  BOOST_TEST(in.get() == 'u');
  in.close();
  BOOST_TEST(in.get() == std::istream::traits_type::eof());
  BOOST_TEST(in.eof());
  BOOST_TEST(!in.bad());
  in.clear();
  in.close();   // once more, which is not the other port's end
  char more[16];
  BOOST_TEST(in.readsome(more, 16) == 0);
  BOOST_TEST(in.eof());
  out << "still open" << std::flush;
  BOOST_TEST(receive(10) == "still open");
}

BOOST_AUTO_TEST_CASE(the_connection_ends_when_both_are_closed_in_either_order) {
  for (bool input_first : {true, false}) {
    auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
    blocking::ports pair{connect()};
    server = accepting.get();
    server.set_timeout(20s);
    auto ending = std::async(std::launch::async, [&] {
      std::string const received = receive_all();
      server.shutdown();
      pollfd waited{server.native_socket(), POLLIN, 0};
      ::poll(&waited, 1, 20'000);
      char one = 0;
      bool const ended = ::recv(server.native_socket(), &one, 1, 0) == 0;   // the socket itself
      return std::pair(received, ended);
    });
    pair.out << "goodbye";
    if (input_first) {
      pair.in.close();
      BOOST_TEST(bool(pair.out.connection()));
      pair.out.close();
    } else {
      pair.out.close();
      BOOST_TEST(bool(pair.out.connection()));
      pair.in.close();
    }
    BOOST_TEST(!pair.out.connection());
    BOOST_TEST((ending.get() == std::pair(std::string("goodbye"), true)));
  }
}

BOOST_AUTO_TEST_CASE(the_end_waits_for_the_peers_and_discards_what_comes_before_it) {
  auto ending = std::async(std::launch::async, [&] {
    receive_all();
    send(std::string(1'000'000, 'x'));   // a reset would meet it
    server.shutdown();
  });
  out.close();
  in.close();
  BOOST_CHECK_NO_THROW(ending.get());
}

BOOST_AUTO_TEST_CASE(destruction_sends_what_is_left_and_close_notify) {
  auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
  auto ending = std::async(std::launch::async, [&] {
    server = accepting.get();
    server.set_timeout(20s);
    std::string const received = receive_all();
    server.shutdown();
    return received;
  });
  { blocking::ports(connect()).out << "last words"; }
  BOOST_TEST(ending.get() == "last words");
}

BOOST_AUTO_TEST_CASE(what_was_read_can_be_put_back_across_buffers) {
  std::string const text = pattern(buffered);
  send(text);
  std::string first(buffered, '\0');
  in.read(first.data(), static_cast<std::streamsize>(buffered));
  for (int i = 0; i < 8; ++i) BOOST_TEST(bool(in.unget()));
  send("next");
  std::string rest(12, '\0');
  in.read(rest.data(), 12);
  BOOST_TEST(rest == text.substr(buffered - 8) + "next");
  in.ignore(0);
  send("x");
  BOOST_TEST(in.get() == 'x');
  in.unget();
  in.unget();
  BOOST_TEST(in.get() == 't');
}

BOOST_AUTO_TEST_CASE(what_is_here_is_read_without_waiting) {
  char text[16];
  auto const usual = in.connection().read_timeout();
  BOOST_TEST(in.readsome(text, 16) == 0);
  BOOST_TEST((in.connection().read_timeout() == usual));
  send("here");
  pollfd waited{in.connection().native_socket(), POLLIN, 0};
  BOOST_REQUIRE(::poll(&waited, 1, 20'000) == 1);
  BOOST_TEST(in.readsome(text, 16) == 4);
  BOOST_TEST(in.good());
  server.close_write();
  BOOST_REQUIRE(::poll(&waited, 1, 20'000) == 1);
  BOOST_TEST(in.readsome(text, 16) == 0);
  BOOST_TEST(in.eof());
}

BOOST_AUTO_TEST_CASE(there_is_no_position_to_seek) {
  BOOST_TEST(in.tellg() == std::istream::pos_type(-1));
  BOOST_TEST(out.tellp() == std::ostream::pos_type(-1));
}

BOOST_AUTO_TEST_CASE(one_thread_reads_while_another_writes) {
  in.tie(nullptr);
  constexpr int lines = 20'000;
  auto echo = std::async(std::launch::async, [&] {
    std::string chunk(5'000, '\0');
    for (;;) {
      error_code ended;
      std::size_t const got = server.read_some(asio::buffer(chunk), ended);
      if (ended == asio::error::eof) return server.shutdown();
      server.write(asio::buffer(chunk, got));
    }
  });
  auto writing = std::async(std::launch::async, [&] {
    for (int i = 0; i < lines; ++i) out << "line " << i << "\n";
    out.close();
  });
  int seen = 0;
  for (std::string line; std::getline(in, line); ++seen) {
    BOOST_REQUIRE(line == "line " + std::to_string(seen));
  }
  BOOST_TEST(seen == lines);
  BOOST_TEST(!in.bad());
  writing.get();
  echo.get();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_ports_test
