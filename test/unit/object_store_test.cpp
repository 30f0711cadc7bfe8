// Keys and certificates by URI: files, and a device that a provider of OpenSSL's knows.

#include "failure_of.hpp"
#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/error.hpp>
#include <cotls/identity.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <string_view>

namespace cotls::test::object_store_test {
namespace {

private_key const& ec_key() {
  static private_key const made = private_key::generate();
  return made;
}

std::string encrypted(private_key const& key, std::string const& password) {
  detail::bio_ptr const to(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(to.get(), key.native_handle(), EVP_aes_256_cbc(), password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  char* data = nullptr;
  long const size = BIO_get_mem_data(to.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string der_of(private_key const& key) {
  unsigned char* written = nullptr;
  int const size = i2d_PrivateKey(key.native_handle(), &written);
  detail::openssl_memory_ptr const owned(written);
  return {reinterpret_cast<char const*>(written), static_cast<std::size_t>(size)};
}

std::string pkcs12_of(issued const& made) {
  detail::pkcs12_ptr const file(
      PKCS12_create("secret", nullptr, private_key::from_memory(made.key).native_handle(),
                    made.leaf().native_handle(), nullptr, 0, 0, 0, 0, 0));
  unsigned char* written = nullptr;
  int const size = i2d_PKCS12(file.get(), &written);
  detail::openssl_memory_ptr const owned(written);
  return {reinterpret_cast<char const*>(written), static_cast<std::size_t>(size)};
}

bool same(private_key const& one, private_key const& other) {
  return EVP_PKEY_eq(one.native_handle(), other.native_handle()) == 1;
}

error key_failure(std::string const& uri, key_options const& options = key_options()) {
  return failure_of([&] { private_key::from_uri(uri, options); });
}

bool says(error const& thrown, std::string_view text) {
  return std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

struct fixture {
  temporary_directory directory;

  std::string uri(std::string const& name, std::string_view contents) const {
    return "file:" + directory.write(name, contents);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(object_stores, fixture)

BOOST_AUTO_TEST_CASE(a_key_of_a_file_is_found_in_whatever_format) {
  BOOST_TEST(same(private_key::from_uri(uri("key.pem", ec_key().pem())), ec_key()));
  BOOST_TEST(same(private_key::from_uri(uri("key.der", der_of(rsa_key()))), rsa_key()));
  std::string const path = directory.write("plain.pem", ec_key().pem());
  BOOST_TEST(same(private_key::from_uri(path), ec_key()));
  BOOST_TEST(same(private_key::from_uri("file://" + path), ec_key()));
}

BOOST_AUTO_TEST_CASE(the_first_key_is_taken_that_the_options_allow) {
  std::string const both =
      uri("both.pem", rsa_identity().chain().leaf().pem() + ec_key().pem() + rsa_key().pem());
  BOOST_TEST(same(private_key::from_uri(both), ec_key()));
  BOOST_TEST(same(private_key::from_uri(both, key_options().rsa_only()), rsa_key()));
  error const none = key_failure(uri("ec.pem", ec_key().pem()), key_options().rsa_only());
  BOOST_TEST((none.code() == errc::no_private_key_found));
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_is_read_with_its_password_alone) {
  std::string const file = uri("key.pem", encrypted(ec_key(), "secret"));
  BOOST_TEST(same(private_key::from_uri(file, key_options().password("secret")), ec_key()));
  BOOST_TEST((key_failure(file).code() == errc::password_required));
  error const wrong = key_failure(file, key_options().password("guess"));
  BOOST_TEST((wrong.code() == errc::wrong_password));
  BOOST_TEST(says(wrong, "loading the private key " + file));
  int asked = 0;
  auto const asks = [&] { ++asked; return std::string("secret"); };
  BOOST_TEST(same(private_key::from_uri(file, key_options().ask_password(asks)), ec_key()));
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(what_the_asked_throws_is_passed_on) {
  struct given_up {};
  auto const gives_up = [] { throw given_up(); return std::string(); };
  std::string const file = uri("key.pem", encrypted(ec_key(), "secret"));
  BOOST_CHECK_THROW(private_key::from_uri(file, key_options().ask_password(gives_up)), given_up);
}

BOOST_AUTO_TEST_CASE(a_pkcs12_file_has_a_key_and_a_certificate) {
  issued const made = authority("root.test").issue(certificate_request({"leaf.test"}));
  std::string const file = uri("identity.p12", pkcs12_of(made));
  key_options const secret = key_options().password("secret");
  BOOST_CHECK_NO_THROW(identity(certificate_chain::from_uri(file, secret),
                                private_key::from_uri(file, secret)));
  BOOST_TEST((key_failure(file, key_options().password("guess")).code() == errc::wrong_password));
  BOOST_TEST((failure_of([&] { certificate_chain::from_uri(file); }).code() ==
              errc::password_required));
}

BOOST_AUTO_TEST_CASE(certificates_come_in_their_order_and_keys_beside_them_are_passed_over) {
  authority const intermediate = authority("root.test").make_intermediate("intermediate.test");
  issued const made = intermediate.issue(certificate_request({"leaf.test"}));
  std::string const file = uri("bundle.pem", made.certificate + encrypted(ec_key(), "secret") +
                                                 "a remark\n" + made.intermediates);
  certificate_chain const chain = certificate_chain::from_uri(file);
  BOOST_REQUIRE(chain.certificates().size() == 2u);
  BOOST_TEST(chain.leaf().subject() == "CN=leaf.test");
  BOOST_TEST(chain.certificates().back().subject() == "CN=intermediate.test");
}

BOOST_AUTO_TEST_CASE(where_there_is_nothing_of_the_kind_it_is_said) {
  std::string const certificate_file = uri("a.pem", rsa_identity().chain().leaf().pem());
  error const no_key = key_failure(certificate_file);
  BOOST_TEST((no_key.code() == errc::no_private_key_found));
  BOOST_TEST(says(no_key, certificate_file));
  std::string const key_file = uri("key.pem", ec_key().pem());
  error const no_chain = failure_of([&] { certificate_chain::from_uri(key_file); });
  BOOST_TEST((no_chain.code() == errc::no_certificate_found));
  BOOST_TEST(says(no_chain, "loading the certificate chain " + key_file));
  BOOST_TEST((key_failure(uri("text", std::string(1'000'000, 'x'))).code() ==
              errc::no_private_key_found));
  BOOST_TEST((key_failure("file:" + directory.path().string()).code() ==
              errc::no_private_key_found));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_keeps_the_systems_error) {
  std::string const path = (directory.path() / "none.pem").string();
  for (std::string const& named : {path, "file:" + path}) {
    error const thrown = key_failure(named);
    BOOST_TEST((thrown.code() == boost::system::errc::no_such_file_or_directory));
    BOOST_TEST(says(thrown, named));
  }
}

BOOST_AUTO_TEST_CASE(a_scheme_that_nobody_knows_is_named) {
  for (std::string const unknown : {"nothing:key", "nothing://key"}) {
    error const thrown = key_failure(unknown);
    BOOST_TEST((thrown.code() == errc::invalid_setting));
    BOOST_TEST(says(thrown, "loading the private key " + unknown));
  }
}

BOOST_AUTO_TEST_CASE(no_error_tells_the_pin) {
  error const thrown = key_failure("nothing:object=key?pin-value=12345&module-name=x");
  BOOST_TEST(says(thrown, "nothing:object=key?pin-value=***&module-name=x"));
  BOOST_TEST(!says(thrown, "12345"));
  BOOST_TEST(thrown.openssl_stack().find("12345") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

// A device of which OpenSSL is told by a provider: its scheme is "drawer", it has one key, and it
// wants a PIN first.
namespace drawer {
namespace {

struct session {
  bool has_key;
  bool over = false;
};

void* open(void*, char const* uri) {
  std::string_view const name(uri);
  if (name != "drawer:key" && name != "drawer:empty") return nullptr;
  return new session{name == "drawer:key"};
}

int load(void* at, OSSL_CALLBACK* give, void* taker, OSSL_PASSPHRASE_CALLBACK* ask, void* asked) {
  static_cast<session*>(at)->over = true;
  char pin[16] = {};
  std::size_t size = 0;
  if (ask(pin, sizeof pin, &size, nullptr, asked) != 1) return 0;
  if (std::string_view(pin, size) != "1234") {
    ERR_raise(ERR_LIB_USER, ERR_R_OPERATION_FAIL);
    return 0;
  }
  if (!static_cast<session*>(at)->has_key) return 0;
  std::string key = der_of(ec_key());
  int type = OSSL_OBJECT_PKEY;
  char name[] = "EC";
  char structure[] = "type-specific";
  OSSL_PARAM const object[] = {
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, name, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE, structure, 0),
      OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, key.data(), key.size()),
      OSSL_PARAM_construct_end()};
  return give(object, taker);
}

int is_over(void* at) { return static_cast<session*>(at)->over ? 1 : 0; }

int close(void* at) {
  delete static_cast<session*>(at);
  return 1;
}

template <class Function>
constexpr OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

OSSL_ALGORITHM const* query(void*, int operation, int* may_be_kept) {
  static OSSL_DISPATCH const functions[] = {
      entry(OSSL_FUNC_STORE_OPEN, open), entry(OSSL_FUNC_STORE_LOAD, load),
      entry(OSSL_FUNC_STORE_EOF, is_over), entry(OSSL_FUNC_STORE_CLOSE, close), {0, nullptr}};
  static OSSL_ALGORITHM const stores[] = {{"drawer", "provider=drawer", functions, "a drawer"},
                                          {nullptr, nullptr, nullptr, nullptr}};
  *may_be_kept = 0;
  return operation == OSSL_OP_STORE ? stores : nullptr;
}

int begin(OSSL_CORE_HANDLE const*, OSSL_DISPATCH const*, OSSL_DISPATCH const** functions,
          void** provider) {
  static OSSL_DISPATCH const own[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                      {0, nullptr}};
  static int anything;
  *functions = own;
  *provider = &anything;
  return 1;
}

// OpenSSL loads its default provider by itself only as long as no other is. It stays for the tests
// that come after.
class loaded {
 public:
  loaded() {
    static OSSL_PROVIDER* const standard = OSSL_PROVIDER_load(nullptr, "default");
    BOOST_REQUIRE(standard);
    OSSL_PROVIDER_add_builtin(nullptr, "drawer", begin);
    drawer_.reset(OSSL_PROVIDER_load(nullptr, "drawer"));
    BOOST_REQUIRE(drawer_);
  }

 private:
  std::unique_ptr<OSSL_PROVIDER, detail::openssl_deleter<OSSL_PROVIDER_unload>> drawer_;
};

}  // namespace
}  // namespace drawer

BOOST_FIXTURE_TEST_SUITE(object_stores_of_a_provider, drawer::loaded)

BOOST_AUTO_TEST_CASE(a_key_is_found_with_the_pin_alone) {
  BOOST_TEST(same(private_key::from_uri("drawer:key", key_options().password("1234")), ec_key()));
  BOOST_TEST((key_failure("drawer:key").code() == errc::password_required));
  BOOST_TEST((key_failure("drawer:key", key_options().password("9")).code() ==
              errc::wrong_password));
}

BOOST_AUTO_TEST_CASE(what_the_device_does_not_have_is_an_error_that_names_it) {
  BOOST_TEST(says(key_failure("drawer:nothing"), "drawer:nothing"));
  error const empty = key_failure("drawer:empty", key_options().password("1234"));
  BOOST_TEST((empty.code() == errc::no_private_key_found));
  BOOST_TEST(says(empty, "drawer:empty"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::object_store_test
