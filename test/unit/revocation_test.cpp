// Revocation lists that were loaded are heeded, however they were loaded.

#include "engine_pair.hpp"
#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <functional>

namespace cotls::test::revocation_test {
namespace {

// What OpenSSL's hashed directories call a certificate (`kind` 0) or a list (`r0`).
std::string hashed_name(certificate const& of, std::string const& kind) {
  char hash[16];
  std::snprintf(hash, sizeof hash, "%08lx",
                X509_NAME_hash_ex(X509_get_subject_name(of.native_handle()), nullptr, nullptr,
                                  nullptr));
  return std::string(hash) + '.' + kind;
}

struct fixture {
  authority root{"root"};
  issued good = root.issue(certificate_request({"good.test"}));
  issued revoked = root.issue(certificate_request({"revoked.test"}));
  std::string list = root.revocation_list({revoked.leaf()});
  temporary_directory directory;

  // The result of verifying a server that shows this: 0 when it is accepted.
  static int result_of(client_context const& client, issued const& shown) {
    std::string const host = shown.leaf().names().front();
    engine_pair both(client, server_context().use(shown.identity()),
                     client_options().host(host));
    if (both.connect()) return X509_V_OK;
    words = both.client.last_error().what();
    return both.client.last_error().verify_result();
  }

  static inline std::string words;   // of the refusal
};

using way = std::function<client_context(fixture const&)>;

std::vector<std::pair<char const*, way>> const ways{
    {"a file",
     [](fixture const& f) {
       return client_context().load_verify_roots(
           f.directory.write("both.pem", f.root.pem() + f.list));
     }},
    {"two files",
     [](fixture const& f) {
       return client_context()
           .load_verify_roots(f.directory.write("list.pem", f.list))
           .load_verify_roots(f.directory.write("root.pem", f.root.pem()));
     }},
    {"a text",
     [](fixture const& f) { return client_context().add_roots(f.list + f.root.pem()); }},
    {"a text beside a certificate",
     [](fixture const& f) {
       return client_context().add_root(f.root.certificate()).add_roots(f.list);
     }},
    {"a directory",
     [](fixture const& f) {
       f.directory.write(hashed_name(f.root.certificate(), "0"), f.root.pem());
       f.directory.write(hashed_name(f.root.certificate(), "r0"), f.list);
       return client_context().load_verify_roots({}, f.directory.path());
     }},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(revocation, fixture)

BOOST_AUTO_TEST_CASE(a_revoked_certificate_is_refused_however_its_list_was_loaded) {
  for (auto const& [name, load] : ways) {
    BOOST_TEST_CONTEXT(name) {
      client_context const client = load(*this);
      BOOST_TEST(result_of(client, good) == X509_V_OK);
      BOOST_TEST(result_of(client, revoked) == X509_V_ERR_CERT_REVOKED);
      BOOST_TEST(words.find("the peer's certificate was revoked") != std::string::npos);
    }
  }
  BOOST_TEST(result_of(client_context().add_root(root.certificate()), revoked) == X509_V_OK);
}

BOOST_AUTO_TEST_CASE(a_revoked_client_is_refused_by_a_server) {
  issued const shown = root.issue(certificate_request({"c"}).use(purpose::client));
  issued const other = root.issue(certificate_request({"d"}).use(purpose::client));
  server_context const server = server_context()
                                    .use(good.identity())
                                    .set_verify(verify::required)
                                    .add_roots(root.pem() + root.revocation_list({shown.leaf()}));
  auto const let_in = [&](issued const& who) {
    client_context client = client_context().add_root(root.certificate()).use(who.identity());
    engine_pair both(client, server, client_options().host("good.test"));
    return both.connect() ? error_code() : both.client_code;
  };
  BOOST_TEST(let_in(shown) == alert::certificate_revoked);
  BOOST_TEST(!let_in(other));
}

BOOST_AUTO_TEST_CASE(a_list_that_has_expired_is_told_in_words) {
  std::string const old = root.revocation_list({revoked.leaf()}, -std::chrono::hours(1));
  client_context const client = client_context().add_roots(root.pem() + old);
  BOOST_TEST(result_of(client, good) == X509_V_ERR_CRL_HAS_EXPIRED);
  BOOST_TEST(words.find("the revocation list for the peer's certificate has expired") !=
             std::string::npos);
  // One that was loaded later takes its place.
  client_context const renewed = client_context().add_roots(root.pem() + old).add_roots(list);
  BOOST_TEST(result_of(renewed, good) == X509_V_OK);
  BOOST_TEST(result_of(renewed, revoked) == X509_V_ERR_CERT_REVOKED);
}

BOOST_AUTO_TEST_CASE(a_list_that_its_issuer_has_not_signed_refuses) {
  authority const impostor("root");
  client_context const client =
      client_context().add_roots(root.pem() + impostor.revocation_list({}));
  BOOST_TEST(result_of(client, good) != X509_V_OK);
  BOOST_TEST(result_of(client, revoked) != X509_V_OK);
}

BOOST_AUTO_TEST_CASE(once_there_is_a_list_each_peer_needs_one) {
  authority const another("another");
  issued const unlisted = another.issue(certificate_request({"unlisted.test"}));
  client_context client = client_context().add_roots(root.pem() + another.pem());
  BOOST_TEST(result_of(client, unlisted) == X509_V_OK);
  client = client_context().add_roots(root.pem() + another.pem() + list);
  BOOST_TEST(result_of(client, unlisted) == X509_V_ERR_UNABLE_TO_GET_CRL);
  BOOST_TEST(words.find("no revocation list was found") != std::string::npos);
  BOOST_TEST(result_of(client, good) == X509_V_OK);
}

// The leaf's list is too old, which the program puts up with; there is none for the intermediate.
BOOST_AUTO_TEST_CASE(what_a_programs_callback_accepts_is_remembered_when_another_list_is_missing) {
  authority const between = root.make_intermediate("between");
  issued const shown = between.issue(certificate_request({"good.test"}));
  client_context const client = client_context().add_roots(
      root.pem() + between.revocation_list({}, -std::chrono::hours(1)));
  BOOST_TEST(result_of(client, shown) == X509_V_ERR_CRL_HAS_EXPIRED);
  SSL_CTX_set_verify(client.native_handle(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  engine_pair both(client, server_context().use(shown.identity()),
                   client_options().host("good.test"));
  BOOST_TEST(both.connect());
  BOOST_TEST(SSL_get_verify_result(both.client.native_handle()) == X509_V_ERR_CRL_HAS_EXPIRED);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_itself_trusted_needs_no_list) {
  identity const self = make_self_signed({"self.test"});
  client_context const client = client_context().add_roots(root.pem() + list).add_root(
      self.chain().leaf());
  engine_pair both(client, server_context().use(self), client_options().host("self.test"));
  BOOST_TEST(both.connect());
}

BOOST_AUTO_TEST_CASE(authorities_are_looked_up_in_the_lists_there_are) {
  authority const between = root.make_intermediate("between");
  issued const shown = between.issue(certificate_request({"leaf.test"}));
  std::string const empty = between.revocation_list({});
  auto const with = [&](std::string const& lists) {
    return result_of(client_context().add_roots(root.pem() + lists), shown);
  };
  BOOST_TEST(with(empty) == X509_V_OK);
  BOOST_TEST(with(empty + list) == X509_V_OK);
  BOOST_TEST(with(between.revocation_list({shown.leaf()})) == X509_V_ERR_CERT_REVOKED);
  BOOST_TEST(with(empty + root.revocation_list({between.certificate()})) ==
             X509_V_ERR_CERT_REVOKED);
  BOOST_TEST(words.find("depth 1") != std::string::npos);
  BOOST_TEST(with(empty + root.revocation_list({}, -std::chrono::hours(1))) ==
             X509_V_ERR_CRL_HAS_EXPIRED);
  BOOST_TEST(with(list) == X509_V_ERR_UNABLE_TO_GET_CRL);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_added_to_a_directory_later_is_heeded) {
  authority const another("another");
  issued const unlisted = another.issue(certificate_request({"unlisted.test"}));
  directory.write(hashed_name(root.certificate(), "0"), root.pem());
  directory.write(hashed_name(another.certificate(), "0"), another.pem());
  client_context const client = client_context().load_verify_roots({}, directory.path());
  BOOST_TEST(result_of(client, revoked) == X509_V_OK);
  directory.write(hashed_name(root.certificate(), "r0"), root.revocation_list({}));
  BOOST_TEST(result_of(client, revoked) == X509_V_OK);
  directory.write(hashed_name(root.certificate(), "r1"), root.revocation_list({revoked.leaf()}));
  BOOST_TEST(result_of(client, revoked) == X509_V_ERR_CERT_REVOKED);
  BOOST_TEST(result_of(client, good) == X509_V_OK);
  // Whether each peer needs one was said by what was there when the directory was loaded.
  BOOST_TEST(result_of(client, unlisted) == X509_V_OK);
  client_context const later = client_context().load_verify_roots({}, directory.path());
  BOOST_TEST(result_of(later, unlisted) == X509_V_ERR_UNABLE_TO_GET_CRL);
}

BOOST_AUTO_TEST_CASE(a_list_alone_is_no_root) {
  server_context server = server_context().use(good.identity()).set_verify(verify::required);
  server.add_roots(list);
  BOOST_CHECK_EXCEPTION(engine{server}, error,
                        [](error const& thrown) { return thrown.code() == errc::no_roots; });
  client_context const client = client_context().add_roots(list);
  BOOST_TEST(result_of(client, good) != X509_V_OK);
  BOOST_CHECK_EXCEPTION(
      server.load_suggested_authorities(directory.write("list.pem", list)), error,
      [](error const& thrown) { return thrown.code() == errc::no_certificate_found; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::revocation_test
