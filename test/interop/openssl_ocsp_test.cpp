// OCSP responses that cross between cotls and `openssl s_server` or `openssl s_client`.

#include "certificates.hpp"
#include "ocsp.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "served.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace cotls::test::openssl_ocsp_test {

namespace {

certificates const& pki() { return certificates::all(); }

ocsp_answer answer() { return ocsp_answer(pki().localhost.pem.leaf(), pki().intermediate); }

words stapling(std::string const& name, ocsp_answer const& what) {
  return {"-rev", "-status_file", pki().directory.write(name, what.der())};
}

// Why a client that asks is not content; empty when it is.
std::string refusal(s_server const& peer, ocsp wanted) {
  client_context const context = certificates::trust(pki().root).set_ocsp(wanted);
  try {
    blocking::stream stream = blocking::connect("127.0.0.1", peer.port(), context,
                                                connect_options().verify_host("localhost"));
    stream.set_timeout(process::patience);
    stream.write(asio::buffer("cotls\n", 6));
    std::string got(6, '\0');
    stream.read(asio::buffer(got));
    BOOST_TEST(got == "sltoc\n");
    return {};
  } catch (error const& failed) {
    return failed.what();
  }
}

// It does not show responses where it is to be brief.
words asking_s_client(int port, version const& asked) {
  words command = s_client(port, {asked.option, "-status", "-ign_eof"});
  std::erase(command, "-brief");
  return command;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openssl_ocsp)

BOOST_DATA_TEST_CASE(what_s_server_staples_is_good_when_it_is, both_versions, asked) {
  s_server const good(stapling("good.ocsp", answer()) + words{asked.option});
  BOOST_TEST(refusal(good, ocsp::require) == "");
  s_server const none({"-rev", asked.option});
  BOOST_TEST(refusal(none, ocsp::ask) == "");
  std::string const why = refusal(none, ocsp::require);
  BOOST_TEST(why.ends_with("[cotls: no_ocsp_response]"), why);
}

BOOST_DATA_TEST_CASE(what_s_server_staples_is_refused_when_it_is_not, both_versions, asked) {
  s_server const revoked(
      stapling("revoked.ocsp", answer().says(revocation_status::revoked)) + words{asked.option});
  std::string const why = refusal(revoked, ocsp::ask);
  BOOST_TEST(why.find("was revoked") != std::string::npos, why);
  s_server const old(stapling("old.ocsp", answer().valid(-std::chrono::hours(48),
                                                         -std::chrono::hours(24))) +
                     words{asked.option});
  std::string const expired = refusal(old, ocsp::ask);
  BOOST_TEST(expired.find("it has expired") != std::string::npos, expired);
}

BOOST_DATA_TEST_CASE(s_client_is_shown_what_was_set, both_versions, asked) {
  server_context stapled = certificates::serve(pki().localhost);
  stapled.set_ocsp_response(answer().der());
  server_thread server(stapled, greet);
  process peer(asking_s_client(server.port(), asked));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(says(peer, "OCSP Response Status: successful"));
  BOOST_TEST(says(peer, "Cert Status: good"));

  server_thread plain(certificates::serve(pki().localhost), greet);
  process without(asking_s_client(plain.port(), asked));
  BOOST_TEST(without.wait() == 0);
  BOOST_TEST(says(without, "OCSP response: no response sent"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::openssl_ocsp_test
