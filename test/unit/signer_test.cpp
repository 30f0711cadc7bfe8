// Keys that sign elsewhere: every kind of key, in either version, at either end, and what becomes
// of a handshake whose signer does not sign.

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "engine_pair.hpp"
#include "failure_of.hpp"
#include "key_elsewhere.hpp"
#include "openssl/openssl_ptr.hpp"
#include "print.hpp"
#include "raw_connection.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>
#include <cotls/library_options.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/err.h>
#include <openssl/provider.h>

#include <array>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace cotls::test::signer_test {
namespace {

namespace data = boost::unit_test::data;
using scheme = signature_scheme;

auto const both_versions = data::make({protocol::tls1_2, protocol::tls1_3});

struct asked_for {
  char const* key;
  protocol version;
  char const* algorithms;   // all that the peer verifies, the most wanted first
  scheme expected;
};

std::ostream& operator<<(std::ostream& out, asked_for const& which) {
  return out << which.key << ", " << to_string(which.version) << ", " << which.algorithms;
}

constexpr asked_for each_scheme[] = {
    {"P-256", protocol::tls1_2, "ECDSA+SHA256", scheme::ecdsa_secp256r1_sha256},
    {"P-256", protocol::tls1_3, "ECDSA+SHA256", scheme::ecdsa_secp256r1_sha256},
    {"P-256", protocol::tls1_2, "ECDSA+SHA224:ECDSA+SHA256", scheme::ecdsa_sha224},
    {"P-256", protocol::tls1_2, "ECDSA+SHA512:ECDSA+SHA256", scheme::ecdsa_secp521r1_sha512},
    {"P-384", protocol::tls1_2, "ECDSA+SHA384:ECDSA+SHA256", scheme::ecdsa_secp384r1_sha384},
    {"P-384", protocol::tls1_3, "ECDSA+SHA384:ECDSA+SHA256", scheme::ecdsa_secp384r1_sha384},
    {"P-521", protocol::tls1_2, "ECDSA+SHA512:ECDSA+SHA256", scheme::ecdsa_secp521r1_sha512},
    {"P-521", protocol::tls1_3, "ECDSA+SHA512:ECDSA+SHA256", scheme::ecdsa_secp521r1_sha512},
    {"RSA", protocol::tls1_2, "RSA+SHA256", scheme::rsa_pkcs1_sha256},
    {"RSA", protocol::tls1_2, "RSA+SHA224:RSA+SHA256", scheme::rsa_pkcs1_sha224},
    {"RSA", protocol::tls1_2, "RSA+SHA384:RSA+SHA256", scheme::rsa_pkcs1_sha384},
    {"RSA", protocol::tls1_2, "RSA+SHA512:RSA+SHA256", scheme::rsa_pkcs1_sha512},
    {"RSA", protocol::tls1_2, "rsa_pss_rsae_sha256:RSA+SHA256", scheme::rsa_pss_rsae_sha256},
    {"RSA", protocol::tls1_3, "rsa_pss_rsae_sha256:RSA+SHA256", scheme::rsa_pss_rsae_sha256},
    {"RSA", protocol::tls1_3, "rsa_pss_rsae_sha384:RSA+SHA256", scheme::rsa_pss_rsae_sha384},
    {"RSA", protocol::tls1_3, "rsa_pss_rsae_sha512:RSA+SHA256", scheme::rsa_pss_rsae_sha512},
    {"RSA-PSS", protocol::tls1_2, "rsa_pss_pss_sha256", scheme::rsa_pss_pss_sha256},
    {"RSA-PSS", protocol::tls1_3, "rsa_pss_pss_sha256", scheme::rsa_pss_pss_sha256},
    {"RSA-PSS", protocol::tls1_3, "rsa_pss_pss_sha384:rsa_pss_pss_sha256",
     scheme::rsa_pss_pss_sha384},
    {"RSA-PSS", protocol::tls1_2, "rsa_pss_pss_sha512:rsa_pss_pss_sha256",
     scheme::rsa_pss_pss_sha512},
    {"ED25519", protocol::tls1_2, "ed25519", scheme::ed25519},
    {"ED25519", protocol::tls1_3, "ed25519", scheme::ed25519},
    {"ED448", protocol::tls1_2, "ed448", scheme::ed448},
    {"ED448", protocol::tls1_3, "ed448", scheme::ed448},
};

// Made once each: RSA keys are slow to make. What they were asked for adds up.
key_elsewhere const& key_of(std::string const& kind) {
  static std::map<std::string, key_elsewhere> made;
  return made.try_emplace(kind, kind).first->second;
}

identity const& usual() {
  static identity const made = make_self_signed({"localhost"});
  return made;
}

client_options to_localhost() { return client_options().host("localhost"); }

server_context serving(identity const& who, protocol version = protocol::secure) {
  return server_context(version).use(who);
}

client_context trusting(certificate const& root, protocol version = protocol::secure) {
  return client_context(version).add_root(root);
}

SSL_CTX* sealed(context const& of) {
  detail::seal(of);
  return detail::access::state(of)->handle();
}

// A pair whose server signs by a function of the test's.
engine_pair signed_by(signer sign, protocol version = protocol::tls1_3) {
  key_elsewhere const& key = key_of("P-256");
  return engine_pair(trusting(key.leaf(), version), serving(key.signed_by(sign), version),
                     to_localhost());
}

bool says(error const& thrown, std::string_view text) {
  return std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signers)

BOOST_DATA_TEST_CASE(a_server_signs_by_each_scheme_that_its_client_verifies,
                     data::make(each_scheme) * data::make({false, true}), asked, digest) {
  key_elsewhere const& key = key_of(asked.key);
  client_context client = trusting(key.leaf(), asked.version);
  BOOST_REQUIRE(SSL_CTX_set1_sigalgs_list(client.native_handle(), asked.algorithms) == 1);
  std::size_t const before = key.asked().size();
  server_context server = serving(key.signed_by(digest ? key.digests() : key.messages()));
  BOOST_REQUIRE(SSL_CTX_set1_sigalgs_list(server.native_handle(), asked.algorithms) == 1);
  engine_pair pair(client, server, to_localhost());
  BOOST_TEST(pair.connect());
  BOOST_TEST(!pair.client_code, pair.client.last_error().what());
  BOOST_TEST(!pair.server_code, pair.server.last_error().what());
  BOOST_REQUIRE(key.asked().size() == before + 1);
  BOOST_TEST(key.asked().back() == asked.expected);
}

BOOST_DATA_TEST_CASE(a_client_signs_by_each_scheme_that_its_server_verifies,
                     data::make(each_scheme) * data::make({false, true}), asked, digest) {
  key_elsewhere const& key = key_of(asked.key);
  server_context server = serving(usual(), asked.version);
  server.add_root(key.leaf()).set_verify(verify::required);
  BOOST_REQUIRE(SSL_CTX_set1_client_sigalgs_list(server.native_handle(), asked.algorithms) == 1);
  std::size_t const before = key.asked().size();
  client_context client = trusting(usual().chain().leaf());
  client.use(key.signed_by(digest ? key.digests() : key.messages()));
  engine_pair pair(client, server, to_localhost());
  BOOST_TEST(pair.connect());
  BOOST_TEST(!pair.client_code, pair.client.last_error().what());
  BOOST_TEST(!pair.server_code, pair.server.last_error().what());
  BOOST_TEST(pair.server.peer().verified());
  BOOST_REQUIRE(key.asked().size() == before + 1);
  BOOST_TEST(key.asked().back() == asked.expected);
}

BOOST_DATA_TEST_CASE(a_wrong_signature_is_refused_by_the_peer, both_versions, version) {
  key_elsewhere const& key = key_of("ED25519");
  auto const wrong = [&](signature_request const& request) {
    signer::signature made = sign_with(key.key(), request, false);
    made.back() = static_cast<unsigned char>(made.back() ^ 1u);
    return made;
  };
  engine_pair pair(trusting(key.leaf(), version), serving(key.signed_by(wrong)), to_localhost());
  BOOST_TEST(!pair.connect());
  BOOST_TEST((pair.client_code.category() == openssl_category()));
  BOOST_TEST((pair.server_code == alert::decrypt_error));
}

BOOST_DATA_TEST_CASE(what_another_key_has_signed_is_refused_by_the_peer, both_versions, version) {
  private_key const another = make_key("P-256");
  engine_pair pair = signed_by(
      [&](signature_request const& request) { return sign_with(another, request, true); }, version);
  BOOST_TEST(!pair.connect());
  BOOST_TEST((pair.server_code == alert::decrypt_error));
}

BOOST_DATA_TEST_CASE(a_server_whose_signer_throws_says_internal_error_and_why, both_versions,
                     version) {
  engine_pair pair = signed_by(
      [](signature_request const&) -> signer::signature {
        throw std::runtime_error("the device is on fire: 100%s");
      },
      version);
  BOOST_TEST(!pair.connect());
  BOOST_TEST((pair.client_code == alert::internal_error));
  BOOST_TEST((pair.server_code == errc::signer_failed));
  BOOST_TEST(says(pair.server.last_error(), "signer: the device is on fire: 100%s"),
             pair.server.last_error().what());
}

BOOST_DATA_TEST_CASE(a_client_whose_signer_throws_says_internal_error_and_why, both_versions,
                     version) {
  key_elsewhere const& key = key_of("RSA");
  server_context server = serving(usual(), version);
  server.add_root(key.leaf()).set_verify(verify::required);
  client_context client = trusting(usual().chain().leaf(), version);
  client.use(key.signed_by([](signature_request const&) -> signer::signature { throw 1; }));
  engine_pair pair(client, server, to_localhost());
  BOOST_TEST(!pair.connect());
  BOOST_TEST((pair.server_code == alert::internal_error));
  BOOST_TEST((pair.client_code == errc::signer_failed));
  BOOST_TEST(says(pair.client.last_error(), "no std::exception"), pair.client.last_error().what());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_signature_is_not_sent) {
  for (std::size_t const size : {std::size_t{0}, std::size_t{256}, std::size_t{100'000}}) {
    engine_pair pair = signed_by([=](signature_request const&) { return signer::signature(size); });
    BOOST_TEST(!pair.connect());
    BOOST_TEST((pair.server_code == errc::signer_failed));
    BOOST_TEST((pair.client_code == alert::internal_error));
  }
  for (std::string const kind : {"RSA", "ED25519"}) {
    key_elsewhere const& key = key_of(kind);
    auto const shorter = [&](signature_request const& request) {
      signer::signature made = sign_with(key.key(), request, false);
      made.pop_back();
      return made;
    };
    engine_pair pair(trusting(key.leaf()), serving(key.signed_by(shorter)), to_localhost());
    BOOST_TEST(!pair.connect());
    BOOST_TEST((pair.server_code == errc::signer_failed));
  }
}

BOOST_AUTO_TEST_CASE(what_a_signer_leaves_of_openssls_errors_is_not_the_handshakes) {
  key_elsewhere const& key = key_of("P-256");
  auto const careless = [&](signature_request const& request) {
    signer::signature made = sign_with(key.key(), request, false);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_RECORD_TYPE);
    return made;
  };
  BOOST_TEST(signed_by(careless).connect());
  auto const tidy = [&](signature_request const& request) {
    signer::signature made = careless(request);
    ERR_clear_error();
    return made;
  };
  BOOST_TEST(signed_by(tidy).connect());
}

BOOST_AUTO_TEST_CASE(a_resumed_handshake_asks_for_no_signature) {
  int asked = 0;
  key_elsewhere const& key = key_of("P-256");
  server_context const server = serving(key.signed_by([&](signature_request const& request) {
    ++asked;
    return sign_with(key.key(), request, false);
  }));
  client_context const client = trusting(key.leaf());
  raw_connection first(sealed(client), sealed(server));
  BOOST_REQUIRE(first.handshake());
  detail::ssl_session_ptr const session(SSL_get1_session(first.client.get()));
  raw_connection second(sealed(client), sealed(server));
  SSL_set_session(second.client.get(), session.get());
  BOOST_REQUIRE(second.handshake());
  BOOST_TEST(SSL_session_reused(second.client.get()) == 1);
  BOOST_TEST(asked == 1);
}

BOOST_DATA_TEST_CASE(an_engine_stops_for_a_signature_and_goes_on_with_it, both_versions, version) {
  key_elsewhere const& key = key_of("P-256");
  auto const later = [&](signature_request const& request) -> asio::awaitable<signer::signature> {
    co_return sign_with(key.key(), request, true);
  };
  engine_pair pair(trusting(key.leaf(), version), serving(key.signed_by(later), version),
                   to_localhost());
  pair.client.handshake();
  engine_pair::carry(pair.client, pair.server);
  BOOST_TEST((pair.server.handshake().want == want::signature));
  BOOST_TEST((pair.server.handshake().want == want::signature));
  std::array<char, 1> byte;
  BOOST_TEST((pair.server.read(asio::buffer(byte)).want == want::signature));
  asio::io_context context;
  asio::co_spawn(context, pair.server.answer(), asio::detached);
  context.run();
  BOOST_TEST(pair.connect());
}

BOOST_DATA_TEST_CASE(an_engine_that_is_dropped_amid_a_signature_leaves_nothing, both_versions,
                     version) {
  key_elsewhere const& key = key_of("P-256");
  auto const token = std::make_shared<int>(0);
  {
    auto const later = [token](signature_request const&) -> asio::awaitable<signer::signature> {
      co_return signer::signature();
    };
    engine_pair pair(trusting(key.leaf(), version), serving(key.signed_by(later), version),
                     to_localhost());
    pair.client.handshake();
    engine_pair::carry(pair.client, pair.server);
    BOOST_TEST((pair.server.handshake().want == want::signature));
  }
  BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_connection_of_others_cannot_wait_and_its_error_says_so) {
  key_elsewhere const& key = key_of("P-256");
  auto const later = [&](signature_request const& request) -> asio::awaitable<signer::signature> {
    co_return sign_with(key.key(), request, true);
  };
  server_context const server = serving(key.signed_by(later));
  client_context const client = trusting(key.leaf());
  raw_connection both(sealed(client), sealed(server));
  BOOST_TEST(!both.handshake());
  BOOST_TEST((both.server_code() == errc::signer_failed));
  BOOST_TEST((both.client_code() == alert::internal_error));
  BOOST_TEST(both.server_error.stack.find("only a handshake can") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(rsa_key_transport_is_refused_and_the_error_says_why) {
  key_elsewhere const& key = key_of("RSA");
  client_context client = trusting(key.leaf(), protocol::tls1_2).set_ciphers("AES128-GCM-SHA256");
  server_context server = serving(key.signed_by(key.messages()));
  server.set_ciphers("AES128-GCM-SHA256");
  engine_pair pair(client, server, to_localhost());
  BOOST_TEST(!pair.connect());
  BOOST_TEST((pair.server_code == errc::signer_failed));
  BOOST_TEST(says(pair.server.last_error(), "decrypts nothing"), pair.server.last_error().what());
  BOOST_TEST(pair.client_code.category().name() == std::string("tls.alert"));
  // The same with a key that is here.
  server_context usual_server = serving(identity(certificate_chain({key.leaf()}), key.key()));
  usual_server.set_ciphers("AES128-GCM-SHA256");
  BOOST_TEST(engine_pair(client, usual_server, to_localhost()).connect());
}

BOOST_AUTO_TEST_CASE(a_key_elsewhere_stands_beside_others) {
  key_elsewhere const& elsewhere = key_of("P-256");
  key_elsewhere const& here = key_of("RSA");
  server_context server = serving(elsewhere.signed_by(elsewhere.digests()));
  server.also_use(identity(certificate_chain({here.leaf()}), here.key()));
  server.also_use(key_of("ED25519").signed_by(key_of("ED25519").messages()));
  for (std::string const kind : {"P-256", "RSA", "ED25519"}) {
    client_context client = trusting(key_of(kind).leaf());
    char const* const algorithm = kind == "RSA"     ? "rsa_pss_rsae_sha256:RSA+SHA256"
                                  : kind == "P-256" ? "ECDSA+SHA256"
                                                    : "ed25519";
    SSL_CTX_set1_sigalgs_list(client.native_handle(), algorithm);
    engine_pair pair(client, server, to_localhost());
    BOOST_TEST(pair.connect(), kind << ": " << pair.client.last_error().what());
  }
}

BOOST_DATA_TEST_CASE(a_client_chooses_a_key_elsewhere_among_several, both_versions, version) {
  key_elsewhere const& one = key_of("RSA");
  key_elsewhere const& two = key_of("P-256");
  server_context server = serving(usual(), version).set_verify(verify::require_any);
  SSL_CTX_set1_client_sigalgs_list(server.native_handle(), "ECDSA+SHA256");
  client_context client = trusting(usual().chain().leaf());
  client.use(one.signed_by(one.messages())).also_use(two.signed_by(two.messages()));
  std::size_t const before = two.asked().size();
  BOOST_TEST(engine_pair(client, server, to_localhost()).connect());
  BOOST_TEST(two.asked().size() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_not_the_certificates_is_refused_when_they_are_paired) {
  key_elsewhere const& key = key_of("P-256");
  private_key const another = private_key::from_signer(make_self_signed({"a.test"}).chain().leaf(),
                                                       key.messages());
  error const thrown =
      failure_of([&] { identity(certificate_chain({key.leaf()}), another); });
  BOOST_TEST((thrown.code() == errc::key_mismatch));
  error const of_another_kind = failure_of(
      [&] { identity(certificate_chain({key_of("RSA").leaf()}), another); });
  BOOST_TEST((of_another_kind.code() == errc::key_mismatch));
  server_context server;
  BOOST_CHECK_NO_THROW(server.use(certificate_chain({key.leaf()})));
  BOOST_CHECK_THROW(server.use(another), error);
  BOOST_CHECK_NO_THROW(server.use(private_key::from_signer(key.leaf(), key.messages())));
}

BOOST_AUTO_TEST_CASE(another_signer_for_the_same_key_replaces_it) {
  key_elsewhere const& key = key_of("P-256");
  server_context server = serving(key.signed_by(
      [](signature_request const&) -> signer::signature { throw std::runtime_error("the old"); }));
  server.use(private_key::from_signer(key.leaf(), key.messages()));
  BOOST_TEST(engine_pair(trusting(key.leaf()), server, to_localhost()).connect());
}

BOOST_AUTO_TEST_CASE(the_function_lives_as_long_as_what_may_ask_it) {
  key_elsewhere const& key = key_of("P-256");
  auto const token = std::make_shared<int>(0);
  {
    server_context const server =
        serving(key.signed_by([token, &key](signature_request const& request) {
          return sign_with(key.key(), request, false);
        }));
    engine_pair pair(trusting(key.leaf()), server, to_localhost());
    BOOST_TEST(pair.connect());
    BOOST_TEST(token.use_count() > 1);
  }
  BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(openssls_default_library_does_not_know_of_signers) {
  key_elsewhere const& key = key_of("P-256");
  BOOST_TEST(signed_by(key.messages()).connect());
  BOOST_TEST(OSSL_PROVIDER_available(nullptr, "cotls") == 0);
  std::unique_ptr<EVP_KEYMGMT, detail::openssl_deleter<EVP_KEYMGMT_free>> const found(
      EVP_KEYMGMT_fetch(nullptr, "EC", "provider=cotls"));
  BOOST_TEST(!found);
}

BOOST_AUTO_TEST_CASE(a_library_of_the_programs_takes_the_key_unless_it_asks_for_more) {
  key_elsewhere const& key = key_of("P-256");
  std::unique_ptr<OSSL_LIB_CTX, detail::openssl_deleter<OSSL_LIB_CTX_free>> const own(
      OSSL_LIB_CTX_new());
  {
    server_context server(library_options().library(own.get()));
    server.use(key.signed_by(key.messages()));
    BOOST_TEST(engine_pair(trusting(key.leaf()), server, to_localhost()).connect());
    server_context wishing(library_options().properties("?provider=other"));
    wishing.use(key.signed_by(key.messages()));
    BOOST_TEST(engine_pair(trusting(key.leaf()), wishing, to_localhost()).connect());
  }
  server_context strict(library_options().properties("provider=default"));
  error const thrown = failure_of([&] { strict.use(key.signed_by(key.messages())); });
  BOOST_TEST((thrown.code() == errc::invalid_setting));
  BOOST_CHECK_NO_THROW(strict.use(identity(certificate_chain({key.leaf()}), key.key())));
}

BOOST_AUTO_TEST_CASE(a_context_of_asios_takes_the_key) {
  key_elsewhere const& key = key_of("RSA");
  asio::ssl::context adopted(asio::ssl::context::tls_server);
  server_context server(std::move(adopted));
  server.use(key.signed_by(key.digests()));
  BOOST_TEST(engine_pair(trusting(key.leaf()), server, to_localhost()).connect());
}

BOOST_AUTO_TEST_CASE(several_threads_sign_at_once) {
  key_elsewhere const& key = key_of("P-256");
  std::atomic<int> asked{0};
  server_context const server = serving(key.signed_by([&](signature_request const& request) {
    ++asked;
    return sign_with(key.key(), request, true);
  }));
  client_context const client = trusting(key.leaf());
  std::atomic<int> connected{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 10; ++round) {
          if (engine_pair(client, server, to_localhost()).connect()) ++connected;
        }
      });
    }
  }
  BOOST_TEST(connected == 40);
  BOOST_TEST(asked == 40);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::signer_test
