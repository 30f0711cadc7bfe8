// `cotls inspect`, of servers of others.

#include "tool_peers.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::test::tool_inspect_test {
namespace {

namespace json = boost::json;

certificates const& pki() { return certificates::all(); }

// What the command says of a server, and exits with.
struct findings {
  explicit findings(words const& command) {
    process looking(command);
    code = looking.wait();
    BOOST_TEST_REQUIRE(looking.errors() == "");
    seen = json::parse(looking.output()).as_object();
  }

  std::string text(char const* member) const {
    json::value const& found = seen.at(member);
    return found.is_null() ? "null" : std::string(found.as_string());
  }

  std::string reason() const {
    std::string const whole = text("reason");
    return whole.substr(0, whole.find(" ("));
  }

  json::object const& certificate(std::size_t depth) const {
    return seen.at("chain").as_array().at(depth).as_object();
  }

  int code = -1;
  json::object seen;
};

words inspecting(std::string const& address, words const& more = {}) {
  return trusting_tool("inspect", address, words{"--json"} + more);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_inspect_peers)

BOOST_AUTO_TEST_CASE(openssl_is_shown_with_its_chain) {
  openssl_server server({"-alpn", "http/1.1"});
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 0);
  BOOST_TEST(found.text("reason") == "null");
  BOOST_TEST(found.text("version") == "TLSv1.3");
  BOOST_TEST(found.text("alpn") == "http/1.1");
  BOOST_TEST(found.text("resumption") == "resumed");
  BOOST_TEST(found.seen.at("chain").as_array().size() == 2u);
  BOOST_TEST(found.certificate(0).at("subject").as_string() == "CN=localhost");
  BOOST_TEST(found.certificate(0).at("issuer").as_string() == "CN=cotls test intermediate");
  BOOST_TEST(found.certificate(1).at("issuer").as_string() == "CN=cotls test root");
}

// What `openssl x509` says of the same certificate.
BOOST_AUTO_TEST_CASE(openssl_says_the_same_of_a_certificate) {
  openssl_server server({}, pki().localhost_rsa);
  findings const found(inspecting(server.address()));
  json::object const& leaf = found.certificate(0);
  BOOST_TEST(leaf.at("key").as_string() == "RSA 2048");
  process x509({"openssl", "x509", "-in", pki().localhost_rsa.files.certificate, "-noout",
                "-fingerprint", "-sha256", "-serial", "-enddate", "-dateopt", "iso_8601"});
  BOOST_TEST(x509.wait() == 0);
  BOOST_TEST(says(x509, "sha256 Fingerprint=" + std::string(leaf.at("sha256").as_string()) + "\n"));
  BOOST_TEST(says(x509, "serial=" + std::string(leaf.at("serial").as_string()) + "\n"));
  std::string date(leaf.at("not_after").as_string());
  date[date.find('T')] = ' ';
  BOOST_TEST(says(x509, "notAfter=" + date + "\n"));
}

BOOST_AUTO_TEST_CASE(an_old_openssl_is_shown) {
  openssl_server server({"-tls1_2", "-no_ticket", "-no_cache"});
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 0);
  BOOST_TEST(found.text("version") == "TLSv1.2");
  BOOST_TEST(found.text("resumption") == "no_session");
}

BOOST_AUTO_TEST_CASE(a_flaw_is_named_and_all_is_shown) {
  openssl_server expired({}, pki().expired);
  openssl_server elsewhere({}, pki().elsewhere);
  openssl_server unknown;
  struct {
    words command;
    char const* reason;
    char const* subject;
  } const flaws[] = {
      {inspecting(expired.address()), "the peer's certificate has expired", "CN=localhost"},
      {inspecting(elsewhere.address()), "the peer's certificate is for another host name",
       "CN=elsewhere.example"},
      {tool({"inspect", unknown.address(), "--json", "--ca", pki().strangers_root_file}),
       "the peer's chain leads to no trusted root: the authority is unknown, or the peer does not "
       "send an intermediate certificate",
       "CN=localhost"},
  };
  for (auto const& flaw : flaws) {
    findings const found(flaw.command);
    BOOST_TEST(found.code == 4);
    BOOST_TEST(!found.seen.at("verified").as_bool());
    BOOST_TEST(found.reason() == flaw.reason);
    BOOST_TEST(found.certificate(0).at("subject").as_string() == flaw.subject);
    BOOST_TEST(found.text("resumption") == "resumed");
  }
}

// Inside the handshake in TLS 1.2, behind it in TLS 1.3.
BOOST_DATA_TEST_CASE(openssl_that_wants_a_certificate_is_shown, both_versions, asked) {
  openssl_server server({asked.option, "-Verify", "3", "-verify_return_error", "-CAfile",
                         pki().root_file});
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 4);
  BOOST_TEST(found.seen.at("verified").as_bool());
  BOOST_TEST(found.text("refused").starts_with(
      "the peer asks for a certificate and was given none"));
  BOOST_TEST(found.text("version") == asked.name);
  BOOST_TEST(found.seen.at("chain").as_array().size() == 2u);
}

BOOST_AUTO_TEST_CASE(openssl_that_refuses_our_alpn_offer_is_shown_without) {
  openssl_server server({"-alpn", "imap"});
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 0);
  BOOST_TEST(found.text("alpn") == "null");
  BOOST_TEST(found.seen.at("alpn_refused").as_bool());
  BOOST_TEST(found.text("version") == "TLSv1.3");

  findings const asked(inspecting(server.address(), {"--alpn", "h3"}));
  BOOST_TEST(asked.code == 4);
  BOOST_TEST(asked.text("refused").starts_with("the peer speaks none of the ALPN protocols"));
  BOOST_TEST(asked.seen.at("verified").as_bool());
}

BOOST_AUTO_TEST_CASE(openssl_of_another_version_is_refused_without_more) {
  openssl_server server({"-tls1_2"});
  findings const found(inspecting(server.address(), {"--tls1.3"}));
  BOOST_TEST(found.code == 4);
  BOOST_TEST(found.text("refused").starts_with("the peer does not support this version"));
  BOOST_TEST(found.text("version") == "null");
  BOOST_TEST(found.seen.at("chain").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_chain_in_the_wrong_order_is_shown_as_that) {
  temporary_directory const directory;
  std::string const issuers =
      directory.write("issuers.pem", pki().root.pem() + pki().localhost.pem.intermediates);
  openssl_server server({"-cert_chain", issuers});
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 0);   // verifiers put up with it (RFC 8446 section 4.4.2)
  BOOST_TEST(found.seen.at("chain").as_array().size() == 3u);
  BOOST_TEST(!found.seen.at("chain_in_order").as_bool());
  openssl_server orderly;
  BOOST_TEST(findings(inspecting(orderly.address())).seen.at("chain_in_order").as_bool());
}

BOOST_AUTO_TEST_CASE(gnutls_is_shown) {
  gnutls_server server;
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 0);
  BOOST_TEST(found.text("version") == "TLSv1.3");
  BOOST_TEST(found.text("alpn") == "null");
}

BOOST_AUTO_TEST_CASE(nginx_is_shown) {
  temporary_directory const directory;
  nginx_server server(directory);
  findings const found(inspecting(server.address()));
  BOOST_TEST(found.code == 0);
  BOOST_TEST(found.text("alpn") == "h2");
  findings const older(inspecting(server.address(), {"--tls1.2", "--alpn", "http/1.1"}));
  BOOST_TEST(older.text("version") == "TLSv1.2");
  BOOST_TEST(older.text("alpn") == "http/1.1");
}

BOOST_AUTO_TEST_CASE(node_is_shown) {
  node_server server;
  findings const found(inspecting(server.address(), {"--groups", "P-256"}));
  BOOST_TEST(found.code == 0);
  BOOST_TEST(found.text("version") == "TLSv1.3");
  BOOST_TEST(found.text("group") == "secp256r1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tool_inspect_test
