// Engines, asked everything at every moment of a connection: nothing crashes, what is not known is
// empty, and nothing is taken for verified before the handshake is done.

#include "print.hpp"
#include "questions.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/err.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotls::test::moments_test {

namespace {

struct both_ends {
  engine client;
  engine server;

  explicit both_ends(client_context const& at_client = localhost_client(),
                     server_context const& at_server = localhost_server(),
                     std::string const& host = "localhost")
      : client(at_client, client_options().host(host)), server(at_server) {}

  void carry(engine& from, engine& to, std::size_t most = 1'000'000) {
    asio::const_buffer const piece = asio::buffer(from.output(), most);
    to.input(piece);
    from.consume_output(piece.size());
  }

  void shake_hands() {
    for (int flight = 0; flight < 4; ++flight) {
      client.handshake();
      carry(client, server);
      server.handshake();
      carry(server, client);
    }
  }

  both_ends& shaken() {
    shake_hands();
    return *this;
  }
};

void say(engine& to, std::string_view text) { to.input(asio::buffer(text)); }

// A moment, how one comes to it, and what each end knows then.
struct moment {
  char const* name;
  std::function<both_ends()> come_to;
  answers client;
  answers server;
};

std::ostream& operator<<(std::ostream& out, moment const& one) { return out << one.name; }

error_code ssl_reason(int reason) {
  return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, reason)), openssl_category()};
}

answers nothing(error_code last = {}) { return {false, false, false, "", last}; }

answers at_client(error_code last = {}) { return {false, true, true, "CN=localhost", last}; }
answers at_server(error_code last = {}) { return {false, true, false, "", last}; }

both_ends begun(void (*next)(both_ends&)) {
  both_ends made;
  made.client.handshake();
  next(made);
  return made;
}

both_ends open_and(void (*next)(both_ends&)) {
  both_ends made;
  made.shake_hands();
  next(made);
  return made;
}

both_ends refusing(client_context const& at_client, server_context const& at_server,
                   std::string const& host = "localhost") {
  both_ends made(at_client, at_server, host);
  made.shake_hands();
  return made;
}

both_ends resuming_and_unanswered() {
  server_context const server = localhost_server();
  client_context const client = localhost_client();
  // The first connection's session, offered by the second, which nobody answers.
  both_ends first(client, server);
  first.shake_hands();
  std::string text(10, '\0');
  first.client.read(asio::buffer(text));   // takes the ticket
  both_ends second(client, server);
  SSL_SESSION* const session = SSL_get1_session(first.client.native_handle());
  SSL_set_session(second.client.native_handle(), session);
  SSL_SESSION_free(session);
  second.client.handshake();
  return second;
}

client_context tls12_client() { return localhost_client(protocol::tls1_2); }

std::vector<moment> const& all_moments() {
  static std::vector<moment> const all{
      {"fresh", [] { return both_ends(); }, nothing(), nothing()},
      {"hello sent", [] { return begun([](both_ends&) {}); }, nothing(), nothing()},
      {"hello sent, with a session", resuming_and_unanswered, nothing(), nothing()},
      {"half a hello",
       [] {
         return begun([](both_ends& ends) {
           ends.carry(ends.client, ends.server, 50);
           ends.server.handshake();
         });
       },
       nothing(), nothing()},
      {"hello answered",
       [] {
         return begun([](both_ends& ends) {
           ends.carry(ends.client, ends.server);
           ends.server.handshake();
         });
       },
       nothing(), at_server()},
      {"plain HTTP to the server",
       [] {
         return begun([](both_ends& ends) {
           say(ends.server, "GET / HTTP/1.0\r\n\r\n");
           ends.server.handshake();
         });
       },
       nothing(), nothing(ssl_reason(SSL_R_HTTP_REQUEST))},
      {"plain HTTP from the server",
       [] {
         return begun([](both_ends& ends) {
           say(ends.client, "HTTP/1.0 400\r\n\r\n");
           ends.client.handshake();
         });
       },
       nothing(ssl_reason(SSL_R_WRONG_VERSION_NUMBER)), nothing()},
      {"an alert instead of an answer",
       [] {
         return begun([](both_ends& ends) {
           say(ends.client, std::string_view("\x15\x03\x03\x00\x02\x02\x28", 7));
           ends.client.handshake();
         });
       },
       nothing(alert::handshake_failure), nothing()},
      {"the end inside the hello",
       [] {
         return begun([](both_ends& ends) {
           ends.carry(ends.client, ends.server, 50);
           ends.server.end_input();
           ends.server.handshake();
           ends.client.end_input();
           ends.client.handshake();
         });
       },
       nothing(errc::handshake_truncated), nothing(errc::handshake_truncated)},
      {"no common version",
       [] { return refusing(tls12_client(), localhost_server(protocol::tls1_3)); },
       nothing(alert::protocol_version), nothing(ssl_reason(SSL_R_UNSUPPORTED_PROTOCOL))},
      {"a refused name",
       [] { return refusing(localhost_client(), localhost_server(), "elsewhere"); },
       {false, true, false, "", ssl_reason(SSL_R_CERTIFICATE_VERIFY_FAILED)},
       at_server(alert::bad_certificate)},
      {"a refused name, TLS 1.2",
       [] { return refusing(tls12_client(), localhost_server(), "elsewhere"); },
       nothing(ssl_reason(SSL_R_CERTIFICATE_VERIFY_FAILED)), nothing(alert::bad_certificate)},
      {"open", [] { return open_and([](both_ends&) {}); }, at_client(), at_server()},
      {"open, TLS 1.2",
       [] { return std::move(both_ends(tls12_client()).shaken()); }, at_client(), at_server()},
      {"half closed",
       [] {
         return open_and([](both_ends& ends) {
           ends.client.close_write();
           ends.carry(ends.client, ends.server);
           std::string text(10, '\0');
           ends.server.read(asio::buffer(text));
         });
       },
       at_client(), at_server(asio::error::eof)},
      {"closed",
       [] {
         return open_and([](both_ends& ends) {
           ends.client.shutdown();
           ends.carry(ends.client, ends.server);
           ends.server.shutdown();
           ends.carry(ends.server, ends.client);
           ends.client.shutdown();
         });
       },
       at_client(), at_server()},
      {"truncated",
       [] {
         return open_and([](both_ends& ends) {
           ends.client.end_input();
           std::string text(10, '\0');
           ends.client.read(asio::buffer(text));
         });
       },
       at_client(errc::stream_truncated), at_server()},
      {"a damaged record",
       [] {
         return open_and([](both_ends& ends) {
           say(ends.server, std::string_view("\x17\x03\x03\x00\x13" "0123456789012345678", 24));
           std::string text(10, '\0');
           ends.server.read(asio::buffer(text));
           ends.carry(ends.server, ends.client);
           ends.client.read(asio::buffer(text));
         });
       },
       at_client(alert::bad_record_mac),
       at_server(ssl_reason(SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC))},
      {"moved from",
       [] {
         return open_and([](both_ends& ends) {
           engine const client(std::move(ends.client));
           engine const server(std::move(ends.server));
         });
       },
       nothing_is_connected(), nothing_is_connected()},
  };
  return all;
}

// Calls all that can be called; what comes of it depends on the moment, but it comes to an end.
void call_everything(engine& called, bool empty) {
  std::string text(100, 'x');
  std::array<step, 6> const done{called.handshake(), called.peek(asio::buffer(text)),
                                 called.read(asio::buffer(text)), called.write(asio::buffer(text)),
                                 called.close_write(), called.shutdown()};
  for (step const& each : done) BOOST_TEST((each.error == errc::not_connected) == empty);
  error_code const refused = empty ? make_error_code(errc::not_connected) : error_code();
  BOOST_TEST(thrown_by([&] { called.input(asio::buffer("x", 1)); }) == refused);
  BOOST_TEST(thrown_by([&] { called.lend_input(asio::buffer("x", 1)); }) == refused);
  BOOST_TEST(thrown_by([&] { called.end_input(); }) == refused);
  BOOST_TEST((called.unread() == 0 || !empty));
  std::size_t const waiting = called.output().size();
  BOOST_TEST((waiting == 0 || !empty));
  BOOST_TEST(thrown_by([&] { called.consume_output(waiting + 1); }) ==
             asio::error::invalid_argument);
  called.consume_output(waiting);
  BOOST_TEST(called.output().size() == 0u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(moments)

BOOST_DATA_TEST_CASE(an_engine_answers_at_every_moment,
                     boost::unit_test::data::make(all_moments()), at) {
  both_ends ends = at.come_to();
  BOOST_TEST(ask(ends.client) == at.client);
  BOOST_TEST(ask(ends.server) == at.server);
  call_everything(ends.client, at.client.empty);
  call_everything(ends.server, at.server.empty);
  ask(ends.client);
  ask(ends.server);
}

// What `step::error` promises.
BOOST_AUTO_TEST_CASE(an_end_or_a_refusal_ends_one_direction_and_the_other_goes_on) {
  both_ends ends;
  ends.shake_hands();
  std::string text(10, '\0');
  ends.client.read(asio::buffer(text));   // the ticket
  ends.client.close_write();
  ends.carry(ends.client, ends.server);
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(ends.client.write(asio::buffer("x", 1)).error == errc::write_after_close);
    BOOST_TEST(ends.server.peek(asio::buffer(text)).error == asio::error::eof);
    BOOST_TEST(ends.server.read(asio::buffer(text)).error == asio::error::eof);
    BOOST_TEST(ends.server.write(asio::buffer("x", 1)).bytes == 1u);
    ends.carry(ends.server, ends.client);
    BOOST_TEST(ends.client.read(asio::buffer(text)).bytes == 1u);
  }
  both_ends cut;
  cut.shake_hands();
  cut.server.end_input();
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(cut.server.read(asio::buffer(text)).error == errc::stream_truncated);
    BOOST_TEST(cut.server.write(asio::buffer("x", 1)).bytes == 1u);
    cut.carry(cut.server, cut.client);
    BOOST_TEST(cut.client.read(asio::buffer(text)).bytes == 1u);
  }
}

BOOST_AUTO_TEST_CASE(after_a_failure_every_call_answers_with_it) {
  both_ends ends;
  ends.shake_hands();
  say(ends.server, std::string_view("\x17\x03\x03\x00\x13" "0123456789012345678", 24));
  std::string text(10, '\0');
  error_code const failed = ends.server.read(asio::buffer(text)).error;
  BOOST_TEST(failed == ssl_reason(SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC));
  BOOST_TEST(ends.server.handshake().error == failed);
  BOOST_TEST(ends.server.peek(asio::buffer(text)).error == failed);
  BOOST_TEST(ends.server.read(asio::buffer(text)).error == failed);
  BOOST_TEST(ends.server.write(asio::buffer(text)).error == failed);
  BOOST_TEST(ends.server.close_write().error == failed);
  BOOST_TEST(ends.server.shutdown().error == failed);
  BOOST_TEST(ends.server.output().size() > 0u);   // the alert
}

// Whoever has seen a certificate can send it.
BOOST_AUTO_TEST_CASE(a_chain_whose_owner_has_not_proved_to_have_the_key_is_not_verified) {
  both_ends ends;
  ends.client.handshake();
  ends.carry(ends.client, ends.server);
  ends.server.handshake();
  // The last that a server says is its Finished, of up to 74 bytes; the proof comes before that.
  std::size_t const flight = ends.server.output().size();
  ends.carry(ends.server, ends.client, flight - 120);
  BOOST_TEST((ends.client.handshake().want == want::input));
  BOOST_TEST(ask(ends.client).subject == "CN=localhost");
  BOOST_TEST(!ask(ends.client).verified);
  ends.carry(ends.server, ends.client);
  BOOST_TEST((ends.client.handshake().want == want::nothing));
  BOOST_TEST(ask(ends.client).verified);
}

BOOST_AUTO_TEST_CASE(without_a_host_a_chain_alone_is_verified) {
  asio::ssl::context given(asio::ssl::context::tls_client);
  given.set_verify_mode(asio::ssl::verify_peer);
  client_context adopting(std::move(given));
  adopting.add_root(localhost_identity().chain().leaf());
  both_ends ends(adopting, localhost_server(), "");
  ends.shake_hands();
  BOOST_TEST(ask(ends.client).verified);
  BOOST_TEST(thrown_by([] { both_ends(localhost_client(), localhost_server(), ""); }) ==
             errc::no_host_name);
}

BOOST_AUTO_TEST_CASE(what_was_moved_from_says_what_it_said) {
  error failed(errc::no_roots);
  std::string const text = failed.what();
  error const taken(std::move(failed));
  BOOST_TEST(failed.what() == text);
  BOOST_TEST(failed.code() == errc::no_roots);
  BOOST_TEST(failed.openssl_stack().empty());
  BOOST_TEST((failed.status() == status::unclassified));
  BOOST_TEST(!failed.alert());
  BOOST_TEST(failed.verify_result() == 0);
  failed = std::move(const_cast<error&>(taken));
  BOOST_TEST(taken.what() == text);

  identity self = localhost_identity();
  identity const other(std::move(self));
  BOOST_TEST(self.chain().leaf().subject() == "CN=localhost");
  BOOST_TEST(self.key().kind() == "EC P-256");
  certificate leaf = self.chain().leaf();
  certificate const same(std::move(leaf));
  BOOST_TEST(leaf.pem() == same.pem());
  private_key key = self.key();
  private_key const same_key(std::move(key));
  BOOST_TEST(key.pem() == same_key.pem());
  certificate_chain chain = self.chain();
  certificate_chain const same_chain(std::move(chain));
  BOOST_TEST(chain.certificates().size() == same_chain.certificates().size());

  server_context context = localhost_server();
  server_context const still(std::move(context));
  context.set_session_tickets(2);
  BOOST_TEST(context.native_handle() == still.native_handle());
  peer_info peer(self.chain().certificates(), true);
  peer_info const seen(std::move(peer));
  BOOST_TEST(seen.verified());
  BOOST_TEST(!peer.verified());
  BOOST_TEST(peer.subject() == "");
}

// As one writes it: over what is asked of something that is gone with the expression.
BOOST_AUTO_TEST_CASE(what_is_asked_of_a_temporary_outlives_it) {
  both_ends const ends = open_and([](both_ends&) {});
  for (certificate const& each : ends.client.peer().chain()) {
    BOOST_TEST(each.subject() == "CN=localhost");
  }
  for (certificate const& each : make_self_signed({"a"}).chain().certificates()) {
    BOOST_TEST(each.subject() == "CN=a");
  }
  certificate const& leaf = make_self_signed({"a"}).chain().leaf();
  BOOST_TEST(leaf.subject() == "CN=a");
  private_key const& key = make_self_signed({"a"}).key();
  BOOST_TEST(key.kind() == "EC P-256");
  certificate_chain const& chain = make_self_signed({"a"}).chain();
  BOOST_TEST(chain.leaf().subject() == "CN=a");
  std::string const& stack = ends.client.last_error().openssl_stack();
  BOOST_TEST(stack.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::moments_test
