// Peers that are killed at random moments of a bulk transfer, 208 times: whoever is left is told
// that the stream was cut, and never that it has ended; nothing hangs, and nothing is left behind.

#include "forked.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <ostream>
#include <random>
#include <string>

namespace cotls::test::killed_peer_test {

namespace {

enum class role { client, server };
enum class task { reading, writing };
enum class style { awaitable, callback };

std::ostream& operator<<(std::ostream& out, role value) {
  return out << (value == role::client ? "client" : "server");
}
std::ostream& operator<<(std::ostream& out, task value) {
  return out << (value == task::reading ? "reading" : "writing");
}
std::ostream& operator<<(std::ostream& out, style value) {
  return out << (value == style::awaitable ? "awaitable" : "callback");
}

namespace data = boost::unit_test::data;
auto const roles = data::make({role::client, role::server});
auto const versions = data::make({protocol::tls1_2, protocol::tls1_3});
auto const tasks = data::make({task::reading, task::writing});
auto const styles = data::make({style::awaitable, style::callback});

constexpr int kills_per_case = 13;

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

// What goes over the connection, again and again.
std::string const& text() {
  static std::string const made = pattern(200'000);
  return made;
}

// The peer's side of the transfer; it goes on until the peer is killed.
[[noreturn]] void transfer_for_ever(blocking::stream stream, task ours) {
  std::string room(64 * 1024, '\0');
  for (;;) {
    if (ours == task::reading) {
      stream.write(asio::buffer(text()));
    } else {
      stream.read_some(asio::buffer(room));
    }
  }
}

// Our side: goes on until an error ends it. What is read is what was written, up to the cut.
class transfer {
 public:
  transfer(tcp_stream stream, task ours) : stream_(std::move(stream)), task_(ours) {}

  void start(style how, std::function<void()> ended) {
    ended_ = std::move(ended);
    if (how == style::awaitable) {
      asio::co_spawn(stream_.get_executor(), await_the_end(),
                     [this](std::exception_ptr) { ended_(); });
    } else {
      go_on();
    }
  }

  // Why the transfer ended, and what a read says afterwards.
  error_code cut;
  error_code said_after;

 private:
  // Whether it goes on.
  bool note(error_code code, std::size_t count) {
    if (task_ == task::reading && !code) check(count);
    cut = code;
    return !code;
  }

  void check(std::size_t count) {
    BOOST_TEST(count > 0u);
    for (std::size_t at = 0; at < count;) {
      std::size_t const offset = (read_ + at) % text().size();
      std::size_t const length = std::min(count - at, text().size() - offset);
      if (room_.compare(at, length, text(), offset, length) != 0) {
        BOOST_ERROR("what was read is not what was written");
        return;
      }
      at += length;
    }
    read_ += count;
  }

  asio::awaitable<void> await_the_end() {
    error_code code;
    std::size_t count = 0;
    do {
      if (task_ == task::reading) {
        std::tie(code, count) = co_await stream_.async_read_some(asio::buffer(room_), as_result);
      } else {
        std::tie(code, count) = co_await stream_.async_write(asio::buffer(text()), as_result);
      }
    } while (note(code, count));
    std::tie(said_after, count) = co_await stream_.async_read_some(asio::buffer(room_), as_result);
  }

  void go_on() {
    auto next = [this](error_code code, std::size_t count) {
      note(code, count) ? go_on() : read_once_more();
    };
    if (task_ == task::reading) {
      stream_.async_read_some(asio::buffer(room_), next);
    } else {
      stream_.async_write(asio::buffer(text()), next);
    }
  }

  void read_once_more() {
    stream_.async_read_some(asio::buffer(room_), [this](error_code code, std::size_t) {
      said_after = code;
      ended_();
    });
  }

  tcp_stream stream_;
  task task_;
  std::string room_ = std::string(100'000, '\0');
  std::size_t read_ = 0;
  std::function<void()> ended_;
};

// A connection to a peer in a process of its own.
struct connection_to_a_process {
  connection_to_a_process(asio::io_context& context, role ours, protocol version, task what) {
    if (ours == role::client) {
      blocking::listener accepts(any_port(), localhost_server(version));
      peer.emplace([&] { transfer_for_ever(accepts.accept(), what); });
      async_connect(context.get_executor(), "127.0.0.1", accepts.port(), localhost_client(version),
                    connect_options(), taker());
      run_for(context);
    } else {
      listener accepts(context.get_executor(), any_port(), localhost_server(version));
      accepts.async_accept(taker());
      peer.emplace([&, port = accepts.port()] {
        transfer_for_ever(blocking::connect("127.0.0.1", port, localhost_client(version)), what);
      });
      context.restart();
      while (!stream && context.run_one_for(10s) > 0) continue;
    }
    if (!stream) throw std::runtime_error("no connection to the other process");
  }

  std::optional<forked> peer;
  tcp_stream stream;

 private:
  std::function<void(error_code, tcp_stream)> taker() {
    return [this](error_code code, tcp_stream made) {
      if (code) throw boost::system::system_error(code);
      stream = std::move(made);
    };
  }
};

bool tells_of_a_cut(error_code code) {
  return code == errc::stream_truncated || code == asio::error::connection_reset;
}

// RFC 8446 section 6.1: an end without close_notify may be an attacker's. A writer may also meet
// the reset as a broken pipe.
void check_ending(transfer const& ours, task what) {
  BOOST_TEST((tells_of_a_cut(ours.cut) ||
              (what == task::writing && ours.cut == asio::error::broken_pipe)),
             "the transfer ended with: " << ours.cut.message());
  BOOST_TEST(tells_of_a_cut(ours.said_after),
             "the read after it ended with: " << ours.said_after.message());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_peer)

BOOST_DATA_TEST_CASE(is_never_taken_for_one_that_has_said_goodbye,
                     roles* versions* tasks* styles, ours, version, what, how) {
  unsigned const seed = std::random_device()();
  std::minstd_rand random(seed);
  std::uniform_int_distribution<int> microseconds(0, 15'000);
  BOOST_TEST_MESSAGE("seed " << seed);
  (void)localhost_identity();   // made before the first copy of the process
  std::ptrdiff_t const descriptors = open_descriptors();
  for (int i = 0; i < kills_per_case; ++i) {
    BOOST_TEST_CONTEXT("seed " << seed << ", kill " << i) {
      asio::io_context context;
      connection_to_a_process connection(context, ours, version, what);
      transfer transferred(std::move(connection.stream), what);
      bool ended = false;
      bool killed = false;
      transferred.start(how, [&] { ended = true; });
      asio::steady_timer moment(context, std::chrono::microseconds(microseconds(random)));
      moment.async_wait([&](error_code) { killed = connection.peer->kill(); });
      run_for(context);
      BOOST_TEST(killed);
      BOOST_TEST(ended);
      check_ending(transferred, what);
    }
  }
  BOOST_TEST(open_descriptors() == descriptors);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::killed_peer_test
