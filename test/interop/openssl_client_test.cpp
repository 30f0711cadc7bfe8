// A cotls listener, and `openssl s_client` as its peer.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "served.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <string>
#include <vector>

namespace cotls::test {
namespace {

namespace data = boost::unit_test::data;
using words = std::vector<std::string>;

certificates const& pki() { return certificates::all(); }

// Trusts the root file and no other; verifies for localhost unless told otherwise.
words s_client(int port, words const& more = {}, std::string const& host = "localhost",
               std::string const& roots = pki().root_file) {
  words command{"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port),
                "-CAfile", roots, "-no-CApath", "-no-CAstore", "-verify_return_error",
                "-verify_hostname", host, "-brief"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

bool says(process const& peer, std::string_view text) {
  return peer.errors().find(text) != std::string::npos ||
         peer.output().find(text) != std::string::npos;
}

// What s_client calls a version, to ask for it and to report it.
struct version {
  char const* option;
  char const* name;
};
std::ostream& operator<<(std::ostream& out, version const& one) { return out << one.name; }

version const tls1_2{"-tls1_2", "TLSv1.2"};
version const tls1_3{"-tls1_3", "TLSv1.3"};
auto const both_versions = data::make({tls1_2, tls1_3});

// Digits only: some letters at the start of a line are commands to s_client.
std::string digits(std::size_t size) {
  std::string text(size, '\n');
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 1000 != 999) text[i] = static_cast<char>('0' + i * 7 % 10);
  }
  return text;
}

server_context asking_for_certificates(verify mode) {
  server_context made = certificates::serve(pki().localhost);
  made.add_root(pki().root.certificate()).set_verify(mode);
  return made;
}

words certificate_of(entity const& who) {
  return {"-cert", who.files.certificate, "-key", who.files.key,
          "-cert_chain", who.files.intermediates};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openssl_client)

BOOST_DATA_TEST_CASE(each_version_is_negotiated, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(peer.output() == "good day\n");
  BOOST_TEST(says(peer, std::string("Protocol version: ") + asked.name));
  BOOST_TEST(says(peer, "Verification: OK"));
  BOOST_TEST(says(peer, "Verified peername: localhost"));

  served const report = server.next();
  BOOST_TEST(report.info.version == asked.name);
  BOOST_TEST(says(peer, "Ciphersuite: " + report.info.suite));
  BOOST_TEST(!report.info.resumed);
  BOOST_TEST(!report.failure.has_value());
}

BOOST_AUTO_TEST_CASE(a_version_the_context_does_not_speak_is_refused) {
  server_thread server(certificates::serve(pki().localhost, protocol::tls1_3), greet);
  process peer(s_client(server.port(), {"-tls1_2"}));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "alert protocol version"));

  served const report = server.next();
  BOOST_TEST(!report.accepted);
  BOOST_REQUIRE(report.failure.has_value());
  BOOST_TEST(report.failure->what() == "", boost::test_tools::per_element() << "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
