// Keys that sign elsewhere, as keys: what they are made of, and what is known of them.

#include "engine_pair.hpp"
#include "failure_of.hpp"
#include "key_elsewhere.hpp"
#include "openssl/openssl_ptr.hpp"
#include "print.hpp"

#include <cotls/context.hpp>
#include <cotls/error.hpp>

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test::signer_key_test {
namespace {

key_elsewhere const& key_of(std::string const& kind) {
  static std::map<std::string, key_elsewhere> made;
  return made.try_emplace(kind, kind).first->second;
}

std::string public_pem(private_key const& key) {
  detail::bio_ptr const to(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(to.get(), key.native_handle());
  char* text = nullptr;
  long const size = BIO_get_mem_data(to.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signer_keys)

BOOST_AUTO_TEST_CASE(the_public_key_alone_will_do) {
  for (std::string const kind : {"P-384", "RSA", "RSA-PSS", "ED448"}) {
    key_elsewhere const& key = key_of(kind);
    private_key const made = private_key::from_signer(public_pem(key.key()), key.messages());
    server_context const server =
        server_context().use(identity(certificate_chain({key.leaf()}), made));
    client_context const client = client_context().add_root(key.leaf());
    BOOST_TEST(engine_pair(client, server, client_options().host("localhost")).connect(), kind);
    BOOST_TEST(made.kind() == key.key().kind());
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_public_key_or_cannot_sign_is_refused) {
  signer const unused = key_of("P-256").messages();
  auto const refused = [&](std::string const& pem) {
    return failure_of([&] { private_key::from_signer(pem, unused); }).code();
  };
  BOOST_TEST((refused("no key") == errc::no_public_key_found));
  BOOST_TEST((refused(key_of("P-256").leaf().pem()) == errc::no_public_key_found));
  BOOST_TEST((refused(public_pem(make_key("X25519"))) == errc::unsupported_key));
}

BOOST_AUTO_TEST_CASE(the_key_itself_is_not_to_be_had) {
  key_elsewhere const& key = key_of("P-256");
  private_key const made = private_key::from_signer(key.leaf(), key.messages());
  BOOST_CHECK_THROW(made.pem(), error);
  BOOST_TEST(public_pem(made) == public_pem(key.key()));
}

BOOST_AUTO_TEST_CASE(each_scheme_has_a_name_and_a_hash_that_openssl_knows) {
  std::vector<std::string_view> names;
  for (unsigned number = 0; number <= 0xffff; ++number) {
    auto const each = static_cast<signature_scheme>(number);
    std::string_view const name = to_string(each);
    if (name == "unknown") continue;
    names.push_back(name);
    bool const hashes = !name.starts_with("ed");
    BOOST_TEST(hash_of(each).empty() == !hashes);
    BOOST_TEST(signature_request(each, {1, 2, 3}).digest().empty() == !hashes);
  }
  BOOST_TEST(names.size() == 18u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::signer_key_test
