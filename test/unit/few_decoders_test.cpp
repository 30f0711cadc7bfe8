// A library context with few of OpenSSL's decoders: whatever a context takes without it is taken.

#include "context/context_state.hpp"
#include "engine_pair.hpp"
#include "key_elsewhere.hpp"
#include "openssl/few_decoders.hpp"
#include "openssl/library.hpp"
#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>
#include <cotls/library_options.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace cotls::test::few_decoders_test {
namespace {

namespace data = boost::unit_test::data;

auto const kinds = data::make({"P-256", "P-384", "P-521", "RSA", "RSA-PSS", "ED25519", "ED448"});
auto const versions = data::make({protocol::tls1_2, protocol::tls1_3});
auto const both_libraries = data::make({false, true});

library_options with(bool all) { return library_options().all_decoders(all); }

// What a copy of the process says.
template <class Claim>
bool in_a_child(Claim claim) {
  pid_t const child = ::fork();
  if (child == 0) ::_exit(claim() ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::size_t count_decoders(OSSL_LIB_CTX* of) {
  std::size_t count = 0;
  OSSL_DECODER_do_all_provided(
      of, [](OSSL_DECODER*, void* counted) { ++*static_cast<std::size_t*>(counted); }, &count);
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(few_decoders)

BOOST_AUTO_TEST_CASE(there_are_few_where_it_pays, *boost::unit_test::precondition([](auto) {
  return detail::decoders_are_costly();
})) {
  OSSL_LIB_CTX* const few = detail::library_of_few_decoders();
  BOOST_REQUIRE(few);
  BOOST_TEST(count_decoders(few) >= 6u);
  BOOST_TEST(count_decoders(few) * 3 <= count_decoders(nullptr));
}

BOOST_DATA_TEST_CASE(each_kind_of_key_is_shown_and_verified_by_both_ends, kinds * versions, kind,
                     version) {
  private_key const key = make_key(kind);
  certificate const shown = self_signed_by(key);
  identity const both_are(certificate_chain({shown}), key);
  server_context server(version);
  server.use(both_are).add_root(shown).set_verify(verify::required);
  client_context client(version);
  client.use(both_are).add_root(shown);
  engine_pair ends(client, server, client_options().host("localhost"));
  BOOST_TEST(ends.connect());
  BOOST_TEST(ends.client_code.message() == "Success");
  BOOST_TEST(ends.server_code.message() == "Success");
  BOOST_TEST(ends.server.peer().certificate()->key_kind() == shown.key_kind());
}

// By its handle a program loads keys of any form into a context.
BOOST_DATA_TEST_CASE(keys_are_read_by_the_handle, kinds * both_libraries, kind, all) {
  temporary_directory directory;
  private_key const key = make_key(kind);
  server_context server(with(all));
  SSL_CTX* const handle = server.native_handle();
  certificate const shown = self_signed_by(key);
  std::string const chain = directory.write("chain.pem", shown.pem());
  BOOST_TEST(SSL_CTX_use_certificate_chain_file(handle, chain.c_str()) == 1);
  std::string const plain = directory.write("key.pem", key.pem());
  BOOST_TEST(SSL_CTX_use_PrivateKey_file(handle, plain.c_str(), SSL_FILETYPE_PEM) == 1);
  std::string const locked = (directory.path() / "locked.pem").string();
  std::string const der = (directory.path() / "key.der").string();
  std::string password = "secret";
  {
    detail::bio_ptr const out(BIO_new_file(locked.c_str(), "w"));
    BOOST_REQUIRE(PEM_write_bio_PKCS8PrivateKey(out.get(), key.native_handle(), EVP_aes_256_cbc(),
                                                password.data(), 6, nullptr, nullptr) == 1);
    detail::bio_ptr const raw(BIO_new_file(der.c_str(), "w"));
    BOOST_REQUIRE(i2d_PrivateKey_bio(raw.get(), key.native_handle()) == 1);
  }
  SSL_CTX_set_default_passwd_cb_userdata(handle, password.data());
  BOOST_TEST(SSL_CTX_use_PrivateKey_file(handle, locked.c_str(), SSL_FILETYPE_PEM) == 1);
  SSL_CTX_set_default_passwd_cb_userdata(handle, nullptr);   // Asio's to delete
  BOOST_TEST(SSL_CTX_use_PrivateKey_file(handle, der.c_str(), SSL_FILETYPE_ASN1) == 1);
  BOOST_TEST(SSL_CTX_check_private_key(handle) == 1);
  engine_pair ends(client_context().add_root(shown), server, client_options().host("localhost"));
  BOOST_TEST(ends.connect());
}

BOOST_AUTO_TEST_CASE(whoever_wants_all_has_all) {
  server_context const server(with(true));
  BOOST_TEST(detail::library_of(detail::access::state(server)->handle()).all_decoders());
}

// In processes of their own: what is done to the default context stays.
BOOST_AUTO_TEST_CASE(where_the_default_context_has_more_it_has_no_substitute) {
  BOOST_TEST(in_a_child([] {
    return OSSL_PROVIDER_load(nullptr, "legacy") && !detail::library_of_few_decoders();
  }));
  BOOST_TEST(in_a_child([] {
    return OSSL_PROVIDER_load(nullptr, "null") && !detail::library_of_few_decoders();
  }));
  BOOST_TEST(in_a_child([] {
    return EVP_default_properties_enable_fips(nullptr, 1) == 1 &&
           !detail::library_of_few_decoders();
  }));
}

BOOST_AUTO_TEST_CASE(nor_where_this_thread_has_another_default) {
  OSSL_LIB_CTX* const own = OSSL_LIB_CTX_new();
  OSSL_LIB_CTX* const before = OSSL_LIB_CTX_set0_default(own);
  BOOST_TEST(!detail::library_of_few_decoders());
  OSSL_LIB_CTX_set0_default(before);
  OSSL_LIB_CTX_free(own);
  BOOST_TEST((detail::library_of_few_decoders() != nullptr) == detail::decoders_are_costly());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::few_decoders_test
