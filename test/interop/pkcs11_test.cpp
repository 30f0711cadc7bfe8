// Keys in a PKCS #11 token, by `pkcs11:` URIs of pkcs11-provider.

#include "device_cases.hpp"
#include "failure_of.hpp"
#include "print.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::pkcs11_test {
namespace {

certificates const& pki() { return certificates::all(); }

device_key const& ec_key() {
  static device_key const kept(soft_token::get(), pki().localhost);
  return kept;
}

device_key const& rsa_key() {
  static device_key const kept(soft_token::get(), pki().localhost_rsa);
  return kept;
}

auto is_installed(boost::unit_test::test_unit_id) { return soft_token::is_installed(); }

bool says(error const& thrown, std::string const& text) {
  return std::string(thrown.what()).find(text) != std::string::npos;
}

error refusal(std::string const& uri, key_options const& options = key_options()) {
  return failure_of([&] { private_key::from_uri(uri, options); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keys_in_a_token, *boost::unit_test::precondition(is_installed))

BOOST_DATA_TEST_CASE(curl_fetches_a_page, both_versions, asked) {
  curl_fetches_a_page_of_its_server(ec_key(), asked);
  curl_fetches_a_page_of_its_server(rsa_key(), asked);
}

BOOST_DATA_TEST_CASE(s_client_verifies_a_server, both_versions, asked) {
  s_client_verifies_its_server(ec_key(), asked);
  s_client_verifies_its_server(rsa_key(), asked);
}

// No client: pkcs11-provider 1.0 is given peers' certificates to verify, and in some processes
// refuses right ones.

BOOST_AUTO_TEST_CASE(a_key_does_not_leave_its_device) {
  it_leaves_its_device_as_a_signature_alone(ec_key());
}

BOOST_AUTO_TEST_CASE(a_key_is_refused_with_the_certificate_of_another) {
  it_is_refused_with_the_certificate_of_another(ec_key(), pki().client);
}

BOOST_AUTO_TEST_CASE(an_object_that_is_not_there_is_named) {
  a_uri_of_nothing_is_named(soft_token::get());
}

BOOST_AUTO_TEST_CASE(a_uri_of_a_token_is_of_an_unknown_scheme_without_the_provider) {
  a_uri_is_of_an_unknown_scheme_without_the_provider(soft_token::get(), ec_key());
}

BOOST_AUTO_TEST_CASE(several_clients_are_served_at_once) { serves_several_at_once(ec_key()); }

BOOST_AUTO_TEST_CASE(a_key_is_found_with_the_pin_alone) {
  std::string const uri = soft_token::get().keep_locked(pki().localhost);
  BOOST_TEST(refusal(uri).code() == errc::password_required);
  error const wrong = refusal(uri, key_options().password("000000"));   // the provider says nothing
  BOOST_TEST(says(wrong, uri + " (with a password, which may be wrong)"));
  BOOST_TEST(says(refusal(uri + "?pin-value=000000"), uri + "?pin-value=***"));
  BOOST_CHECK_NO_THROW(private_key::from_uri(uri + "?pin-value=" + soft_token::right_pin));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::pkcs11_test
