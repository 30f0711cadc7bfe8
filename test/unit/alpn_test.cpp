// The protocols of one connection, which go before those of its context (RFC 7301).

#include "engine_pair.hpp"
#include "print.hpp"
#include "questions.hpp"
#include "tls.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace cotls::test::alpn_test {

namespace {

using names = std::vector<std::string>;

// A client that offers "h2" and "http/1.1", and a server that may differ from its context.
struct asked : engine_pair {
  explicit asked(server_context const& at_server,
                 client_options const& options = client_options())
      : engine_pair(localhost_client().set_alpn({"h2", "http/1.1"}), at_server,
                    client_options(options).host("localhost")) {}

  std::string agreed() {
    BOOST_TEST(connect());
    BOOST_TEST(client.info().alpn == server.info().alpn);
    return server.info().alpn;
  }
};

error_code refusal(engine& of, names const& protocols) {
  return thrown_by([&] { of.set_alpn(protocols); });
}

server_context adopting() {
  asio::ssl::context given(asio::ssl::context::tls_server);
  return server_context(std::move(given)).use(localhost_identity());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(alpn_of_one_connection)

BOOST_AUTO_TEST_CASE(a_servers_own_list_goes_before_its_contexts) {
  server_context const context = localhost_server().set_alpn({"h2"});
  asked own(context);
  own.server.set_alpn({"http/1.1", "h2"});
  BOOST_TEST(own.agreed() == "http/1.1");
  BOOST_TEST(asked(context).agreed() == "h2");
}

BOOST_AUTO_TEST_CASE(a_context_needs_none_for_it) {
  server_context const context = localhost_server();
  asked own(context);
  own.server.set_alpn({"http/1.1"});
  BOOST_TEST(own.agreed() == "http/1.1");
  BOOST_TEST(asked(context).agreed() == "");
}

BOOST_AUTO_TEST_CASE(the_last_list_counts_and_an_empty_one_chooses_nothing) {
  server_context const context = localhost_server().set_alpn({"h2"});
  asked changed(context);
  changed.server.set_alpn({"spdy"});
  changed.server.set_alpn({"http/1.1"});
  BOOST_TEST(changed.agreed() == "http/1.1");
  asked none(context);
  none.server.set_alpn({});
  BOOST_TEST(none.agreed() == "");
}

BOOST_AUTO_TEST_CASE(a_client_that_offers_others_only_is_refused_unless_the_policy_says_otherwise) {
  server_context const context = localhost_server().set_alpn({"h2"});
  asked refusing(context);
  refusing.server.set_alpn({"spdy"});
  BOOST_TEST(!refusing.connect());
  BOOST_TEST(refusing.client_code == alert::no_application_protocol);
  asked proceeding(context);
  proceeding.server.set_alpn({"spdy"}, alpn_mismatch::proceed);
  BOOST_TEST(proceeding.agreed() == "");
}

BOOST_AUTO_TEST_CASE(a_contexts_policy_does_not_count_for_a_list_of_its_own) {
  server_context const lenient = localhost_server().set_alpn({"h2"}, alpn_mismatch::proceed);
  asked refusing(lenient);
  refusing.server.set_alpn({"spdy"});
  BOOST_TEST(!refusing.connect());
}

BOOST_AUTO_TEST_CASE(a_client_that_offers_none_is_not_refused) {
  engine_pair silent(localhost_client(), localhost_server(), client_options().host("localhost"));
  silent.server.set_alpn({"h2"});
  BOOST_TEST(silent.connect());
  BOOST_TEST(silent.server.info().alpn == "");
}

BOOST_AUTO_TEST_CASE(a_client_has_its_own_list_too) {
  server_context const context = localhost_server().set_alpn({"spdy", "h2"});
  asked own(context);
  own.client.set_alpn({"spdy"});
  BOOST_TEST(own.agreed() == "spdy");
  asked options(context, client_options().alpn("h2"));
  options.client.set_alpn({"spdy"});
  BOOST_TEST(options.agreed() == "spdy");
  BOOST_TEST(asked(context, client_options().alpn("h2")).agreed() == "h2");
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_be_sent_is_refused_and_changes_nothing) {
  asked pair(localhost_server().set_alpn({"h2"}));
  for (engine* each : {&pair.client, &pair.server}) {
    BOOST_TEST(refusal(*each, {""}) == errc::invalid_alpn_protocol);
    BOOST_TEST(refusal(*each, {std::string(256, 'x')}) == errc::invalid_alpn_protocol);
  }
  BOOST_TEST(pair.agreed() == "h2");
}

BOOST_AUTO_TEST_CASE(once_the_handshake_has_begun_it_is_too_late) {
  asked pair(localhost_server());
  pair.client.handshake();
  BOOST_TEST(refusal(pair.client, {"h2"}) == errc::invalid_setting);
  engine_pair::carry(pair.client, pair.server);
  pair.server.handshake();
  BOOST_TEST(refusal(pair.server, {"h2"}) == errc::invalid_setting);
  BOOST_TEST(pair.connect());
  BOOST_TEST(refusal(pair.client, {"h2"}) == errc::invalid_setting);
  BOOST_TEST(refusal(pair.server, {"h2"}) == errc::invalid_setting);
}

// While a hello is half here OpenSSL knows nothing of it.
BOOST_AUTO_TEST_CASE(until_the_hello_is_whole_it_is_not) {
  asked pair(localhost_server());
  pair.client.handshake();
  pair.server.input(asio::buffer(pair.client.output(), 50));
  pair.client.consume_output(50);
  BOOST_TEST((pair.server.handshake().want == want::input));
  pair.server.set_alpn({"http/1.1"});
  BOOST_TEST(pair.agreed() == "http/1.1");
}

// In these the program may have a callback of its own, which would choose, and not say so.
BOOST_AUTO_TEST_CASE(a_server_whose_context_may_choose_by_itself_has_none) {
  engine of_adopted(adopting());
  BOOST_TEST(refusal(of_adopted, {"h2"}) == errc::invalid_setting);
  server_context lent = localhost_server();
  lent.native();
  engine of_lent(lent);
  BOOST_TEST(refusal(of_lent, {"h2"}) == errc::invalid_setting);
  for (server_context context : {adopting(), localhost_server()}) {
    context.native();
    context.set_alpn({"h2"});
    asked pair(context);
    pair.server.set_alpn({"http/1.1"});
    BOOST_TEST(pair.agreed() == "http/1.1");
  }
}

BOOST_AUTO_TEST_CASE(a_callback_of_the_programs_stays) {
  server_context lent = localhost_server();
  SSL_CTX_set_alpn_select_cb(
      lent.native_handle(),
      [](SSL*, unsigned char const** out, unsigned char* size, unsigned char const* offered,
         unsigned, void*) -> int {
        *out = offered + 1;
        *size = *offered;
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  BOOST_TEST(asked(lent).agreed() == "h2");
}

BOOST_AUTO_TEST_CASE(what_was_set_on_a_connection_stays_when_a_virtual_host_serves_it) {
  server_context const host = localhost_server().set_alpn({"h2"});
  server_context const context =
      localhost_server().set_alpn({"spdy"}).add_virtual_host("localhost", host);
  asked own(context);
  own.server.set_alpn({"http/1.1"});
  BOOST_TEST(own.agreed() == "http/1.1");
  BOOST_TEST(asked(context).agreed() == "h2");
}

BOOST_AUTO_TEST_CASE(a_virtual_host_whose_context_may_choose_by_itself_serves_no_such_connection) {
  server_context host = localhost_server();
  host.native();
  asked pair(localhost_server().add_virtual_host("localhost", host));
  pair.server.set_alpn({"http/1.1"});
  BOOST_TEST(!pair.connect());
  BOOST_TEST(pair.server_code == errc::invalid_setting);
}

BOOST_AUTO_TEST_CASE(an_engine_that_was_moved_from_has_none) {
  asked pair(localhost_server());
  engine const elsewhere(std::move(pair.server));
  BOOST_TEST(refusal(pair.server, {"h2"}) == errc::not_connected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::alpn_test
