// Keys in a TPM, by `handle:` URIs of tpm2-openssl.

#include "device_cases.hpp"
#include "print.hpp"
#include "served.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::tpm_test {
namespace {

certificates const& pki() { return certificates::all(); }

device_key const& ec_key() {
  static device_key const kept(soft_tpm::get(), pki().localhost);
  return kept;
}

device_key const& rsa_key() {
  static device_key const kept(soft_tpm::get(), pki().localhost_rsa);
  return kept;
}

device_key const& client_key() {
  static device_key const kept(soft_tpm::get(), pki().client);
  return kept;
}

auto is_installed(boost::unit_test::test_unit_id) { return soft_tpm::is_installed(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(keys_in_a_tpm, *boost::unit_test::precondition(is_installed))

BOOST_DATA_TEST_CASE(curl_fetches_a_page, both_versions, asked) {
  curl_fetches_a_page_of_its_server(ec_key(), asked);
  curl_fetches_a_page_of_its_server(rsa_key(), asked);
}

BOOST_DATA_TEST_CASE(s_client_verifies_a_server, both_versions, asked) {
  s_client_verifies_its_server(ec_key(), asked);
  s_client_verifies_its_server(rsa_key(), asked);
}

BOOST_DATA_TEST_CASE(s_server_verifies_a_client, both_versions, asked) {
  s_server_verifies_its_client(client_key(), asked);
}

BOOST_AUTO_TEST_CASE(a_key_is_refused_with_the_certificate_of_another) {
  it_is_refused_with_the_certificate_of_another(ec_key(), pki().client);
}

BOOST_AUTO_TEST_CASE(a_handle_of_nothing_is_named) { a_uri_of_nothing_is_named(soft_tpm::get()); }

BOOST_AUTO_TEST_CASE(a_handle_is_of_an_unknown_scheme_without_the_provider) {
  a_uri_is_of_an_unknown_scheme_without_the_provider(soft_tpm::get(), ec_key());
}

BOOST_AUTO_TEST_CASE(several_clients_are_served_at_once) { serves_several_at_once(ec_key()); }

// The last one: tpm2-openssl may not find its way back to a device that has failed it.
BOOST_AUTO_TEST_CASE(when_the_device_stops_handshakes_fail_at_once_with_an_alert) {
  server_thread server(ec_key().serve(), greet);
  process before(s_client(server.port(), {"-ign_eof"}));
  BOOST_TEST(before.wait() == 0, before.errors());
  BOOST_TEST(!server.next().failure.has_value());

  soft_tpm::get().stop();
  for (char const* version : {"-tls1_2", "-tls1_3"}) {
    process after(s_client(server.port(), {version, "-ign_eof"}));
    BOOST_TEST(after.wait() != 0);
    BOOST_TEST(says(after, "SSL alert number"), after.errors());
    served const failed = server.next();
    BOOST_TEST_REQUIRE(failed.failure.has_value());
    BOOST_TEST(std::string(failed.failure->what()).find("tpm2: ") != std::string::npos,
               failed.failure->what());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tpm_test
