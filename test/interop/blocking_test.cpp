// A blocking listener, and programs as its clients. All on one thread: what a program is given and
// prints is small enough to wait in the system's buffers, or goes to a file.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"

#include <cotls/blocking.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <poll.h>

namespace cotls::test::blocking_test {
namespace {

certificates const& pki() { return certificates::all(); }

struct fixture {
  blocking::listener listener{asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0),
                              certificates::serve(pki().localhost)};

  // Accepts, once a client is there: one that could not be started is no reason to wait for ever.
  blocking::stream accept() {
    pollfd waited{listener.native_handle(), POLLIN, 0};
    auto const patience = std::chrono::ceil<std::chrono::milliseconds>(process::patience);
    if (::poll(&waited, 1, static_cast<int>(patience.count())) != 1) {
      throw std::runtime_error("no client came within the deadline");
    }
    blocking::stream made = listener.accept();
    made.set_timeout(process::patience);
    return made;
  }

  error refused() {
    try {
      accept();
    } catch (error const& failure) {
      return failure;
    }
    throw std::runtime_error("the handshake was to fail");
  }

  std::string url() const { return "https://localhost:" + std::to_string(listener.port()) + "/"; }
};

// Reads until what has come ends so.
std::string read_until(blocking::stream& peer, std::string_view end) {
  std::string text;
  std::string chunk(1024, '\0');
  while (!text.ends_with(end)) text.append(chunk, 0, peer.read_some(asio::buffer(chunk)));
  return text;
}

std::string content_of(std::string const& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_listener, fixture)

BOOST_AUTO_TEST_CASE(s_client_talks_and_says_goodbye) {
  process client(s_client(listener.port()));
  client.give("0123\n");
  blocking::stream peer = accept();
  BOOST_TEST(read_until(peer, "\n") == "0123\n");
  peer.write(asio::buffer(std::string_view("good day\n")));
  BOOST_TEST(client.prints("good day\n"));
  client.end_input();

  std::string rest(16, '\0');
  error_code ended;
  BOOST_TEST(peer.read_some(asio::buffer(rest), ended) == 0u);
  BOOST_TEST(ended == asio::error::eof);
  peer.shutdown();
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(the_death_of_s_client_is_not_taken_for_a_goodbye) {
  process client(s_client(listener.port()));
  client.give("0123\n");
  blocking::stream peer = accept();
  BOOST_TEST(read_until(peer, "\n") == "0123\n");
  peer.write(asio::buffer(std::string_view("good day\n")));
  BOOST_TEST(client.prints("good day\n"));   // nothing is left unread: a FIN, and no reset
  client.kill();

  std::string rest(16, '\0');
  error_code ended;
  BOOST_TEST(peer.read_some(asio::buffer(rest), ended) == 0u);
  BOOST_TEST(ended == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(curl_fetches_ten_megabytes) {
  std::string const output = pki().directory.path() / "fetched";
  process client(curl({"--output", output, url()}));
  blocking::stream peer = accept();
  BOOST_TEST(read_until(peer, "\r\n\r\n").starts_with("GET / HTTP/1.1\r\n"));
  std::string const body(10 << 20, 'x');
  peer.write(asio::buffer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body));
  peer.shutdown();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST((content_of(output) == body));
}

BOOST_AUTO_TEST_CASE(a_client_that_refuses_us_does_not_end_the_listener) {
  process stranger(s_client(listener.port(), {}, "localhost", pki().strangers_root_file));
  BOOST_TEST((refused().alert() == alert::unknown_ca));
  BOOST_TEST(stranger.wait() != 0);

  process another(curl({url()}, pki().strangers_root_file));
  BOOST_TEST((refused().alert() == alert::unknown_ca));
  BOOST_TEST(another.wait() == 60);

  process client(s_client(listener.port()));
  BOOST_TEST(accept().info().version == "TLSv1.3");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::blocking_test
