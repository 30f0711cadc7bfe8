// What a context refuses to load: said at the call, with the path and the reason, and with nothing
// changed.

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "failure_of.hpp"
#include "print.hpp"
#include "raw_connection.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>

namespace cotls::test::context_refusals_test {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace system_errc = boost::system::errc;

identity const& known() {
  static identity const made = make_self_signed({"known.test"});
  return made;
}

identity const& other() {
  static identity const made = make_self_signed({"other.test"});
  return made;
}

std::string der_of(certificate const& one) {
  std::vector<unsigned char> const bytes = one.der();
  return {bytes.begin(), bytes.end()};
}

bool says(error const& thrown, std::string_view text) {
  return std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

// A way to load a file into a context, and what it says when the file has not what it looks for.
struct loader {
  std::function<void(fs::path const&)> load;
  errc nothing_found;
};

// A server that asks for certificates, and a client that shows one: all that files are loaded for.
struct fixture {
  temporary_directory directory;
  server_context server = server_context()
                              .use(known())
                              .set_verify(verify::required)
                              .add_root(known().chain().leaf());
  client_context client = client_context().use(known()).add_root(known().chain().leaf());

  std::vector<loader> loaders() {
    return {
        {[this](fs::path const& path) { server.load_certificate_chain(path); },
         errc::no_certificate_found},
        {[this](fs::path const& path) { server.load_private_key(path); },
         errc::no_private_key_found},
        {[this](fs::path const& path) { server.load_verify_roots(path); },
         errc::no_certificate_found},
        {[this](fs::path const& path) { server.load_suggested_authorities(path); },
         errc::no_certificate_found},
        {[](fs::path const& path) { certificate_chain::from_der_file(path); },
         errc::no_certificate_found},
        {[](fs::path const& path) { private_key::from_file(path, key_options().der()); },
         errc::no_private_key_found},
    };
  }

  std::string file(std::string const& name, std::string_view contents) {
    return directory.write(name, contents);
  }

  raw_connection connection() const {
    return {detail::access::state(client)->handle(), detail::access::state(server)->handle()};
  }

  // The server works as it did: its certificate, its key, its roots, and no authority suggested.
  bool is_as_it_was() {
    detail::seal(client);
    detail::seal(server);
    raw_connection both = connection();
    return both.handshake() &&
           sk_X509_NAME_num(SSL_get0_peer_CA_list(both.client.get())) <= 0 &&
           certificate::from_native(SSL_get0_peer_certificate(both.client.get())).subject() ==
               "CN=known.test";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(context_refusals, fixture)

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_named_with_the_systems_reason) {
  fs::path const missing = directory.path() / "missing.pem";
  for (loader const& each : loaders()) {
    error const absent = failure_of([&] { each.load(missing); });
    BOOST_TEST((absent.code() == system_errc::no_such_file_or_directory));
    BOOST_TEST(says(absent, missing.string()));
    BOOST_TEST(says(absent, "No such file or directory"));
    error const no_file = failure_of([&] { each.load(directory.path()); });
    BOOST_TEST((no_file.code() == system_errc::is_a_directory));
    BOOST_TEST(says(no_file, directory.path().string()));
  }
  BOOST_TEST(is_as_it_was());
}

BOOST_AUTO_TEST_CASE(a_file_with_nothing_in_it_is_named) {
  std::string const empty = file("empty.pem", "");
  for (loader const& each : loaders()) {
    error const refused = failure_of([&] { each.load(empty); });
    BOOST_TEST((refused.code() == each.nothing_found));
    BOOST_TEST(says(refused, empty));
  }
  BOOST_TEST(is_as_it_was());
}

BOOST_AUTO_TEST_CASE(a_file_in_the_other_format_is_named_with_openssls_reason) {
  std::string const pem = file("pem", known().chain().leaf().pem() + known().key().pem());
  std::string const der = file("der", der_of(known().chain().leaf()));
  error const no_pem = failure_of([&] { server.load_certificate_chain(der); });
  BOOST_TEST((no_pem.code() == errc::no_certificate_found));
  BOOST_TEST(says(no_pem, "loading the certificate chain " + der));
  BOOST_TEST(says(no_pem, "PEM routines: no start line"));
  error const no_der = failure_of([&] { certificate_chain::from_der_file(pem); });
  BOOST_TEST((no_der.code() == errc::no_certificate_found));
  BOOST_TEST(says(no_der, "loading the certificate " + pem));
  BOOST_TEST(says(no_der, "asn1 encoding routines: "));
  error const no_der_key =
      failure_of([&] { server.load_private_key(pem, key_options().der()); });
  BOOST_TEST((no_der_key.code() == errc::no_private_key_found));
  BOOST_TEST(says(no_der_key, "loading the private key " + pem));
  BOOST_TEST(says(no_der_key, "asn1 encoding routines: "));
  error const no_pem_key = failure_of([&] { server.load_private_key(der); });
  BOOST_TEST((no_pem_key.code() == errc::no_private_key_found));
  BOOST_TEST(says(no_pem_key, der));
  BOOST_TEST(is_as_it_was());
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_named_with_openssls_reason) {
  std::string damaged_certificate = other().chain().leaf().pem();
  damaged_certificate.replace(100, 1, "!");
  std::string damaged_key = other().key().pem();
  damaged_key.replace(60, 1, "!");
  std::string const certificate_file = file("certificate.pem", damaged_certificate);
  std::string const key_file = file("key.pem", damaged_key);
  for (loader const& each : loaders()) {
    bool const takes_keys = each.nothing_found == errc::no_private_key_found;
    std::string const path = takes_keys ? key_file : certificate_file;
    error const refused = failure_of([&] { each.load(path); });
    BOOST_TEST((refused.code() == each.nothing_found));
    BOOST_TEST(says(refused, path));
    std::string const& stack = refused.openssl_stack();
    BOOST_TEST(!stack.empty());
    BOOST_TEST(says(refused, stack.substr(0, stack.find('\n'))));
  }
  BOOST_TEST(is_as_it_was());
}

BOOST_AUTO_TEST_CASE(a_key_of_another_certificate_is_named_with_openssls_reason) {
  std::string const key = file("key.pem", other().key().pem());
  error const refused = failure_of([&] { server.load_private_key(key); });
  BOOST_TEST((refused.code() == errc::key_mismatch));
  BOOST_TEST(says(refused, "using the private key " + key));
  BOOST_TEST(says(refused, "x509 certificate routines: key values mismatch"));
  std::string const rsa = file("rsa.pem", rsa_key().pem());
  BOOST_TEST(says(failure_of([&] { server.load_private_key(rsa); }), "key type mismatch"));
  BOOST_TEST(is_as_it_was());
}

BOOST_AUTO_TEST_CASE(a_chain_of_another_key_is_named_with_openssls_reason) {
  server_context key_first = server_context().use(known().key());
  std::string const chain = file("chain.pem", other().chain().leaf().pem());
  error const refused = failure_of([&] { key_first.load_certificate_chain(chain); });
  BOOST_TEST((refused.code() == errc::key_mismatch));
  BOOST_TEST(says(refused, "using the certificate chain " + chain));
  BOOST_TEST(says(refused, "x509 certificate routines: key values mismatch"));
  error const unpaired = failure_of([&] { identity(other().chain(), known().key()); });
  BOOST_TEST((unpaired.code() == errc::key_mismatch));
  BOOST_TEST(says(unpaired, "key values mismatch"));
}

// Whoever reads "not together" would look for another key.
BOOST_AUTO_TEST_CASE(a_chain_in_the_wrong_order_is_named_as_that) {
  std::string const backwards = other().chain().leaf().pem() + known().chain().leaf().pem();
  certificate_chain const chain = certificate_chain::from_pem(backwards);
  server_context chain_first = server_context().use(chain);
  error const refused = failure_of([&] { chain_first.use(known().key()); });
  BOOST_TEST((refused.code() == errc::wrong_chain_order));
  BOOST_TEST(says(refused, "put that one first"));
  server_context key_first = server_context().use(known().key());
  BOOST_TEST((failure_of([&] { key_first.use(chain); }).code() == errc::wrong_chain_order));
  BOOST_TEST((failure_of([&] { identity(chain, known().key()); }).code() ==
              errc::wrong_chain_order));
  // Other certificates behind the first are nobody's mistake.
  BOOST_CHECK_NO_THROW(identity(
      certificate_chain::from_pem(known().chain().leaf().pem() + other().chain().leaf().pem()),
      known().key()));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_leaves_the_key_that_was_there) {
  detail::bio_ptr const out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), known().key().native_handle(), EVP_aes_256_cbc(),
                                "secret", 6, nullptr, nullptr);
  char* data = nullptr;
  long const size = BIO_get_mem_data(out.get(), &data);
  std::string const path = file("key.pem", {data, static_cast<std::size_t>(size)});
  error const refused =
      failure_of([&] { server.load_private_key(path, key_options().password("guess")); });
  BOOST_TEST((refused.code() == errc::wrong_password));
  BOOST_TEST(says(refused, path));
  BOOST_TEST((failure_of([&] { server.load_private_key(path); }).code() ==
              errc::password_required));
  BOOST_TEST(is_as_it_was());
}

BOOST_AUTO_TEST_CASE(a_chain_and_a_key_in_der_make_a_server_of_either_kind) {
  for (identity const& who : {known(), rsa_identity()}) {
    std::string const chain = file("chain.der", der_of(who.chain().leaf()));
    unsigned char* bytes = nullptr;
    int const size = i2d_PrivateKey(who.key().native_handle(), &bytes);
    detail::openssl_memory_ptr const owned(bytes);
    std::string const key = file(
        "key.der", {reinterpret_cast<char const*>(bytes), static_cast<std::size_t>(size)});
    server = server_context()
                 .use(certificate_chain::from_der_file(chain))
                 .load_private_key(key, key_options().der());
    client = client_context().add_root(who.chain().leaf());
    detail::seal(client);
    detail::seal(server);
    BOOST_TEST(connection().handshake());
  }
}

BOOST_AUTO_TEST_CASE(a_context_that_was_moved_from_is_not_adopted) {
  asio::ssl::context given(asio::ssl::context::tls_client);
  asio::ssl::context const taken = std::move(given);
  error const of_client = failure_of([&] { client_context made(std::move(given)); });
  error const of_server = failure_of([&] { server_context made(std::move(given)); });
  BOOST_TEST(of_client.code() == asio::error::invalid_argument);
  BOOST_TEST(of_server.code() == asio::error::invalid_argument);
}

BOOST_AUTO_TEST_CASE(an_adopted_context_keeps_no_sessions) {
  client_context adopting{asio::ssl::context(asio::ssl::context::tls_client)};
  BOOST_TEST(failure_of([&] { adopting.set_session_cache(1); }).code() == errc::invalid_setting);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::context_refusals_test
