// `cotls connect`, to servers of others.

#include "tool_peers.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::test::tool_connect_test {
namespace {

certificates const& pki() { return certificates::all(); }

std::string much_text() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "line " + std::to_string(i) + '\n';
  return text;
}

std::string in_capitals(std::string text) {
  for (char& each : text) {
    if (each >= 'a' && each <= 'z') each = static_cast<char>(each - 'a' + 'A');
  }
  return text;
}

// A server that answers in capitals once it has all: our end must reach it, and its answer us.
void check_half_close(peer_server& server) {
  process client(trusting_tool("connect", server.address(), {"-v", "--half-close"}));
  std::string const text = much_text();
  client.give(text);
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST((client.output() == in_capitals(text)));
  BOOST_TEST(says(client, "verified: CN=localhost"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_connect_peers)

BOOST_DATA_TEST_CASE(openssl_sends_lines_back, both_versions, asked) {
  openssl_server server({"-rev", asked.option, "-alpn", "http/1.1"});
  process client(trusting_tool("connect", server.address(),
                               {"-v", "--alpn", "http/1.1", "--half-close"}));
  client.give("desserts\n");
  BOOST_TEST(client.prints("stressed\n"));
  BOOST_TEST(says(client, std::string("\n") + asked.name + ", "));
  BOOST_TEST(says(client, ", ALPN http/1.1\n"));
  client.end_input();
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(openssl_is_refused_for_each_flaw) {
  openssl_server expired({}, pki().expired);
  openssl_server elsewhere({}, pki().elsewhere);
  openssl_server unknown;
  struct {
    words command;
    char const* reason;
  } const flaws[] = {
      {trusting_tool("connect", expired.address()), "has expired"},
      {trusting_tool("connect", elsewhere.address()), "is for another host name"},
      {tool({"connect", unknown.address(), "--ca", pki().strangers_root_file}),
       "leads to no trusted root"},
  };
  for (auto const& flaw : flaws) {
    process client(flaw.command);
    BOOST_TEST(client.wait() == 4);
    BOOST_TEST(client.output() == "");
    BOOST_TEST(says(client, flaw.reason), client.errors());
  }
}

BOOST_AUTO_TEST_CASE(openssl_lets_us_in_by_our_certificate) {
  openssl_server server({"-rev", "-Verify", "3", "-verify_return_error", "-CAfile",
                         pki().root_file});
  chain_files const ours(pki().client);
  process client(trusting_tool("connect", server.address(),
                               {"--cert", ours.chain, "--key", ours.key, "--half-close"}));
  client.give("abc\n");
  BOOST_TEST(client.prints("cba\n"));
  client.end_input();   // s_server serves one client at a time
  BOOST_TEST(client.wait() == 0);
  process stranger(trusting_tool("connect", server.address()));
  BOOST_TEST(stranger.wait() == 4);
}

BOOST_AUTO_TEST_CASE(gnutls_sends_back_what_it_is_sent) {
  gnutls_server server;
  process client(trusting_tool("connect", server.address(), {"-v", "--half-close"}));
  client.give("good day\n");
  BOOST_TEST(client.prints("good day\n"));
  BOOST_TEST(says(client, "TLSv1.3, "));
  client.end_input();
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(nginx_answers_a_request) {
  temporary_directory const directory;
  nginx_server server(directory);
  process client(trusting_tool("connect", server.address(), {"--alpn", "http/1.1"}));
  client.give("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  BOOST_TEST(client.prints(nginx_server::page));
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output().starts_with("HTTP/1.1 200 OK\r\n"));
}

BOOST_AUTO_TEST_CASE(python_sees_our_end_and_answers) {
  python_server server;
  check_half_close(server);
  BOOST_TEST(server.program().wait() == 0);
}

BOOST_AUTO_TEST_CASE(node_sees_our_end_and_answers) {
  node_server server;
  check_half_close(server);
}

// Node's HTTPS server takes a client's close_notify for the end of all, and answers no more.
BOOST_AUTO_TEST_CASE(node_answers_a_request_whose_end_it_is_not_told) {
  node_https_server server;
  constexpr char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  process client(trusting_tool("connect", server.address()));
  client.give(request);
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output().starts_with("HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(says(client, "a late answer"));

  process hasty(trusting_tool("connect", server.address(), {"--half-close"}));
  hasty.give(request);
  hasty.end_input();
  BOOST_TEST(hasty.wait() == 5);
  BOOST_TEST(hasty.output() == "");
  BOOST_TEST(says(hasty, "leave --half-close out"));
}

BOOST_AUTO_TEST_CASE(python_never_says_goodbye_and_may_be_tolerated) {
  curt_python_server server;
  process strict(trusting_tool("connect", server.address()));
  BOOST_TEST(strict.wait() == 5);
  BOOST_TEST(strict.output() == "all there is");
  BOOST_TEST(says(strict, "[cotls: stream_truncated]"));
  process tolerant(trusting_tool("connect", server.address(), {"--ignore-unexpected-eof"}));
  BOOST_TEST(tolerant.wait() == 0);
  BOOST_TEST(tolerant.output() == "all there is");
}

BOOST_AUTO_TEST_CASE(openssl_asks_for_a_certificate_in_vain) {
  for (char const* version : {"-tls1_2", "-tls1_3"}) {
    openssl_server server({version, "-Verify", "3", "-verify_return_error", "-CAfile",
                           pki().root_file});
    process client(trusting_tool("connect", server.address()));
    BOOST_TEST(client.wait() == 4);
    BOOST_TEST(says(client, "the peer asks for a certificate and was given none"),
               client.errors());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tool_connect_test
