// Early data with OpenSSL's own command and GnuTLS's, at either end.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace cotls::test::early_data_interop_test {
namespace {

certificates const& pki() { return certificates::all(); }

using namespace std::chrono_literals;

constexpr char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

std::string contents(std::string const& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// `cotls serve`, which takes early data, and a request in a file.
struct fixture {
  temporary_directory directory;
  std::string const page = directory.write("index.html", "a page\n");
  std::string const file = directory.write(".request", request);
  std::string const session = (directory.path() / ".session").string();

  std::vector<std::string> serve_words() {
    return {"--www", directory.path().string(), "--early-data",
            "--cert", directory.write(".chain", contents(pki().localhost.files.certificate) +
                                                    contents(pki().localhost.files.intermediates)),
            "--key", pki().localhost.files.key};
  }

  // With what it says of the handshake, which `-brief` leaves out.
  static words s_client(int port, words const& more) {
    return words{"openssl",  "s_client",      "-connect",   "127.0.0.1:" + std::to_string(port),
                 "-CAfile",  pki().root_file, "-no-CApath", "-no-CAstore",
                 "-tls1_3",  "-ign_eof",      "-servername", "localhost"} + more;
  }
};

// A connection to `s_server`, which prints what it is told.
connection_info tell(int port, client_context const& client, std::string const& text) {
  blocking::stream peer = blocking::connect("localhost", port, client,
                                            connect_options().early_data(asio::buffer(text)));
  peer.set_timeout(500ms);
  // What comes behind the handshake is the session that the next connection is resumed by.
  std::array<char, 1> byte;
  error_code none;
  peer.read_some(asio::buffer(byte), none);
  BOOST_TEST(none == asio::error::timed_out);
  connection_info const known = peer.info();
  peer.shutdown(none);
  return known;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(early_data_interop, fixture)

BOOST_AUTO_TEST_CASE(s_client_sends_it_once) {
  serving_tool server(serve_words());
  process first(s_client(server.port(), {"-sess_out", session}));
  first.give(request);
  BOOST_TEST(first.wait() == 0);
  BOOST_TEST(says(first, "HTTP/1.1 200 OK"));
  process next(s_client(server.port(), {"-sess_in", session, "-early_data", file}));
  BOOST_TEST(next.wait() == 0);
  BOOST_TEST(says(next, "Early data was accepted"));
  BOOST_TEST(says(next, "HTTP/1.1 200 OK"));
  // The same session again: what is said early is not read, so that nobody is answered.
  process again(s_client(server.port(), {"-sess_in", session, "-early_data", file}));
  BOOST_TEST(again.prints("Early data was rejected"));
}

BOOST_AUTO_TEST_CASE(gnutls_cli_sends_it) {
  serving_tool server(serve_words());
  process peer(words{"gnutls-cli", "-r", "--waitresumption", "--earlydata=" + file,
                     "--x509cafile=" + pki().root_file, "localhost", "-p",
                     std::to_string(server.port())});
  peer.end_input();
  BOOST_TEST(peer.prints("HTTP/1.1 200 OK"));
  BOOST_TEST(peer.prints("a page"));
}

BOOST_AUTO_TEST_CASE(s_server_accepts_it) {
  s_server server({"-early_data", "-tls1_3"});
  client_context const client = certificates::trust(pki().root);
  BOOST_TEST((tell(server.port(), client, "behind").early_data == early_data::sent_late));
  BOOST_TEST(server.prints("behind"));
  for (int again = 0; again < 2; ++again) {
    connection_info const known = tell(server.port(), client, "before");
    BOOST_TEST((known.early_data == early_data::accepted));
    BOOST_TEST(known.resumed);
  }
  BOOST_TEST(server.prints("before"));
  BOOST_TEST(server.prints("End of early data"));
}

// The same session at a server that has lost it.
BOOST_AUTO_TEST_CASE(s_server_that_rejects_it_reads_it_behind_the_handshake) {
  client_context const client = certificates::trust(pki().root);
  std::optional<s_server> server(std::in_place, words{"-early_data", "-tls1_3"});
  tell(server->port(), client, "first");
  int const port = server->port();
  server.reset();
  process again(words{"openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port),
                      "-no-CApath", "-no-CAstore", "-cert", pki().localhost.files.certificate, "-key",
                      pki().localhost.files.key, "-cert_chain", pki().localhost.files.intermediates,
                      "-tls1_3", "-early_data"});
  BOOST_TEST(again.prints("ACCEPT"));
  BOOST_TEST((tell(port, client, "second").early_data == early_data::sent_late));
  BOOST_TEST(again.prints("second"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::early_data_interop_test
