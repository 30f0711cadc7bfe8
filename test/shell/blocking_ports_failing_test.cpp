// A connection as a std::istream and a std::ostream: when it is cut, when it is slow, and what is
// not taken for the whole then.

#include "ports_fixture.hpp"
#include "print.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <ios>
#include <memory>
#include <sstream>
#include <string>

namespace cotls::test::blocking_ports_failing_test {

namespace {

using clock = std::chrono::steady_clock;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_ports_failing, ports_fixture)

BOOST_AUTO_TEST_CASE(a_cut_connection_is_no_end_of_file) {
  send("half a li");
  vanish();
  std::string line;
  BOOST_TEST(!std::getline(in, line));
  BOOST_TEST(line == "half a li");
  BOOST_TEST(in.bad());
  BOOST_TEST(!in.eof());
  BOOST_TEST(in.error().code() == errc::stream_truncated);
  in.clear();
  BOOST_TEST(!std::getline(in, line));
  BOOST_TEST(in.bad());
}

BOOST_AUTO_TEST_CASE(a_read_of_many_counts_what_came_before_the_failure) {
  for (std::size_t const room : {std::size_t{100}, 4 * buffered}) {
    ports_fixture cut;
    cut.send("cut off");
    cut.vanish();
    std::string text(room, '.');
    cut.in.read(text.data(), static_cast<std::streamsize>(text.size()));
    BOOST_TEST(cut.in.gcount() == 7);
    BOOST_TEST(text.substr(0, 8) == "cut off.");
    BOOST_TEST(cut.in.bad());
    BOOST_TEST(cut.in.error().code() == errc::stream_truncated);
    cut.in.clear();
    BOOST_TEST(cut.in.rdbuf()->sgetn(text.data(), 0) == 0);
    cut.in.read(text.data(), 1);
    BOOST_TEST(cut.in.gcount() == 0);
    BOOST_TEST(cut.in.bad());
  }
}

BOOST_AUTO_TEST_CASE(a_whole_read_is_short_without_being_bad) {
  send("whole");
  auto closing = std::async(std::launch::async, [&] { server.shutdown(); });
  std::string text(100, '.');
  in.read(text.data(), 100);
  BOOST_TEST(in.gcount() == 5);
  BOOST_TEST(in.eof());
  BOOST_TEST(!in.bad());
  both.out.close();
  closing.get();
}

BOOST_AUTO_TEST_CASE(a_failure_that_was_met_without_the_port_makes_it_bad) {
  std::string const text = pattern(buffered + 1'000);
  send(text);
  vanish();
  std::ostringstream copied;
  copied << in.rdbuf();
  BOOST_TEST((copied.str() == text));
  BOOST_TEST(in.bad());
  BOOST_TEST(!in.eof());
  BOOST_TEST(in.error().code() == errc::stream_truncated);
  std::istringstream endless(std::string(100 * buffered, 'x'));
  while (endless >> out.rdbuf()) endless.seekg(0);
  BOOST_TEST(out.bad());
  BOOST_TEST(out.error().code() != error_code());
}

BOOST_AUTO_TEST_CASE(a_failure_is_thrown_as_itself_where_exceptions_are_asked_for) {
  in.exceptions(std::ios_base::badbit);
  send("half a li");
  vanish();
  std::string line;
  BOOST_CHECK_EXCEPTION(std::getline(in, line), error, with_code(errc::stream_truncated));
  in.clear();
  BOOST_CHECK_EXCEPTION(in.get(), error, with_code(errc::stream_truncated));
  in.clear();
  BOOST_CHECK_EXCEPTION(in.read(line.data(), 1), error, with_code(errc::stream_truncated));
  in.clear();
  int number = 0;
  BOOST_CHECK_EXCEPTION(in >> number, error, with_code(errc::stream_truncated));
}

BOOST_AUTO_TEST_CASE(a_cut_connection_ends_the_file_where_it_is_tolerated) {
  in.connection().tolerate_truncation();
  send("all");
  vanish();
  BOOST_TEST(all_of(in) == "all");
  BOOST_TEST(!in.bad());
}

BOOST_AUTO_TEST_CASE(a_read_that_times_out_is_bad_and_goes_on_after_clear) {
  in.connection().set_read_timeout(20ms);
  send("half a ");
  std::string line;
  BOOST_TEST(!std::getline(in, line));
  BOOST_TEST(line == "half a ");
  BOOST_TEST(in.bad());
  BOOST_TEST(in.error().code() == asio::error::timed_out);
  in.clear();
  in.connection().set_read_timeout(20s);
  send("line\n");
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "line");
}

BOOST_AUTO_TEST_CASE(a_flush_that_times_out_loses_nothing) {
  std::string const text = pattern(buffered - 1);
  out.connection().set_write_timeout(20ms);
  std::size_t flushed = 0;
  while (out.flush()) {
    out << text;
    ++flushed;
  }
  BOOST_TEST(out.bad());
  BOOST_TEST(out.error().code() == asio::error::timed_out);
  out.clear();
  out << text;   // behind what was taken and could not leave
  ++flushed;
  out.flush();
  BOOST_TEST(out.error().code() == asio::error::timed_out);
  auto reading = std::async(std::launch::async, [&] { return receive_all(); });
  out.clear();
  out.connection().set_write_timeout(20s);
  out.close();
  std::string const received = reading.get();
  BOOST_REQUIRE(received.size() == flushed * text.size());
  for (std::size_t i = 0; i < flushed; ++i) {
    BOOST_REQUIRE((received.compare(i * text.size(), text.size(), text) == 0));
  }
}

// The connection has a record already that cannot leave: the port keeps what is written.
BOOST_AUTO_TEST_CASE(a_text_behind_what_could_not_leave_is_kept) {
  std::string const text = pattern(buffered - 1);
  std::string written;
  auto const write = [&](std::string const& next) {
    out.clear();
    out << next;
    written += next;
  };
  out.connection().set_write_timeout(20ms);
  for (int refused = 0; refused < 2; refused = out.flush() ? 0 : refused + 1) write(text);
  write(std::string(buffered - 1, 't'));
  BOOST_TEST(out.error().code() == asio::error::timed_out);
  out.clear();
  auto reading = std::async(std::launch::async, [&] { return receive_all(); });
  out.connection().set_write_timeout(20s);
  out.close();
  BOOST_TEST((reading.get() == written));
}

BOOST_AUTO_TEST_CASE(a_write_to_nobody_is_bad_and_says_why) {
  vanish();
  while (out << std::string(2 * buffered, 'x')) {
  }
  BOOST_TEST(out.bad());
  BOOST_TEST(out.error().code() != error_code());
  BOOST_TEST((out.error().status() == status::syscall));
  out.clear();
  out.exceptions(std::ios_base::badbit);
  BOOST_CHECK_THROW(out << std::string(2 * buffered, 'x'), error);
  BOOST_TEST(out.bad());
}

// The connection takes more, which would follow what is missing.
BOOST_AUTO_TEST_CASE(an_output_that_was_closed_when_it_was_bad_takes_nothing) {
  send("x");
  BOOST_TEST(in.get() == 'x');   // with nothing unread, so that the end is no reset
  out.setstate(std::ios_base::badbit);
  out.close();
  out.clear();
  out << "x" << std::flush;
  BOOST_TEST(out.bad());
  BOOST_TEST(out.error().code() == errc::write_after_close);
  out.clear();
  out.close();
  BOOST_TEST(out.good());
  in.close();
  BOOST_CHECK_EXCEPTION(receive_all(), error, with_code(errc::stream_truncated));
}

BOOST_AUTO_TEST_CASE(destruction_is_not_held_by_a_peer_that_does_not_read_or_answer) {
  auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
  auto pair = std::make_unique<blocking::ports>(connect());
  blocking::stream const idle = accepting.get();
  pair->out.connection().set_shutdown_timeout(30ms);
  pair->out.connection().set_write_timeout(10ms);
  while (pair->out << std::string(buffered, 'x')) {
  }
  pair->out.clear();
  pair->out.connection().set_write_timeout(blocking::stream::duration::max());
  pair->out.exceptions(std::ios_base::badbit);   // not from a destructor
  auto const started = clock::now();
  pair.reset();
  BOOST_TEST((clock::now() - started < 5s));
}

BOOST_AUTO_TEST_CASE(a_bad_output_is_not_taken_for_the_whole) {
  send("x");
  BOOST_TEST(in.get() == 'x');   // with nothing unread, so that the end is no reset
  out << "half" << std::flush;
  out.setstate(std::ios_base::badbit);
  out << " the message";
  out.close();
  in.close();
  BOOST_TEST(receive(4) == "half");
  BOOST_CHECK_EXCEPTION(receive_all(), error, with_code(errc::stream_truncated));
}

BOOST_AUTO_TEST_CASE(a_close_that_fails_is_bad_or_thrown_and_closes_all_the_same) {
  for (bool thrown : {false, true}) {
    auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
    blocking::ports pair{connect()};
    blocking::stream const idle = accepting.get();
    pair.out.connection().set_write_timeout(10ms);
    while (pair.out << std::string(buffered, 'x')) {
    }
    pair.out.clear();
    if (thrown) {
      pair.out.exceptions(std::ios_base::badbit);
      BOOST_CHECK_EXCEPTION(pair.out.close(), error, with_code(asio::error::timed_out));
    } else {
      pair.out.close();
    }
    BOOST_TEST(pair.out.bad());
    BOOST_TEST(pair.out.error().code() == asio::error::timed_out);
    BOOST_TEST(std::string(pair.out.error().what()).starts_with("closing the output"));
    pair.in.close();
    BOOST_TEST(!pair.in.connection());
  }
}

BOOST_AUTO_TEST_CASE(an_output_that_could_not_be_closed_is_not_taken_for_the_whole) {
  send("x");
  BOOST_TEST(in.get() == 'x');   // with nothing unread, so that the end is no reset
  out.connection().set_write_timeout(10ms);
  while (out << std::string(buffered, 'x')) {
  }
  out.clear();
  out.close();
  BOOST_TEST(out.bad());
  auto reading = std::async(std::launch::async, [&] { return receive_all(); });
  in.close();
  BOOST_CHECK_EXCEPTION(reading.get(), error, with_code(errc::stream_truncated));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_ports_failing_test
