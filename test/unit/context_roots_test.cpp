// Contexts: whom they trust, and what they ask of their peers.

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "print.hpp"
#include "raw_connection.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdio>

namespace cotls::test::context_roots_test {
namespace {

identity const& server_identity() {
  static identity const made = make_self_signed({"server.test"});
  return made;
}

identity const& client_identity() {
  static identity const made = make_self_signed({"client.test"});
  return made;
}

certificate root_of(identity const& who) { return who.chain().leaf(); }

raw_connection connect(context const& client, context const& server) {
  detail::seal(client);
  detail::seal(server);
  return {detail::access::state(client)->handle(), detail::access::state(server)->handle()};
}

bool trusts(client_context const& client, identity const& who) {
  return connect(client, server_context().use(who)).handshake();
}

client_context strict_client() { return client_context().add_root(root_of(server_identity())); }

server_context asking_server(verify mode) {
  return server_context()
      .use(server_identity())
      .set_verify(mode)
      .add_root(root_of(client_identity()));
}

template <class Call>
error_code failure_of(Call call) {
  try {
    call();
  } catch (error const& thrown) {
    return thrown.code();
  }
  return {};
}

// The store that contexts with only the system's roots have in common.
X509_STORE* shared_store(context const& of) {
  detail::seal(of);
  X509_STORE* store = nullptr;
  SSL_CTX_get0_verify_cert_store(detail::access::state(of)->handle(), &store);
  return store;
}

int roots_in(X509_STORE* store) { return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); }

// What OpenSSL's hashed directories call a certificate.
std::string hashed_name(certificate const& root) {
  char name[16];
  std::snprintf(name, sizeof name, "%08lx.0",
                X509_NAME_hash_ex(X509_get_subject_name(root.native_handle()), nullptr, nullptr,
                                  nullptr));
  return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(context_roots)

BOOST_AUTO_TEST_CASE(a_server_of_a_trusted_root_is_accepted_and_another_is_not) {
  BOOST_TEST(trusts(strict_client(), server_identity()));
  raw_connection both = connect(strict_client(), server_context().use(client_identity()));
  BOOST_TEST(!both.handshake());
  BOOST_TEST(both.client_code().message() == "certificate verify failed");
}

BOOST_AUTO_TEST_CASE(without_verification_any_server_is_accepted) {
  BOOST_TEST(trusts(client_context().set_verify(verify::none), client_identity()));
}

BOOST_AUTO_TEST_CASE(roots_of_several_files_are_all_trusted) {
  temporary_directory const directory;
  std::string const one = directory.write("one.pem", root_of(server_identity()).pem());
  std::string const two = directory.write("two.pem", root_of(client_identity()).pem());
  client_context const both = client_context().load_verify_roots(one).load_verify_roots(two);
  BOOST_TEST(trusts(both, server_identity()));
  BOOST_TEST(trusts(both, client_identity()));
  BOOST_TEST(!trusts(client_context().load_verify_roots(one), client_identity()));
}

BOOST_AUTO_TEST_CASE(roots_of_one_file_are_all_trusted) {
  temporary_directory const directory;
  std::string const both = root_of(server_identity()).pem() + root_of(client_identity()).pem();
  std::string const file = directory.write("roots.pem", "# comment\n" + both);
  BOOST_TEST(trusts(client_context().load_verify_roots(file), server_identity()));
  BOOST_TEST(trusts(client_context().load_verify_roots(file), client_identity()));
}

BOOST_AUTO_TEST_CASE(roots_of_a_text_in_memory_are_all_trusted) {
  std::string const both = root_of(server_identity()).pem() + root_of(client_identity()).pem();
  BOOST_TEST(trusts(client_context().add_roots("# comment\n" + both), server_identity()));
  BOOST_TEST(trusts(client_context().add_roots(both), client_identity()));
  BOOST_TEST(!trusts(client_context().add_roots(root_of(client_identity()).pem()),
                     server_identity()));
}

BOOST_AUTO_TEST_CASE(a_text_without_roots_is_refused_and_changes_nothing) {
  client_context client = strict_client();
  for (std::string const& text : {std::string(), std::string("none"), client_identity().key().pem(),
                                  root_of(server_identity()).pem().substr(0, 200)}) {
    BOOST_TEST((failure_of([&] { client.add_roots(text); }) == errc::no_certificate_found));
  }
  BOOST_TEST(!trusts(client, client_identity()));
  BOOST_TEST(trusts(client, server_identity()));
}

BOOST_AUTO_TEST_CASE(a_root_that_is_added_to_a_directory_later_is_found) {
  temporary_directory const directory;
  client_context const client = client_context().load_verify_roots({}, directory.path());
  BOOST_TEST(!trusts(client, server_identity()));
  directory.write(hashed_name(root_of(server_identity())), root_of(server_identity()).pem());
  BOOST_TEST(trusts(client, server_identity()));
}

BOOST_AUTO_TEST_CASE(roots_that_cannot_be_read_keep_the_systems_error) {
  temporary_directory const directory;
  std::string const file = directory.write("root.pem", root_of(server_identity()).pem());
  auto const load = [](std::filesystem::path const& path, std::filesystem::path const& under = {}) {
    return failure_of([&] { client_context().load_verify_roots(path, under); });
  };
  namespace errc = boost::system::errc;
  BOOST_TEST((load(directory.path() / "none.pem") == errc::no_such_file_or_directory));
  BOOST_TEST((load({}, directory.path() / "none") == errc::no_such_file_or_directory));
  BOOST_TEST((load({}, file) == errc::not_a_directory));
  BOOST_TEST(!load(file, directory.path()));
}

BOOST_AUTO_TEST_CASE(a_file_without_roots_is_refused) {
  temporary_directory const directory;
  for (std::string const& text : {std::string(), std::string("none"), client_identity().key().pem(),
                                  root_of(server_identity()).pem().substr(0, 200)}) {
    std::string const file = directory.write("roots.pem", text);
    BOOST_TEST((failure_of([&] { client_context().load_verify_roots(file); }) ==
                errc::no_certificate_found));
  }
  BOOST_TEST((failure_of([&] { client_context().load_verify_roots({}); }) ==
              errc::no_certificate_found));
}

BOOST_AUTO_TEST_CASE(roots_that_fail_to_load_leave_the_context_as_it_was) {
  temporary_directory const directory;
  std::string const file = directory.write("root.pem", root_of(client_identity()).pem());
  client_context client = strict_client();
  BOOST_TEST(failure_of([&] { client.load_verify_roots(file, directory.path() / "none"); }));
  BOOST_TEST(!trusts(client, client_identity()));
  BOOST_TEST(trusts(client, server_identity()));
}

BOOST_AUTO_TEST_CASE(a_client_that_was_given_no_roots_refuses_whom_the_system_does_not_know) {
  raw_connection both = connect(client_context(), server_context().use(server_identity()));
  BOOST_TEST(!both.handshake());
  BOOST_TEST(both.client_code().message() == "certificate verify failed");
}

BOOST_AUTO_TEST_CASE(clients_without_roots_share_the_systems) {
  X509_STORE* const store = shared_store(client_context());
  BOOST_TEST(store != nullptr);
  BOOST_TEST(shared_store(client_context().use_system_roots()) == store);
  BOOST_TEST(shared_store(strict_client()) == nullptr);
  BOOST_TEST(shared_store(client_context().set_verify(verify::none)) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_root_beside_the_systems_does_not_reach_other_contexts) {
  client_context const both =
      client_context().use_system_roots().add_root(root_of(server_identity()));
  BOOST_TEST(shared_store(both) == nullptr);
  BOOST_TEST(trusts(both, server_identity()));
  BOOST_TEST(!trusts(client_context(), server_identity()));
  int const systems = roots_in(shared_store(client_context()));
  BOOST_TEST(roots_in(SSL_CTX_get_cert_store(both.native_handle())) == systems + 1);
}

BOOST_AUTO_TEST_CASE(a_root_given_to_the_lent_context_counts) {
  client_context const client;
  std::string const pem = root_of(server_identity()).pem();
  client.native().add_certificate_authority(boost::asio::buffer(pem));
  BOOST_TEST(trusts(client, server_identity()));
  BOOST_TEST(roots_in(SSL_CTX_get_cert_store(client.native_handle())) == 1);
}

BOOST_AUTO_TEST_CASE(a_lent_context_has_a_store_of_its_own) {
  client_context const client;
  client.native_handle();
  BOOST_TEST(shared_store(client) == nullptr);
  BOOST_TEST(!trusts(client, server_identity()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(context_verification)

BOOST_AUTO_TEST_CASE(a_server_that_verifies_needs_roots) {
  for (verify mode : {verify::optional, verify::required}) {
    server_context server = server_context().use(server_identity()).set_verify(mode);
    BOOST_TEST((failure_of([&] { detail::seal(server); }) == errc::no_roots));
    server.add_root(root_of(client_identity()));
    BOOST_TEST(!failure_of([&] { detail::seal(server); }));
  }
}

BOOST_AUTO_TEST_CASE(a_required_certificate_must_be_shown) {
  raw_connection without = connect(strict_client(), asking_server(verify::required));
  BOOST_TEST(!without.handshake());
  BOOST_TEST((without.client_code() == alert::certificate_required));
  BOOST_TEST(connect(strict_client().use(client_identity()), asking_server(verify::required))
                 .handshake());
}

BOOST_AUTO_TEST_CASE(an_optional_certificate_may_be_missing_but_not_bad) {
  BOOST_TEST(connect(strict_client(), asking_server(verify::optional)).handshake());
  BOOST_TEST(connect(strict_client().use(client_identity()), asking_server(verify::optional))
                 .handshake());
  raw_connection bad =
      connect(strict_client().use(server_identity()), asking_server(verify::optional));
  BOOST_TEST(!bad.handshake());
  BOOST_TEST((bad.client_code() == alert::unknown_ca));
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_verify_does_not_ask) {
  raw_connection both =
      connect(strict_client().use(client_identity()), server_context().use(server_identity()));
  BOOST_TEST(both.handshake());
  BOOST_TEST(SSL_get0_peer_certificate(both.server.get()) == nullptr);
}

BOOST_AUTO_TEST_CASE(the_mode_that_was_set_is_the_mode_that_is_told) {
  for (verify mode : {verify::none, verify::optional, verify::required}) {
    BOOST_TEST((server_context().set_verify(mode).verify_mode() == mode));
  }
  BOOST_TEST((client_context().set_verify(verify::optional).verify_mode() == verify::required));
  BOOST_TEST((client_context().set_verify(verify::none).verify_mode() == verify::none));
}

BOOST_AUTO_TEST_CASE(suggested_authorities_reach_the_client_in_their_order) {
  temporary_directory const directory;
  identity const third = make_self_signed({"third.test"});
  std::string const first_file = directory.write(
      "a.pem", root_of(server_identity()).pem() + root_of(client_identity()).pem());
  std::string const second_file = directory.write("b.pem", root_of(third).pem());
  server_context server = asking_server(verify::optional);
  server.load_suggested_authorities(first_file).load_suggested_authorities(second_file);
  raw_connection both = connect(strict_client(), server);
  BOOST_REQUIRE(both.handshake());
  STACK_OF(X509_NAME) const* names = SSL_get0_peer_CA_list(both.client.get());
  BOOST_REQUIRE(sk_X509_NAME_num(names) == 3);
  int place = 0;
  for (identity const& who : {server_identity(), client_identity(), third}) {
    BOOST_TEST(X509_NAME_cmp(sk_X509_NAME_value(names, place++),
                             X509_get_subject_name(root_of(who).native_handle())) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_suggested_authority_is_not_trusted_by_it) {
  temporary_directory const directory;
  std::string const file = directory.write("a.pem", root_of(server_identity()).pem());
  server_context server = asking_server(verify::required);
  server.load_suggested_authorities(file);
  raw_connection both = connect(strict_client().use(server_identity()), server);
  BOOST_TEST(!both.handshake());
  BOOST_TEST((both.client_code() == alert::unknown_ca));
}

BOOST_AUTO_TEST_CASE(a_file_without_authorities_to_suggest_is_refused) {
  temporary_directory const directory;
  std::string const file = directory.write("a.pem", "none");
  BOOST_TEST((failure_of([&] { server_context().load_suggested_authorities(file); }) ==
              errc::no_certificate_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::context_roots_test
