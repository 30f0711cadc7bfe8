// A client that is asked for its certificate once the connection is there (RFC 8446 section 4.6.2).

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test::late_authentication_test {

namespace {

authority const& root() {
  static authority const made("root");
  return made;
}

identity const& ada() {
  static identity const made =
      root().issue(certificate_request({"ada"}).use(purpose::client)).identity();
  return made;
}

client_context client(protocol version = protocol::secure) {
  return localhost_client(version).set_late_authentication();
}

server_context server(verify mode = verify::required) {
  return localhost_server().set_verify(mode).add_root(root().certificate())
      .set_late_authentication();
}

struct fixture {
  std::optional<engine_pair> both;
  int requests = 0;   // that the server has sent

  void connect(client_context const& at_client, server_context at_server) {
    at_server.set_trace([this](traced_message const& said) {
      bool const sent = said.by == traced_message::direction::sent;
      requests += sent && said.name == "certificate_request" ? 1 : 0;
    });
    both.emplace(at_client, at_server, client_options().host("localhost"));
    BOOST_REQUIRE(both->connect());
  }

  step ask() { return both->server.request_certificate(); }

  // Lets the client read the request, and the server have its answer.
  error_code answer() {
    engine_pair::carry(both->server, both->client);
    std::array<char, 16> none;
    error_code const code = both->client.read(asio::buffer(none)).error;
    engine_pair::carry(both->client, both->server);
    return code;
  }

  std::string read_at(engine& end) {
    std::string got(64, '\0');
    step const next = end.read(asio::buffer(got));
    BOOST_TEST(!next.error);
    got.resize(next.bytes);
    return got;
  }

  void check_that_data_flows() {
    both->client.write(asio::buffer("ping", 4));
    engine_pair::carry(both->client, both->server);
    BOOST_TEST(read_at(both->server) == "ping");
    both->server.write(asio::buffer("pong", 4));
    engine_pair::carry(both->server, both->client);
    BOOST_TEST(read_at(both->client) == "pong");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(late_authentication, fixture)

BOOST_AUTO_TEST_CASE(a_client_is_asked_when_the_server_says_so_and_not_before) {
  connect(client().use(ada()), server());
  BOOST_TEST(!both->server.peer().certificate());
  BOOST_TEST(requests == 0);
  BOOST_TEST((ask().want == want::input));
  BOOST_TEST(!answer());
  step const done = ask();
  BOOST_TEST((!done.error && done.want == want::nothing));
  BOOST_TEST(both->server.peer().verified());
  BOOST_TEST(both->server.peer().subject() == "CN=ada");
  BOOST_TEST(requests == 1);
  check_that_data_flows();
}

BOOST_AUTO_TEST_CASE(without_the_setting_it_is_asked_in_the_handshake) {
  connect(client().use(ada()), server().set_late_authentication(false));
  BOOST_TEST(both->server.peer().subject() == "CN=ada");
  BOOST_TEST(requests == 1);
}

BOOST_AUTO_TEST_CASE(the_order_of_the_settings_does_not_matter) {
  connect(client().use(ada()), server(verify::none).set_verify(verify::optional));
  BOOST_TEST(requests == 0);
  ask();
  answer();
  BOOST_TEST(!ask().error);
  BOOST_TEST(both->server.peer().verified());
}

BOOST_AUTO_TEST_CASE(a_client_may_have_none_where_it_is_optional) {
  connect(client(), server(verify::optional));
  BOOST_TEST((ask().want == want::input));
  BOOST_TEST(!answer());
  step const done = ask();
  BOOST_TEST((!done.error && done.want == want::nothing));
  BOOST_TEST(!both->server.peer().certificate());
  BOOST_TEST(!both->server.peer().verified());
  check_that_data_flows();
}

BOOST_AUTO_TEST_CASE(a_client_without_is_refused_where_it_is_required) {
  connect(client(), server());
  ask();
  answer();
  BOOST_TEST(ask().error.failed());
  std::string const why = both->server.last_error().what();
  BOOST_TEST(why.find("the client sent no certificate") != std::string::npos, why);
  BOOST_TEST((answer() == alert::certificate_required));
}

BOOST_AUTO_TEST_CASE(a_client_of_another_authority_is_refused) {
  identity const eve =
      authority("other").issue(certificate_request({"eve"}).use(purpose::client)).identity();
  for (verify const mode : {verify::optional, verify::required}) {
    connect(client().use(eve), server(mode));
    ask();
    answer();
    BOOST_TEST(ask().error.failed());
    BOOST_TEST(both->server.last_error().verify_result() != 0);
    BOOST_TEST(!both->server.peer().verified());
    BOOST_TEST((answer() == alert::unknown_ca));
  }
}

BOOST_AUTO_TEST_CASE(data_that_comes_before_the_answer_is_read_first) {
  connect(client().use(ada()), server());
  both->client.write(asio::buffer("on its way", 10));
  engine_pair::carry(both->client, both->server);
  BOOST_TEST((ask().error == errc::unread_data));
  BOOST_TEST((ask().error == errc::unread_data));
  BOOST_TEST(read_at(both->server) == "on its way");
  BOOST_TEST((ask().want == want::input));
  BOOST_TEST(!answer());
  BOOST_TEST(!ask().error);
  BOOST_TEST(both->server.peer().subject() == "CN=ada");
  BOOST_TEST(requests == 1);
}

BOOST_AUTO_TEST_CASE(data_that_was_read_in_part_is_read_first) {
  connect(client().use(ada()), server());
  both->client.write(asio::buffer("on its way", 10));
  engine_pair::carry(both->client, both->server);
  for (int i = 0; i < 3; ++i) {   // the rest is OpenSSL's first, and then ours
    char byte = 0;
    BOOST_TEST(both->server.read(asio::buffer(&byte, 1)).bytes == 1u);
    BOOST_TEST((ask().error == errc::unread_data));
  }
  BOOST_TEST(read_at(both->server) == "its way");
  BOOST_TEST((ask().want == want::input));
  answer();
  BOOST_TEST(!ask().error);
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_while_data_is_read_is_not_asked_for_again) {
  connect(client().use(ada()), server());
  ask();
  engine_pair::carry(both->server, both->client);
  read_at(both->client);   // answers
  both->client.write(asio::buffer("data", 4));
  engine_pair::carry(both->client, both->server);
  BOOST_TEST(read_at(both->server) == "data");
  BOOST_TEST(both->server.peer().verified());
  step const done = ask();
  BOOST_TEST((!done.error && done.want == want::nothing));
  BOOST_TEST(requests == 1);
}

BOOST_AUTO_TEST_CASE(it_can_be_asked_again) {
  connect(client().use(ada()), server());
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((ask().want == want::input));
    BOOST_TEST(!answer());
    BOOST_TEST(!ask().error);
  }
  BOOST_TEST(requests == 3);
  check_that_data_flows();
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_allow_it_is_not_asked_and_goes_on) {
  connect(localhost_client().use(ada()), server());
  BOOST_TEST(ask().error.failed());
  std::string const why = both->server.last_error().what();
  BOOST_TEST(why.find("allows no late authentication") != std::string::npos, why);
  BOOST_TEST(requests == 0);
  check_that_data_flows();
}

BOOST_AUTO_TEST_CASE(a_client_of_tls_1_2_is_asked_in_its_handshake_and_never_after) {
  connect(client(protocol::tls1_2).use(ada()), server());
  BOOST_TEST(both->server.peer().subject() == "CN=ada");
  BOOST_TEST(requests == 1);
  BOOST_TEST((ask().error == errc::needs_tls_1_3));
  BOOST_TEST(requests == 1);
  check_that_data_flows();
}

BOOST_AUTO_TEST_CASE(it_is_a_servers_question_once_the_handshake_is_done) {
  connect(client().use(ada()), server());
  BOOST_TEST((both->client.request_certificate().error ==
              asio::error::operation_not_supported));
  engine early(server());
  BOOST_TEST((early.request_certificate().error == errc::handshake_not_done));
  both->server.close_write();
  BOOST_TEST((ask().error == errc::write_after_close));
}

BOOST_AUTO_TEST_CASE(a_server_that_asks_for_nothing_cannot_ask_late) {
  BOOST_CHECK_EXCEPTION(engine{localhost_server().set_late_authentication()}, error,
                        [](error const& thrown) {
                          return thrown.code() == errc::invalid_setting;
                        });
}

BOOST_AUTO_TEST_CASE(who_was_not_asked_resumes_and_is_asked_then) {
  client_context const at_client = client().use(ada());
  server_context const at_server = server();
  auto const options = client_options().host("localhost").port(443);
  for (bool const resumed : {false, true}) {
    both.emplace(at_client, at_server, options);
    BOOST_REQUIRE(both->connect());
    BOOST_TEST(both->server.info().resumed == resumed);
    BOOST_TEST(!both->server.peer().certificate());
  }
  ask();
  answer();
  BOOST_TEST(!ask().error);
  BOOST_TEST(both->server.peer().subject() == "CN=ada");
}

// A service that lets in by certificate would otherwise never see this one.
BOOST_AUTO_TEST_CASE(the_last_word_is_asked_for_again_when_a_client_has_answered) {
  std::vector<std::string> told;
  auto const listen = [&](peer_info const& peer, connection_info const&) {
    told.push_back(peer.verified() ? peer.subject() : "nobody");
    return true;
  };
  connect(client().use(ada()), server().on_established(listen));
  BOOST_TEST((told == std::vector<std::string>{"nobody"}));
  ask();
  answer();
  BOOST_TEST(!ask().error);
  BOOST_TEST((told == std::vector<std::string>{"nobody", "CN=ada"}));
  check_that_data_flows();
  connect(client(), server(verify::optional).on_established(listen));
  ask();
  answer();
  BOOST_TEST(!ask().error);   // it has none
  BOOST_TEST(told.size() == 4u);
  BOOST_TEST(told.back() == "nobody");
}

BOOST_AUTO_TEST_CASE(a_client_whom_it_refuses_then_is_told_and_gone) {
  connect(client().use(ada()), server().on_established([](peer_info const& peer, auto const&) {
    if (peer.certificate()) throw std::runtime_error("not her");
    return true;
  }));
  ask();
  answer();
  BOOST_TEST(ask().error == errc::hook_failed);
  BOOST_TEST(std::string(both->server.last_error().what()).find("not her") != std::string::npos);
  BOOST_TEST(both->server.write(asio::buffer("x", 1)).error == errc::hook_failed);
  BOOST_TEST(both->server.close_write().error == errc::hook_failed);
  BOOST_TEST(ask().error == errc::hook_failed);
  BOOST_TEST(answer() == alert::internal_error);
}

// T1: what has come behind the answer waits with it, whatever is called.
BOOST_AUTO_TEST_CASE(hooks_that_wait_are_asked_before_anything_behind_the_answer_is_read) {
  for (bool const allows : {true, false}) {
    for (bool const verifies : {true, false}) {
      server_context at_server = server();
      if (verifies) {
        at_server.on_verify([=](bool, peer_info const&) -> asio::awaitable<bool> {
          co_return allows;
        });
      } else {
        at_server.on_established([](peer_info const& peer, auto const&) -> asio::awaitable<bool> {
          co_return !peer.certificate();
        });
      }
      connect(client().use(ada()), at_server);
      if (!verifies) {
        BOOST_TEST((both->server.handshake().want == want::established));
        both->server.answer(true);
        BOOST_TEST(!both->server.handshake().error);
      }
      ask();
      answer();
      both->client.write(asio::buffer("behind", 6));
      engine_pair::carry(both->client, both->server);
      want const waits = verifies ? want::verification : want::established;
      std::array<char, 6> read;
      BOOST_TEST((both->server.read(asio::buffer(read)).want == waits));
      BOOST_TEST((both->server.write(asio::buffer("x", 1)).want == waits));
      BOOST_TEST((ask().want == waits));
      both->server.answer(allows);
      step const after = both->server.read(asio::buffer(read));
      BOOST_TEST(after.bytes == (allows ? 6u : 0u));
      BOOST_TEST(!after.error == allows);
      if (allows) {
        BOOST_TEST(!ask().error);
        check_that_data_flows();
      }
    }
  }
}

// The answer may come within a read, and data behind it in the same flight.
BOOST_AUTO_TEST_CASE(nothing_that_is_behind_an_answer_is_read_before_it) {
  for (bool const allowed : {false, true}) {
    connect(client().use(ada()), server().on_established([&](peer_info const& peer, auto const&) {
      return allowed || !peer.certificate();
    }));
    ask();
    both->client.write(asio::buffer("before", 6));
    engine_pair::carry(both->server, both->client);
    std::array<char, 16> none;
    BOOST_TEST((both->client.read(asio::buffer(none)).want == want::input));
    both->client.write(asio::buffer("behind", 6));
    engine_pair::carry(both->client, both->server);
    std::string got(100, '\0');
    BOOST_TEST(both->server.peek(asio::buffer(got)).bytes == (allowed ? 12u : 6u));
    step const read = both->server.read(asio::buffer(got));
    BOOST_TEST(got.substr(0, read.bytes) == (allowed ? "beforebehind" : "before"));
    step const next = both->server.read(asio::buffer(got));
    BOOST_TEST(next.bytes == 0u);
    BOOST_TEST(next.error == (allowed ? error_code() : errc::peer_not_allowed));
    if (allowed) BOOST_TEST(!ask().error);
    BOOST_TEST(requests == 1);
    requests = 0;
  }
}

// What was looked at is data that is to be read first, too.
BOOST_AUTO_TEST_CASE(data_that_was_looked_at_is_unread) {
  connect(client().use(ada()), server());
  both->client.write(asio::buffer("ping", 4));
  engine_pair::carry(both->client, both->server);
  std::array<char, 16> seen;
  BOOST_TEST(both->server.peek(asio::buffer(seen)).bytes == 4u);
  BOOST_TEST(ask().error == errc::unread_data);
  BOOST_TEST(read_at(both->server) == "ping");
  BOOST_TEST((ask().want == want::input));
  BOOST_TEST(!answer());
  BOOST_TEST(!ask().error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::late_authentication_test
