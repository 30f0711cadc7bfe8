// Sessions that outlive a process, between cotls and OpenSSL's own command.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "served.hpp"

#include <cotls/blocking.hpp>
#include <cotls/session.hpp>
#include <cotls/ticket_keys.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace cotls::test::openssl_sessions_test {
namespace {

certificates const& pki() { return certificates::all(); }

std::vector<unsigned char> secret(unsigned char seed) {
  return std::vector<unsigned char>(32, seed);
}

server_context with_keys(ticket_keys const& keys) {
  return certificates::serve(pki().localhost).set_ticket_keys(keys);
}

// A connection of `s_client`; whether it was resumed says the server.
bool resumed_by_s_client(server_context const& by, version const& asked, words const& more) {
  server_thread server(by, greet);
  process peer(s_client(server.port(), words{asked.option, "-ign_eof"} + more));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(peer.output() == "good day\n");
  served const report = server.next();
  BOOST_TEST(!report.failure.has_value());
  return report.info.resumed;
}

// A connection to `s_server -rev`, and the session that it gives.
struct visit {
  bool resumed = false;
  std::vector<unsigned char> session;
};

visit visit_s_server(int port, connect_options const& how) {
  blocking::stream peer =
      blocking::connect("localhost", port, certificates::trust(pki().root), how);
  peer.set_timeout(process::patience);
  visit seen;
  seen.resumed = peer.info().resumed;
  peer.write(asio::buffer("desserts\n", 9));
  std::string answer(9, '\0');
  peer.read(asio::buffer(answer));
  BOOST_TEST(answer == "stressed\n");
  auto const given = peer.session();
  BOOST_REQUIRE(given.has_value());
  seen.session = given->bytes();
  peer.shutdown();
  return seen;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openssl_sessions)

BOOST_DATA_TEST_CASE(s_client_resumes_at_a_server_with_the_same_secret, both_versions, asked) {
  temporary_directory const directory;
  std::string const file = (directory.path() / "session").string();
  auto const derived = [](unsigned char seed) {
    return with_keys(ticket_keys::from_secret(secret(seed)));
  };
  BOOST_TEST(!resumed_by_s_client(derived(1), asked, {"-sess_out", file}));
  BOOST_TEST(resumed_by_s_client(derived(1), asked, {"-sess_in", file}));
  BOOST_TEST(!resumed_by_s_client(derived(2), asked, {"-sess_in", file}));
}

BOOST_DATA_TEST_CASE(s_client_resumes_at_a_server_that_was_given_the_keys, both_versions, asked) {
  temporary_directory const directory;
  std::string const file = (directory.path() / "session").string();
  ticket_keys const keys;
  BOOST_TEST(!resumed_by_s_client(with_keys(keys), asked, {"-sess_out", file}));
  ticket_keys const handed_over = ticket_keys::from_bytes(keys.bytes());
  BOOST_TEST(resumed_by_s_client(with_keys(handed_over), asked, {"-sess_in", file}));
  BOOST_TEST(!resumed_by_s_client(with_keys(ticket_keys()), asked, {"-sess_in", file}));
}

BOOST_DATA_TEST_CASE(what_s_server_gives_is_resumed_from_its_bytes, both_versions, asked) {
  s_server server({"-rev", asked.option});
  visit const first = visit_s_server(server.port(), connect_options());
  BOOST_TEST(!first.resumed);
  visit const second = visit_s_server(
      server.port(), connect_options().session(session::from_bytes(first.session)));
  BOOST_TEST(second.resumed);
  visit const third = visit_s_server(
      server.port(), connect_options().session(session::from_bytes(second.session)));
  BOOST_TEST(third.resumed);
  s_server another({"-rev", asked.option});
  // At another port it is not offered, and would not be known.
  visit const elsewhere = visit_s_server(
      another.port(), connect_options().session(session::from_bytes(third.session)));
  BOOST_TEST(!elsewhere.resumed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::openssl_sessions_test
