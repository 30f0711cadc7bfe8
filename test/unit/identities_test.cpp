// Several identities side by side: which of them a server shows to whom, what overwrites them, and
// when the first of them expires.

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "raw_connection.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>

namespace cotls::test::identities_test {
namespace {

namespace data = boost::unit_test::data;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

struct shown_kind {
  key_kind kind;
  char const* name;
  char const* tls13;   // what a client says that can verify this kind alone
  char const* tls12;
};

std::ostream& operator<<(std::ostream& out, shown_kind const& which) { return out << which.name; }

constexpr shown_kind kinds[] = {
    {key_kind::rsa_2048, "rsa", "rsa_pss_rsae_sha256", "RSA+SHA256:rsa_pss_rsae_sha256"},
    {key_kind::rsa_pss_2048, "rsa-pss", "rsa_pss_pss_sha256", "rsa_pss_pss_sha256"},
    {key_kind::ec_p256, "ec", "ecdsa_secp256r1_sha256", "ECDSA+SHA256"},
    {key_kind::ed25519, "ed25519", "ed25519", "ed25519"},
    {key_kind::ed448, "ed448", "ed448", "ed448"},
};

// Each with an issuer of its own, so that one that is shown with another's chain is seen.
identity issue(key_kind kind, std::string const& name) {
  static authority const root("root.test");
  return root.make_intermediate("issuer of " + name)
      .issue(certificate_request({name}).key(kind))
      .identity();
}

identity const& known(key_kind kind) {
  static std::vector<identity> const made = [] {
    std::vector<identity> all;
    for (shown_kind const& each : kinds) all.push_back(issue(each.kind, each.name));
    return all;
  }();
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    if (kinds[i].kind == kind) return made[i];
  }
  throw std::logic_error("no such kind");
}

identity const& ec() { return known(key_kind::ec_p256); }
identity const& rsa() { return known(key_kind::rsa_2048); }

server_context serving_all() {
  server_context server;
  for (shown_kind const& each : kinds) server.also_use(known(each.kind));
  return server;
}

// Takes any certificate that it can verify.
client_context client_of(protocol version, std::string const& algorithms = {}) {
  client_context client = client_context(version).set_verify(verify::none);
  if (!algorithms.empty()) SSL_CTX_set1_sigalgs_list(client.native_handle(), algorithms.c_str());
  return client;
}

client_context rsa_client() { return client_of(protocol::tls1_3, "rsa_pss_rsae_sha256"); }
client_context ec_client() { return client_of(protocol::tls1_3, "ecdsa_secp256r1_sha256"); }

SSL_CTX* sealed(context const& of) {
  detail::seal(of);
  return detail::access::state(of)->handle();
}

// The names of the certificates that a server shows; none when there is no connection.
texts shown_by(server_context const& server, client_context const& client) {
  raw_connection both(sealed(client), sealed(server));
  texts shown;
  if (!both.handshake()) return shown;
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(both.client.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    shown.push_back(certificate::from_native(sk_X509_value(chain, i)).subject());
  }
  return shown;
}

texts chain_of(std::string const& name) { return {"CN=" + name, "CN=issuer of " + name}; }
texts const nothing;

errc code_of(std::function<void()> const& call) {
  try {
    call();
  } catch (error const& thrown) {
    if (thrown.code().category() != cotls_category()) throw;
    return static_cast<errc>(thrown.code().value());
  }
  return {};
}

identity self_signed_by(private_key const& key, std::string const& name) {
  return identity(certificate_chain({self_signed_for(key, name)}), key);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(identities)

BOOST_DATA_TEST_CASE(a_client_is_shown_the_chain_that_it_can_verify, data::make(kinds), which) {
  server_context const server = serving_all();
  BOOST_TEST(shown_by(server, client_of(protocol::tls1_3, which.tls13)) == chain_of(which.name),
             boost::test_tools::per_element());
  BOOST_TEST(shown_by(server, client_of(protocol::tls1_2, which.tls12)) == chain_of(which.name),
             boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(a_client_that_can_verify_none_of_them_is_refused, data::make(kinds), which) {
  server_context server;
  for (shown_kind const& each : kinds) {
    if (each.kind != which.kind) server.also_use(known(each.kind));
  }
  BOOST_TEST(shown_by(server, client_of(protocol::tls1_3, which.tls13)).empty());
  BOOST_TEST(shown_by(server, client_of(protocol::tls1_2, which.tls12)).empty());
  BOOST_TEST(!shown_by(server, client_of(protocol::tls1_3)).empty());
}

BOOST_AUTO_TEST_CASE(in_tls_1_2_the_suite_chooses_too) {
  server_context const server = server_context().use(ec()).also_use(rsa());
  auto const with = [](char const* suite) {
    return client_of(protocol::tls1_2).set_ciphers(suite);
  };
  BOOST_TEST(shown_by(server, with("ECDHE-RSA-AES128-GCM-SHA256")) == chain_of("rsa"),
             boost::test_tools::per_element());
  BOOST_TEST(shown_by(server, with("ECDHE-ECDSA-AES128-GCM-SHA256")) == chain_of("ec"),
             boost::test_tools::per_element());
  BOOST_TEST(shown_by(server_context().use(ec()), with("ECDHE-RSA-AES128-GCM-SHA256")).empty());
}

BOOST_AUTO_TEST_CASE(the_later_of_one_type_replaces_the_earlier) {
  identity const newer_rsa = issue(key_kind::rsa_2048, "newer-rsa");
  identity const newer_ec = issue(key_kind::ec_p256, "newer-ec");
  server_context const server =
      server_context().use(ec()).also_use(rsa()).also_use(newer_rsa).also_use(newer_ec);
  BOOST_TEST(shown_by(server, rsa_client()) == chain_of("newer-rsa"),
             boost::test_tools::per_element());
  BOOST_TEST(shown_by(server, ec_client()) == chain_of("newer-ec"),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(half_of_an_identity_gives_way_to_a_whole_one_of_its_type) {
  server_context const server = server_context().use(issue(key_kind::ec_p256, "half").chain());
  server_context with_rsa = server;
  with_rsa.also_use(rsa());
  BOOST_TEST((code_of([&] { detail::seal(with_rsa); }) == errc::no_certificate));
  with_rsa.also_use(ec());
  BOOST_TEST(shown_by(with_rsa, ec_client()) == chain_of("ec"), boost::test_tools::per_element());
  BOOST_TEST(shown_by(with_rsa, rsa_client()) == chain_of("rsa"),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_used_or_loaded_overwrites_them_all) {
  temporary_directory const directory;
  std::string const file = directory.write("chain.pem", ec().chain().leaf().pem());
  std::vector<std::function<void(server_context&)>> const overwriting{
      [](server_context& server) { server.use(ec()); },
      [](server_context& server) { server.use(ec().chain()).use(ec().key()); },
      [&](server_context& server) { server.load_certificate_chain(file).use(ec().key()); },
  };
  for (auto const& overwrite : overwriting) {
    server_context server = server_context().use(rsa()).also_use(known(key_kind::ed25519));
    overwrite(server);
    BOOST_TEST(shown_by(server, rsa_client()).empty());
    BOOST_TEST(shown_by(server, client_of(protocol::tls1_3, "ed25519")).empty());
    BOOST_TEST(!shown_by(server, ec_client()).empty());
  }
}

BOOST_AUTO_TEST_CASE(the_key_of_a_chain_leaves_those_beside_it) {
  server_context const server =
      server_context().use(ec().chain()).also_use(rsa()).use(ec().key());
  BOOST_TEST(shown_by(server, rsa_client()) == chain_of("rsa"), boost::test_tools::per_element());
  BOOST_TEST(shown_by(server, ec_client()) == chain_of("ec"), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_that_is_too_weak_is_refused_and_changes_nothing) {
  private_key const weak = make_rsa_key(1024);
  server_context server = server_context().use(ec()).also_use(rsa());
  server.set_ciphers("DEFAULT:@SECLEVEL=2");
  BOOST_CHECK_EXCEPTION(server.also_use(self_signed_by(weak, "weak")), error,
                        [](error const& thrown) {
                          return thrown.code().message() == "ee key too small";
                        });
  BOOST_TEST(shown_by(server, rsa_client()) == chain_of("rsa"), boost::test_tools::per_element());
  BOOST_CHECK_NO_THROW(
      server_context().set_ciphers("DEFAULT:@SECLEVEL=0").also_use(self_signed_by(weak, "weak")));
}

// The level is raised after they were taken, so that the seal meets it.
BOOST_AUTO_TEST_CASE(a_context_that_could_not_be_sealed_has_none_of_them_once_it_is_mended) {
  detail::pkey_ptr const short_key(EVP_EC_gen("P-192"));
  identity const weak = self_signed_by(private_key::from_native(short_key.get()), "weak");
  server_context server = server_context().set_ciphers("DEFAULT:@SECLEVEL=0");
  server.also_use(rsa()).also_use(weak).set_ciphers("DEFAULT:@SECLEVEL=2");
  BOOST_CHECK_THROW(detail::seal(server), error);
  server.use(known(key_kind::ed25519));
  BOOST_TEST(shown_by(server, client_of(protocol::tls1_3)) == chain_of("ed25519"),
             boost::test_tools::per_element());
  BOOST_TEST(shown_by(server, rsa_client()).empty());
}

BOOST_AUTO_TEST_CASE(an_adopted_context_keeps_its_own_beside) {
  boost::asio::ssl::context given(boost::asio::ssl::context::tls_server);
  SSL_CTX_use_certificate(given.native_handle(), rsa().chain().leaf().native_handle());
  SSL_CTX_use_PrivateKey(given.native_handle(), rsa().key().native_handle());
  server_context server(std::move(given));
  server.also_use(ec());
  BOOST_TEST(shown_by(server, ec_client()) == chain_of("ec"), boost::test_tools::per_element());
  BOOST_TEST(shown_by(server, rsa_client()) == (texts{"CN=rsa"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_sealed_context_takes_no_more) {
  server_context server = server_context().use(ec());
  sealed(server);
  BOOST_CHECK_EXCEPTION(server.also_use(rsa()), error, [](error const& thrown) {
    return thrown.code() == errc::context_sealed &&
           std::string(thrown.what()).starts_with("also_use failed: ");
  });
}

BOOST_AUTO_TEST_CASE(equal_are_settings_with_the_same_identities_in_the_same_order) {
  auto const settings = [](server_context const& of) {
    return detail::access::state(of)->settings().identity;
  };
  server_context const both = server_context().use(ec()).also_use(rsa());
  BOOST_TEST((settings(both) == settings(server_context().use(ec()).also_use(rsa()))));
  BOOST_TEST(!(settings(both) == settings(server_context().use(ec()))));
  BOOST_TEST(!(settings(both) ==
               settings(server_context().use(ec()).also_use(known(key_kind::ed448)))));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(expiry)

namespace {

identity lasting(std::chrono::seconds time, key_kind kind = key_kind::ec_p256) {
  static authority const root("lasting.test");   // for 7 days
  return root.issue(certificate_request({"lasting.test"}).key(kind).valid(-1h, time)).identity();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_context_without_certificates_never_expires) {
  BOOST_TEST((client_context().expires() == std::nullopt));
  BOOST_TEST((server_context().expires() == std::nullopt));
  BOOST_TEST((server_context().use(ec().key()).expires() == std::nullopt));
}

BOOST_AUTO_TEST_CASE(the_earliest_of_all_identities_counts_before_and_after_the_seal) {
  identity const first = lasting(1h, key_kind::rsa_2048);
  auto const end = first.chain().leaf().not_after();
  for (bool const beside : {true, false}) {
    server_context server = server_context().use(beside ? lasting(24h) : first);
    server.also_use(beside ? first : lasting(24h));
    BOOST_TEST((server.expires() == end));
    sealed(server);
    BOOST_TEST((server.expires() == end));
  }
  client_context client = client_context().use(lasting(24h)).also_use(first).also_use(lasting(2h));
  BOOST_TEST((client.expires() == end));
  sealed(client);
  BOOST_TEST((client.expires() == end));
}

BOOST_AUTO_TEST_CASE(one_that_was_overwritten_does_not_count) {
  server_context server = server_context().use(lasting(24h));
  server.also_use(lasting(1h, key_kind::rsa_2048)).use(lasting(48h));
  BOOST_TEST((*server.expires() > std::chrono::system_clock::now() + 47h));
}

BOOST_AUTO_TEST_CASE(an_issuer_counts_too) {
  authority const intermediate = authority("root.test").make_intermediate("intermediate.test");
  issued const made = intermediate.issue(
      certificate_request({"late.test"}).valid(-1h, std::chrono::hours(24 * 30)));
  BOOST_TEST((made.leaf().not_after() > intermediate.certificate().not_after()));
  server_context const server = server_context().use(made.identity());
  BOOST_TEST((server.expires() == intermediate.certificate().not_after()));
}

BOOST_AUTO_TEST_CASE(virtual_hosts_count_too) {
  identity const first = lasting(1h);
  server_context server = server_context().set_unknown_host(unknown_host::refuse);
  server.add_virtual_host("a.test", server_context().use(lasting(24h)))
      .add_virtual_host("*.b.test", server_context().use(first));
  BOOST_TEST((server.expires() == first.chain().leaf().not_after()));
  server.use(lasting(30min));
  BOOST_TEST((server.expires() < first.chain().leaf().not_after()));
}

BOOST_AUTO_TEST_CASE(what_an_adopted_context_shows_counts) {
  identity const first = lasting(1h);
  boost::asio::ssl::context given(boost::asio::ssl::context::tls_server);
  SSL_CTX_use_certificate(given.native_handle(), first.chain().leaf().native_handle());
  SSL_CTX_use_PrivateKey(given.native_handle(), first.key().native_handle());
  identity const shorter = lasting(30min);
  server_context server(std::move(given));
  BOOST_TEST((server.expires() == first.chain().leaf().not_after()));
  SSL_CTX_add1_chain_cert(server.native_handle(), shorter.chain().leaf().native_handle());
  BOOST_TEST((server.expires() == shorter.chain().leaf().not_after()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::identities_test
