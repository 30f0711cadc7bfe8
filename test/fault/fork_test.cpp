// A server that forks after the handshake: one process goes on with the connection, and the other
// lets go of its copy, which says nothing to the client (A23).

#include "forked.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace cotls::test::fork_test {

namespace {

// A byte from one process to another.
class signal_pipe {
 public:
  signal_pipe() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
  }
  ~signal_pipe() {
    for (int const end : ends_) ::close(end);
  }
  signal_pipe(signal_pipe const&) = delete;
  signal_pipe& operator=(signal_pipe const&) = delete;

  void give(char what) const {
    if (::write(ends_[1], &what, 1) != 1) throw std::runtime_error("nothing to be given");
  }
  char take() const {
    char what = 0;
    if (::read(ends_[0], &what, 1) != 1) throw std::runtime_error("nothing to be taken");
    return what;
  }

 private:
  std::array<int, 2> ends_{};
};

// Reads to the end, and tells whether it was "hello" and a goodbye.
void judge(int descriptor, client_context const& with, signal_pipe const& verdict) {
  error_code code;
  blocking::stream client(descriptor, with, client_options().host("localhost"));
  client.set_timeout(20s);
  client.handshake();
  std::string text(100, '\0');
  std::size_t n = 0;
  while (!code) n += client.read_some(asio::buffer(text) + n, code);
  verdict.give(code == asio::error::eof && text.substr(0, n) == "hello" ? 'y' : 'n');
}

void greet(blocking::stream& server) {
  error_code code;
  server.write(asio::buffer("hello", 5), code);
  server.shutdown(code);
}

enum class survivor { parent, child };

std::ostream& operator<<(std::ostream& out, survivor value) {
  return out << (value == survivor::parent ? "the parent" : "the child");
}

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const survivors = boost::unit_test::data::make({survivor::parent, survivor::child});

}  // namespace

BOOST_AUTO_TEST_SUITE(forks)

BOOST_DATA_TEST_CASE(whichever_process_goes_on_the_client_hears_one_of_them, versions* survivors,
                     version, goes_on) {
  client_context const with = localhost_client(version);
  server_context const served = localhost_server(version);
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  signal_pipe verdict;
  signal_pipe let_go;
  forked const client([&] {
    ::close(ends[1]);
    judge(ends[0], with, verdict);
  });
  ::close(ends[0]);
  blocking::stream server(ends[1], served);
  server.set_timeout(20s);
  server.handshake();
  forked const copy([&] {
    if (goes_on == survivor::child) {
      let_go.take();
      greet(server);
    } else {
      server = blocking::stream();
      let_go.give('x');
    }
  });
  if (goes_on == survivor::child) {
    server = blocking::stream();
    let_go.give('x');
  } else {
    let_go.take();
    greet(server);
  }
  BOOST_TEST(verdict.take() == 'y');
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::fork_test
