// Keys that both ends derive, and what stands for a connection in a protocol above it, against
// OpenSSL's own and against values made by hand.

#include "engine_pair.hpp"
#include "openssl/openssl_ptr.hpp"
#include "print.hpp"
#include "questions.hpp"
#include "rsa_identity.hpp"
#include "tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test::exported_keys_test {
namespace {

using bytes = std::vector<unsigned char>;
using enum channel_binding_kind;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

constexpr std::string_view label = "EXPERIMENTAL-cotls";

asio::const_buffer as_context(std::string_view text) { return asio::buffer(text); }


bytes openssls_key(SSL* of, std::string_view name, std::optional<std::string_view> context,
                   std::size_t length) {
  bytes key(length);
  std::string_view const given = context.value_or("");
  BOOST_REQUIRE(SSL_export_keying_material(
                    of, key.data(), key.size(), name.data(), name.size(),
                    reinterpret_cast<unsigned char const*>(given.data()), given.size(),
                    context.has_value()) == 1);
  return key;
}

bytes digest_of(certificate const& of, char const* kind) {
  bytes const der = of.der();
  bytes digest(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  BOOST_REQUIRE(EVP_Q_digest(nullptr, kind, nullptr, der.data(), der.size(), digest.data(),
                             &size) == 1);
  digest.resize(size);
  return digest;
}

// A certificate for an RSA key, signed by itself with this digest; null for what has its own.
identity signed_with(private_key const& key, EVP_MD const* digest) {
  certificate const leaf = self_signed_for(key, "end.test");
  X509_sign(leaf.native_handle(), key.native_handle(), digest);
  return identity(certificate_chain({certificate::from_der(leaf.der())}), key);
}

private_key ed25519_key() {
  detail::pkey_ptr const made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return private_key::from_native(made.get());
}

client_context without_extended_master_secret() {
  client_context made = localhost_client(protocol::tls1_2);
  SSL_CTX_set_options(made.native_handle(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  return made;
}

// A server that is OpenSSL's alone.
class raw_server {
 public:
  explicit raw_server(identity const& shown) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_.get(), shown.chain().leaf().native_handle());
    SSL_CTX_use_PrivateKey(context_.get(), shown.key().native_handle());
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  void shake_hands_with(engine& client) {
    std::string room(100'000, '\0');
    for (int flight = 0; flight < 4; ++flight) {
      client.handshake();
      BIO_write(SSL_get_rbio(ssl_.get()), client.output().data(),
                static_cast<int>(client.output().size()));
      client.consume_output(client.output().size());
      SSL_do_handshake(ssl_.get());
      int const count = BIO_read(SSL_get_wbio(ssl_.get()), room.data(), 100'000);
      if (count > 0) client.input(asio::buffer(room, static_cast<std::size_t>(count)));
    }
  }

  SSL* native_handle() const noexcept { return ssl_.get(); }

 private:
  detail::ssl_ctx_ptr context_;
  detail::ssl_ptr ssl_;
};

struct fixture {
  bool connect(client_context const& at_client, server_context const& at_server) {
    both.emplace(at_client, at_server, client_options().host("localhost").port(443));
    return both->connect();
  }

  bytes agreed(channel_binding_kind kind) const {
    bytes const ours = both->client.channel_binding(kind);
    BOOST_TEST((ours == both->server.channel_binding(kind)));
    return ours;
  }

  // What both ends answer.
  error_code refused(channel_binding_kind kind) const {
    error_code const at_client = thrown_by([&] { both->client.channel_binding(kind); });
    BOOST_TEST(at_client == thrown_by([&] { both->server.channel_binding(kind); }));
    return at_client;
  }

  std::optional<engine_pair> both;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(exported_keys, fixture)

BOOST_DATA_TEST_CASE_F(fixture, both_ends_export_the_same_key, versions, version) {
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  bytes const key = both->client.export_key(label, as_context("context"), 48);
  BOOST_TEST(key.size() == 48u);
  BOOST_TEST((key == both->server.export_key(label, as_context("context"), 48)));
  BOOST_TEST((key != both->client.export_key(label, as_context("another"), 48)));
  BOOST_TEST((key != both->client.export_key("EXPERIMENTAL-other", as_context("context"), 48)));
  bytes const first = key;
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  BOOST_TEST((first != both->client.export_key(label, as_context("context"), 48)));
}

BOOST_DATA_TEST_CASE_F(fixture, a_key_is_what_openssl_exports_at_the_other_end, versions, version) {
  raw_server server(localhost_identity());
  engine client(localhost_client(version), client_options().host("localhost"));
  server.shake_hands_with(client);
  for (std::size_t const length : {1u, 32u, 500u}) {
    BOOST_TEST((client.export_key(label, std::nullopt, length) ==
                openssls_key(server.native_handle(), label, std::nullopt, length)));
    BOOST_TEST((client.export_key(label, as_context(""), length) ==
                openssls_key(server.native_handle(), label, "", length)));
    BOOST_TEST((client.export_key(label, as_context("c"), length) ==
                openssls_key(server.native_handle(), label, "c", length)));
  }
}

// RFC 8446 section 7.5: "Exporters ... If no context is provided, the context_value is zero length.
// Consequently, providing no context computes the same value as providing an empty context. This is
// a change from previous versions of TLS".
BOOST_DATA_TEST_CASE_F(fixture, no_context_is_an_empty_one_in_tls_1_3_alone, versions, version) {
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  bool const same = both->client.export_key(label, std::nullopt, 32) ==
                    both->client.export_key(label, as_context(""), 32);
  BOOST_TEST(same == (version == protocol::tls1_3));
}

BOOST_DATA_TEST_CASE_F(fixture, before_the_handshake_is_done_there_is_no_key, versions, version) {
  both.emplace(localhost_client(version), localhost_server(), client_options().host("localhost"));
  for (engine* const each : {&both->client, &both->server}) {
    BOOST_TEST(thrown_by([&] { each->export_key(label, std::nullopt, 32); }) ==
               errc::handshake_not_done);
    for (channel_binding_kind const kind : {tls_exporter, tls_unique, tls_server_end_point}) {
      BOOST_TEST(thrown_by([&] { each->channel_binding(kind); }) == errc::handshake_not_done);
    }
  }
  both->client.handshake();
  both->server.input(both->client.output());
  both->server.handshake();
  BOOST_TEST(thrown_by([&] { both->server.export_key(label, std::nullopt, 32); }) ==
             errc::handshake_not_done);
}

BOOST_AUTO_TEST_CASE(of_a_handshake_that_has_failed_there_is_no_key) {
  BOOST_REQUIRE(!connect(client_context().add_root(rsa_identity().chain().leaf()),
                         localhost_server()));
  BOOST_TEST(thrown_by([&] { both->client.export_key(label, std::nullopt, 32); }) ==
             errc::handshake_not_done);
}

BOOST_DATA_TEST_CASE_F(fixture, a_connection_that_is_closed_still_has_its_keys, versions, version) {
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  bytes const key = both->client.export_key(label, std::nullopt, 32);
  both->client.close_write();
  BOOST_TEST((key == both->client.export_key(label, std::nullopt, 32)));
}

BOOST_AUTO_TEST_CASE(keys_without_an_extended_master_secret_are_not_exported) {
  BOOST_REQUIRE(connect(without_extended_master_secret(), localhost_server()));
  for (engine* const each : {&both->client, &both->server}) {
    BOOST_TEST(thrown_by([&] { each->export_key(label, std::nullopt, 32); }) ==
               errc::no_extended_master_secret);
  }
  BOOST_TEST(refused(tls_exporter) == errc::no_extended_master_secret);
  BOOST_TEST(refused(tls_unique) == errc::no_extended_master_secret);
  BOOST_TEST((agreed(tls_server_end_point) ==
              digest_of(localhost_identity().chain().leaf(), "SHA256")));
}

BOOST_DATA_TEST_CASE_F(fixture, what_cannot_be_exported_is_refused, versions, version) {
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  std::string const longest(65'535, 'x');
  engine& client = both->client;
  BOOST_TEST(thrown_by([&] { client.export_key(label, std::nullopt, 0); }) ==
             asio::error::invalid_argument);
  BOOST_TEST(thrown_by([&] { client.export_key(label, as_context(longest + 'x'), 32); }) ==
             asio::error::invalid_argument);
  // What is derived in TLS 1.2, OpenSSL collects in a kibibyte.
  std::string_view const taken = std::string_view(longest).substr(
      0, version == protocol::tls1_2 ? 900 : longest.size());
  BOOST_TEST((client.export_key(label, as_context(taken), 32) ==
              both->server.export_key(label, as_context(taken), 32)));
  // A label of TLS 1.3 has a byte for its length, those of "tls13 " counted (RFC 8446 section 7.1).
  error_code const of_long_label =
      thrown_by([&] { client.export_key(std::string(250, 'x'), std::nullopt, 32); });
  BOOST_TEST(!of_long_label == (version == protocol::tls1_2));
  // The stream goes on.
  BOOST_TEST(client.write(asio::buffer("x", 1)).bytes == 1u);
}

BOOST_AUTO_TEST_CASE(a_label_of_tlss_own_is_refused) {
  BOOST_REQUIRE(connect(localhost_client(protocol::tls1_2), localhost_server()));
  error_code const code =
      thrown_by([&] { both->client.export_key("master secret", std::nullopt, 48); });
  BOOST_TEST((code.category() == openssl_category()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(channel_bindings, fixture)

BOOST_AUTO_TEST_CASE(each_kind_has_the_name_that_protocols_know) {
  BOOST_TEST(to_string(tls_exporter) == "tls-exporter");
  BOOST_TEST(to_string(tls_unique) == "tls-unique");
  BOOST_TEST(to_string(tls_server_end_point) == "tls-server-end-point");
}

// RFC 9266 section 2
BOOST_DATA_TEST_CASE_F(fixture, the_exporters_is_a_key_of_its_registered_label, versions, version) {
  raw_server server(localhost_identity());
  engine client(localhost_client(version), client_options().host("localhost"));
  server.shake_hands_with(client);
  BOOST_TEST((client.channel_binding(tls_exporter) ==
              openssls_key(server.native_handle(), "EXPORTER-Channel-Binding", "", 32)));
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  BOOST_TEST(agreed(tls_exporter).size() == 32u);
}

BOOST_AUTO_TEST_CASE(the_exporters_is_none_where_another_handshake_may_follow) {
  client_context renegotiating = localhost_client(protocol::tls1_2);
  SSL_CTX_clear_options(renegotiating.native_handle(), SSL_OP_NO_RENEGOTIATION);
  BOOST_REQUIRE(connect(renegotiating, localhost_server()));
  BOOST_TEST(thrown_by([&] { both->client.channel_binding(tls_exporter); }) ==
             errc::no_channel_binding);
  client_context of_1_3 = localhost_client(protocol::tls1_3);
  SSL_CTX_clear_options(of_1_3.native_handle(), SSL_OP_NO_RENEGOTIATION);
  BOOST_REQUIRE(connect(of_1_3, localhost_server()));
  BOOST_TEST(agreed(tls_exporter).size() == 32u);
}

BOOST_AUTO_TEST_CASE(the_unique_one_is_the_clients_finished_of_a_full_handshake) {
  raw_server server(localhost_identity());
  engine client(localhost_client(protocol::tls1_2), client_options().host("localhost"));
  server.shake_hands_with(client);
  bytes finished(64);
  finished.resize(SSL_get_peer_finished(server.native_handle(), finished.data(), finished.size()));
  BOOST_TEST(finished.size() == 12u);
  BOOST_TEST((client.channel_binding(tls_unique) == finished));
}

BOOST_AUTO_TEST_CASE(the_unique_one_is_the_servers_finished_of_a_resumed_session) {
  client_context const at_client = localhost_client(protocol::tls1_2);
  server_context const at_server = localhost_server();
  BOOST_REQUIRE(connect(at_client, at_server));
  bytes const first = agreed(tls_unique);
  BOOST_REQUIRE(connect(at_client, at_server));
  BOOST_REQUIRE(both->client.info().resumed);
  bytes finished(64);
  finished.resize(
      SSL_get_finished(both->server.native_handle(), finished.data(), finished.size()));
  BOOST_TEST((agreed(tls_unique) == finished));
  BOOST_TEST((finished != first));
}

BOOST_AUTO_TEST_CASE(there_is_no_unique_one_in_tls_1_3) {
  BOOST_REQUIRE(connect(localhost_client(protocol::tls1_3), localhost_server()));
  BOOST_TEST(refused(tls_unique) == errc::no_channel_binding);
}

BOOST_DATA_TEST_CASE_F(fixture, the_servers_is_the_digest_of_its_certificate, versions, version) {
  struct {
    EVP_MD const* signed_by;
    char const* digested_by;
  } const all[] = {{EVP_sha1(), "SHA256"},    // RFC 5929 section 4.1
                   {EVP_md5(), "SHA256"},
                   {EVP_sha224(), "SHA224"},
                   {EVP_sha256(), "SHA256"},
                   {EVP_sha384(), "SHA384"},
                   {EVP_sha512(), "SHA512"}};
  client_context at_client = client_context(version).set_verify(verify::none);
  // At OpenSSL's usual level nobody shows a certificate that is signed by such a digest.
  SSL_CTX_set_security_level(at_client.native_handle(), 0);
  for (auto const& each : all) {
    identity const shown = signed_with(rsa_key(), each.signed_by);
    server_context at_server;
    SSL_CTX_set_security_level(at_server.native_handle(), 0);
    BOOST_REQUIRE(connect(at_client, at_server.use(shown)));
    BOOST_TEST((agreed(tls_server_end_point) ==
                digest_of(shown.chain().leaf(), each.digested_by)));
  }
}

BOOST_DATA_TEST_CASE_F(fixture, the_servers_is_the_same_when_a_session_is_resumed, versions,
                       version) {
  client_context const at_client = localhost_client(version);
  server_context const at_server = localhost_server();
  BOOST_REQUIRE(connect(at_client, at_server));
  bytes const first = agreed(tls_server_end_point);
  BOOST_REQUIRE(connect(at_client, at_server));
  BOOST_REQUIRE(both->client.info().resumed);
  BOOST_TEST((agreed(tls_server_end_point) == first));
}

BOOST_DATA_TEST_CASE_F(fixture, there_is_none_of_a_certificate_whose_signature_has_no_digest,
                       versions, version) {
  BOOST_REQUIRE(connect(client_context(version).set_verify(verify::none),
                        server_context().use(signed_with(ed25519_key(), nullptr))));
  BOOST_TEST(refused(tls_server_end_point) == errc::no_channel_binding);
  BOOST_TEST(agreed(tls_exporter).size() == 32u);
}

// The client's certificate does not count.
BOOST_AUTO_TEST_CASE(the_servers_is_not_of_a_clients_certificate) {
  server_context const asking = localhost_server()
                                    .set_verify(verify::required)
                                    .add_root(rsa_identity().chain().leaf());
  BOOST_REQUIRE(connect(localhost_client().use(rsa_identity()), asking));
  BOOST_TEST((agreed(tls_server_end_point) ==
              digest_of(localhost_identity().chain().leaf(), "SHA256")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::exported_keys_test
