// Several servers behind `haproxy`, which hands connections on as they come: clients resume at
// whichever they get.

#include "forked.hpp"
#include "print.hpp"
#include "redis.hpp"
#include "run.hpp"
#include "served.hpp"
#include "tool_peers.hpp"

#include <cotls/blocking.hpp>

#include <boost/asio/thread_pool.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace cotls::test::fleet_test {
namespace {

certificates const& pki() { return certificates::all(); }

std::string configuration(int port, std::vector<int> const& servers) {
  std::string text =
      "global\n  maxconn 100\n"
      "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n"
      "  option redispatch 1\n  retries 3\n"
      "listen fleet\n  bind 127.0.0.1:" + std::to_string(port) + "\n  balance roundrobin\n";
  for (int const each : servers) {
    text += "  server s" + std::to_string(each) + " 127.0.0.1:" + std::to_string(each) + "\n";
  }
  return text;
}

// `haproxy` in the foreground, which says nothing when it is ready.
class balancer {
 public:
  explicit balancer(std::vector<int> const& servers)
      : port_(free_port()),
        process_({"haproxy", "-db", "-f",
                  directory_.write("haproxy.cfg", configuration(port_, servers))}) {
    for (int tries = 0; tries < 200 && !answers(); ++tries) process_.prints("\n", pause);
    BOOST_REQUIRE(answers());
  }

  int port() const noexcept { return port_; }

 private:
  static constexpr auto pause = std::chrono::milliseconds(50);

  bool answers() const {
    asio::io_context context;
    asio::ip::tcp::socket trial(context);
    error_code refused;
    trial.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port_)}, refused);
    return !refused;
  }

  temporary_directory directory_;
  int port_;
  process process_;
};

// One connection; whether it was resumed.
bool visit(int port, client_context const& by, std::string const& text) {
  blocking::stream peer = blocking::connect("localhost", port, by);
  peer.set_timeout(process::patience);
  peer.write(asio::buffer(text));
  std::string answer(text.size(), '\0');
  peer.read(asio::buffer(answer));
  BOOST_TEST(answer == text);
  bool const resumed = peer.info().resumed;
  peer.shutdown();
  return resumed;
}

// Of the same client's connections, those behind the first.
template <class Settle>
int resumed_of_six(std::vector<int> const& servers, protocol version, Settle settle) {
  balancer const between(servers);
  client_context const client = certificates::trust(pki().root, version);
  BOOST_TEST(!visit(between.port(), client, "hello\n"));
  int resumed = 0;
  for (int again = 0; again < 6; ++again) {
    settle();
    resumed += visit(between.port(), client, "hello\n");
  }
  return resumed;
}

int resumed_of_six(std::vector<int> const& servers, protocol version) {
  return resumed_of_six(servers, version, [] {});
}

// Both ends of a pipe, closed with it.
class pipe_pair {
 public:
  pipe_pair() {
    if (::pipe(ends_.data()) < 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  pipe_pair(pipe_pair const&) = delete;
  pipe_pair& operator=(pipe_pair const&) = delete;
  ~pipe_pair() {
    close(ends_[0]);
    close(ends_[1]);
  }

  int read_end() const noexcept { return ends_[0]; }
  int write_end() const noexcept { return ends_[1]; }
  void close_write_end() noexcept { close(ends_[1]); }

 private:
  static void close(int& end) noexcept {
    if (end >= 0) ::close(end);
    end = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

// An echo in a process of its own, whose sessions are in Redis: nothing else is shared. Made while
// this process has one thread.
class redis_sharer {
 public:
  explicit redis_sharer(int redis)
      : process_([&, known = certificates::serve(pki().localhost)] { serve(known, redis); }) {
    said_.close_write_end();
    BOOST_REQUIRE(::read(said_.read_end(), &port_, sizeof port_) == sizeof port_);
  }

  int port() const noexcept { return port_; }

  // Whether it has served until now.
  bool kill() { return process_.kill(); }

 private:
  void serve(server_context known, int redis) const {
    asio::thread_pool puts(1);
    known.set_session_store(redis_store(puts.get_executor(), redis));
    server_thread const serving(known, echo);
    int const port = serving.port();
    if (::write(said_.write_end(), &port, sizeof port) != sizeof port) return;
    for (;;) ::pause();
  }

  int port_ = 0;
  pipe_pair said_;
  forked process_;
};

// A session is put there while its client goes on.
void await_one_session(int redis) {
  for (int tries = 0; tries < 200; ++tries) {
    asio::io_context context;
    std::string count;
    auto const asking = [&]() -> asio::awaitable<void> {
      auto const said = co_await ask_redis(redis, std::vector<std::string>(1, "DBSIZE"));
      count = said.value_or("");
    };
    run(context, asking());
    if (count == "1") return;
  }
  BOOST_ERROR("no session has come");
}

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

}  // namespace

BOOST_AUTO_TEST_SUITE(fleet)

BOOST_DATA_TEST_CASE(processes_with_one_secret_resume_each_others_sessions, versions, version) {
  temporary_directory const directory;
  std::string const secret = directory.write("secret", std::string(40, 's'));
  tool_server const one({"--echo", "--ticket-secret", secret});
  tool_server const other({"--echo", "--ticket-secret", secret});
  BOOST_TEST(resumed_of_six({one.port(), other.port()}, version) == 6);
}

// By turns the client meets one that does not know it, and has in TLS 1.3 the ticket of the other.
BOOST_DATA_TEST_CASE(processes_with_keys_of_their_own_do_not, versions, version) {
  tool_server const one({"--echo"});
  tool_server const other({"--echo"});
  BOOST_TEST(resumed_of_six({one.port(), other.port()}, version) < 6);
}

// Redis is killed and started again in the middle: nobody is kept waiting, and nobody resumes
// meanwhile. Then a server is killed, whose sessions the other resumes.
BOOST_DATA_TEST_CASE(processes_share_their_sessions_through_redis, versions, version) {
  redis_server redis;
  redis_sharer one(redis.port());
  redis_sharer other(redis.port());
  auto const settle = [&] { await_one_session(redis.port()); };
  BOOST_TEST(resumed_of_six({one.port(), other.port()}, version, settle) == 6);

  redis.kill();
  redis.start();   // with nothing
  balancer const between({one.port(), other.port()});
  client_context const client = certificates::trust(pki().root, version);
  BOOST_TEST(!visit(between.port(), client, "hello\n"));
  settle();
  BOOST_TEST(visit(between.port(), client, "hello\n"));
  redis.kill();
  auto const before = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) BOOST_TEST(!visit(between.port(), client, "hello\n"));
  BOOST_TEST((std::chrono::steady_clock::now() - before < std::chrono::seconds(10)));
  redis.start();
  BOOST_TEST(!visit(between.port(), client, "hello\n"));
  settle();
  BOOST_TEST(visit(between.port(), client, "hello\n"));

  settle();
  BOOST_TEST(one.kill());   // it had not ended by itself
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(visit(between.port(), client, "hello\n"));
    settle();
  }
  BOOST_TEST(other.kill());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::fleet_test
