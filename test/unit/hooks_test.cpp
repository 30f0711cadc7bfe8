// What a handshake asks the program: every hook, answered at once and by a coroutine, comes to the
// same to the last detail. (Over sockets, and given up: shell/hooks.)

#include "hooked.hpp"
#include "print.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/bio.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace cotls::test::hooks_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const hooks = boost::unit_test::data::make(all_hooks);
auto const answers = boost::unit_test::data::make({says::yes, says::no, says::throws});

bool is_ticket(traced_message const& said) {
  return said.by == traced_message::direction::sent && said.name == "new_session_ticket";
}

auto with_code(errc code) {
  return [code](error const& thrown) { return thrown.code() == code; };
}

void take_work(engine& of) { asio::awaitable<void> const dropped = of.answer(); }

bool is_asked(want next) {
  return next == want::client_hello || next == want::certificate || next == want::verification ||
         next == want::established;
}

}  // namespace

// Two engines whose hooks are run by an `io_context`.
struct pair {
  pair(client_context const& at_client, server_context const& at_server)
      : client(at_client, client_options().host("server.test").port(443)), server(at_server) {}

  // True when something was said, or the program has answered.
  bool go_on(engine& of, error_code& code, int& stops) {
    if (code) return false;
    step const next = of.handshake();
    code = next.error;
    if (!is_asked(next.want)) return false;
    ++stops;
    BOOST_TEST((of.handshake().want == next.want));   // until it is answered
    asio::co_spawn(context, of.answer(), asio::detached);
    context.restart();
    context.run();
    return true;
  }

  both_ends connect() {
    both_ends ends;
    for (bool moves = true; moves;) {
      moves = go_on(client, ends.client, stops_of_client);
      moves |= go_on(server, ends.server, stops_of_server);
      moves |= carry(client, server);
      moves |= carry(server, client);
    }
    std::array<char, 1> byte;
    if (!ends.client) ends.client = client.read(asio::buffer(byte)).error;
    if (!ends.server) ends.server = server.read(asio::buffer(byte)).error;
    return ends;
  }

  static bool carry(engine& from, engine& to) {
    std::size_t const size = from.output().size();
    to.input(from.output());
    from.consume_output(size);
    return size > 0;
  }

  asio::io_context context;
  engine client;
  engine server;
  int stops_of_client = 0;
  int stops_of_server = 0;
};

BOOST_AUTO_TEST_SUITE(hooks_of_a_handshake)

BOOST_DATA_TEST_CASE(answer_alike_whenever_they_do, hooks* answers* versions, which, what,
                     version) {
  for (auto const time : {takes_its_time::at_once, takes_its_time::once, takes_its_time::thrice}) {
    hooked const used(which, time, what, version);
    pair both(used.client, used.server);
    BOOST_TEST_CONTEXT(time) {
      BOOST_TEST(both.connect() == expected(which, what, version));
      BOOST_TEST(used.count->asked == 1);
      BOOST_TEST(used.count->running == 0);
      bool const waits = time != takes_its_time::at_once;
      BOOST_TEST(both.stops_of_client == (waits && is_clients(which) ? 1 : 0));
      BOOST_TEST(both.stops_of_server == (waits && !is_clients(which) ? 1 : 0));
      engine& asked = is_clients(which) ? both.client : both.server;
      bool const said = std::string(asked.last_error().what()).find("(the database is away)") !=
                        std::string::npos;
      BOOST_TEST(said == (what == says::throws));
    }
  }
}

// T1: of what OpenSSL has said behind its back, nothing leaves, and no ticket is made.
BOOST_DATA_TEST_CASE(hold_back_all_that_says_that_a_client_is_accepted,
                     boost::unit_test::data::make({asks::server_verify, asks::established}) *
                         boost::unit_test::data::make({says::yes, says::no}) * versions,
                     which, what, version) {
  hooked used(which, takes_its_time::once, what, version);
  int tickets = 0;
  used.server.set_session_tickets(3);
  used.server.set_trace([&](traced_message const& said) {
    tickets += is_ticket(said) ? 1 : 0;
  });
  pair both(used.client, used.server);
  while (!is_asked(both.server.handshake().want)) {
    both.client.handshake();
    pair::carry(both.client, both.server);
    pair::carry(both.server, both.client);
  }
  BOOST_TEST(both.server.output().size() == 0u);
  std::array<char, 1> byte;
  BOOST_TEST((both.server.read(asio::buffer(byte)).want == both.server.handshake().want));
  BOOST_TEST((both.server.write(asio::buffer(byte)).want == both.server.handshake().want));
  BOOST_TEST(both.server.output().size() == 0u);
  if (version == protocol::tls1_3) BOOST_TEST(tickets == 0);
  BOOST_TEST(both.connect() == expected(which, what, version));
  int const given = version == protocol::tls1_3 ? 3 : 1;
  if (what == says::yes) BOOST_TEST(tickets == given);
  if (what == says::no && version == protocol::tls1_3) BOOST_TEST(tickets == 0);
}

BOOST_AUTO_TEST_CASE(leave_a_client_as_many_tickets_as_it_would_have_had) {
  for (std::size_t const count : {0u, 1u, 4u}) {
    hooked used(asks::established, takes_its_time::once, says::yes, protocol::tls1_3);
    std::size_t tickets = 0;
    used.server.set_session_tickets(count).set_trace([&](traced_message const& said) {
      tickets += is_ticket(said) ? 1 : 0;
    });
    BOOST_TEST(pair(used.client, used.server).connect() == both_ends());
    BOOST_TEST(tickets == count);
    pair again(used.client, used.server);
    tickets = 0;
    BOOST_TEST(again.connect() == both_ends());
    BOOST_TEST(again.server.info().resumed == (count > 0));
    BOOST_TEST(tickets == std::min<std::size_t>(count, 1));   // one for the one that was used
  }
}

// T4
BOOST_DATA_TEST_CASE(are_asked_once_where_the_client_must_try_again, hooks, which) {
  hooked used(which, takes_its_time::thrice, says::yes, protocol::tls1_3);
  used.client.set_groups("X25519:P-384");
  used.server.set_groups("P-384");
  used.other.set_groups("P-384");
  pair both(used.client, used.server);
  BOOST_TEST(both.connect() == both_ends());
  BOOST_TEST(used.count->asked == 1);
  BOOST_TEST(both.server.info().hello_retried);
}

BOOST_DATA_TEST_CASE(have_the_last_word_on_resumption_too, versions, version) {
  for (asks const which : all_hooks) {
    hooked used(which, takes_its_time::once, says::yes, version);
    for (bool const resumed : {false, true}) {
      pair both(used.client, used.server);
      BOOST_TEST(both.connect() == both_ends());
      BOOST_TEST(both.client.info().resumed == resumed);
    }
    // OpenSSL needs no certificate then.
    bool const shows = which == asks::certificate || which == asks::request;
    BOOST_TEST(used.count->asked == (shows ? 1 : 2), which);
  }
}

BOOST_AUTO_TEST_SUITE_END()

// A server whose hook chooses another context, with a pause.
struct choosing {
  explicit choosing(protocol version = protocol::secure) : used(asks::hello, takes_its_time::thrice,
                                                                says::yes, version) {}
  both_ends connect() {
    both.emplace(used.client, used.server);
    return both->connect();
  }

  hooked used;
  std::optional<pair> both;
};

BOOST_AUTO_TEST_SUITE(a_context_that_a_hook_has_chosen)

BOOST_AUTO_TEST_CASE(shows_its_certificate) {   // B1
  choosing test;
  BOOST_TEST(test.connect() == both_ends());
  BOOST_TEST(test.both->client.peer().subject() == "CN=other.test");
}

BOOST_DATA_TEST_CASE(asks_for_a_clients_certificate, versions, version) {   // B3
  choosing test(version);
  test.used.other.set_verify(verify::required);
  test.used.client = client_context(version).set_verify(verify::none);
  both_ends const ends = test.connect();
  BOOST_TEST(ends.server != error_code());
  BOOST_TEST(ends.client != error_code());
}

BOOST_AUTO_TEST_CASE(has_its_versions) {   // B4
  choosing test(protocol::tls1_2);
  test.used.other.set_versions(protocol_version::tls1_3);
  both_ends const ends = test.connect();
  BOOST_TEST(ends.client == alert::protocol_version);
  BOOST_TEST(ends.server != error_code());
}

BOOST_DATA_TEST_CASE(has_its_own_sessions, versions, version) {   // B5, B11
  choosing test(version);
  bool chooses = true;
  test.used.server.on_client_hello([&](client_hello const&) {
    return chooses ? hello_answer(test.used.other) : hello_answer();
  });
  for (bool const resumed : {false, true}) {
    BOOST_TEST(test.connect() == both_ends());
    BOOST_TEST(test.both->client.info().resumed == resumed);
  }
  chooses = false;
  BOOST_TEST(test.connect() == both_ends());
  BOOST_TEST(!test.both->client.info().resumed);
}

// T1, T2: what says that a client is accepted is held back for the context that was chosen.
BOOST_AUTO_TEST_CASE(has_the_last_word_before_a_ticket_is_given) {
  for (bool const accepts : {true, false}) {
    choosing test(protocol::tls1_3);
    int tickets = 0;
    int tickets_before = -1;
    test.used.other.set_session_tickets(3)
        .set_trace([&](traced_message const& said) { tickets += is_ticket(said) ? 1 : 0; })
        .on_established([&, accepts](peer_info const&, connection_info const&) {
          tickets_before = tickets;
          return accepts;
        });
    error_code const refused = accepts ? error_code() : errc::peer_not_allowed;
    BOOST_TEST(test.connect().server == refused);
    BOOST_TEST(tickets_before == 0);
    BOOST_TEST(tickets == (accepts ? 3 : 0));
  }
}

BOOST_AUTO_TEST_CASE(may_be_one_that_lacks_something) {
  choosing test;
  test.used.server.on_client_hello([](client_hello const&) { return server_context(); });
  both_ends const ends = test.connect();
  BOOST_TEST(ends.server == errc::no_certificate);
  BOOST_TEST(ends.client == alert::internal_error);
}

BOOST_AUTO_TEST_CASE(is_asked_for_nothing_when_it_has_a_hook_itself) {
  choosing test;
  int asked = 0;
  test.used.other.on_client_hello([&](client_hello const&) {
    ++asked;
    return hello_answer(alert::access_denied);
  });
  BOOST_TEST(test.connect() == both_ends());
  BOOST_TEST(asked == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_hello_that_a_hook_is_shown)

BOOST_DATA_TEST_CASE(says_what_the_client_would_resume_with, versions, version) {
  hooked used(asks::established, takes_its_time::at_once, says::yes, version);
  std::vector<client_hello> heard;
  used.server.on_client_hello([&](client_hello const& hello) {
    heard.push_back(hello);
    return hello_answer();
  });
  for (int i = 0; i < 2; ++i) BOOST_TEST(pair(used.client, used.server).connect() == both_ends());
  BOOST_REQUIRE(heard.size() == 2u);
  BOOST_TEST(heard[0].ticket.empty());
  BOOST_TEST(heard[0].psk_identities.empty());
  BOOST_TEST(heard[1].ticket.empty() == (version == protocol::tls1_3));
  BOOST_TEST(heard[1].psk_identities.empty() == (version == protocol::tls1_2));
  BOOST_TEST(heard[1].server_name == "server.test");
  BOOST_TEST(!heard[1].extensions.empty());
  BOOST_TEST(heard[1].ja4().size() == 36u);
  BOOST_TEST(heard[1].address.empty());   // of engines nobody knows it
}

BOOST_AUTO_TEST_CASE(comes_before_the_virtual_hosts) {
  hooked used(asks::client_verify, takes_its_time::at_once, says::yes, protocol::secure);
  int asked = 0;
  used.server.add_virtual_host("server.test", used.other)
      .on_client_hello([&](client_hello const&) {
        ++asked;
        return hello_answer();
      });
  pair both(used.client, used.server);
  BOOST_TEST(both.connect() == both_ends());
  BOOST_TEST(asked == 1);
  BOOST_TEST(both.client.peer().subject() == "CN=other.test");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(an_engine)

BOOST_AUTO_TEST_CASE(takes_an_answer_in_place_of_the_hooks) {
  hooked used(asks::hello, takes_its_time::never, says::yes, protocol::secure);
  pair both(used.client, used.server);
  BOOST_CHECK_EXCEPTION(both.server.answer(true), error, with_code(errc::nothing_asked));
  BOOST_CHECK_EXCEPTION(take_work(both.server), error, with_code(errc::nothing_asked));
  both.client.handshake();
  pair::carry(both.client, both.server);
  BOOST_TEST((both.server.handshake().want == want::client_hello));
  BOOST_CHECK_EXCEPTION(both.server.answer(true), error, with_code(errc::nothing_asked));
  both.server.answer(hello_answer(used.other));
  BOOST_CHECK_EXCEPTION(both.server.answer(hello_answer()), error, with_code(errc::nothing_asked));
  BOOST_TEST(both.connect() == both_ends());
  BOOST_TEST(both.client.peer().subject() == "CN=other.test");
}

BOOST_AUTO_TEST_CASE(gives_a_hooks_work_out_once) {
  hooked used(asks::hello, takes_its_time::once, says::yes, protocol::secure);
  pair both(used.client, used.server);
  both.client.handshake();
  pair::carry(both.client, both.server);
  both.server.handshake();
  take_work(both.server);
  BOOST_CHECK_EXCEPTION(take_work(both.server), error, with_code(errc::nothing_asked));
}

// The work goes on alone, and answers nobody.
BOOST_AUTO_TEST_CASE(may_be_gone_before_the_work_ends) {
  hooked used(asks::hello, takes_its_time::thrice, says::yes, protocol::secure);
  asio::io_context context;
  {
    pair both(used.client, used.server);
    both.client.handshake();
    pair::carry(both.client, both.server);
    both.server.handshake();
    asio::co_spawn(context, both.server.answer(), asio::detached);
    context.run_one();
  }
  used.server = server_context();
  BOOST_TEST(used.count->running == 1);
  context.run();
  BOOST_TEST(used.count->running == 0);
}

BOOST_AUTO_TEST_CASE(over_an_adopted_bio_cannot_hold_anything_back) {
  for (asks const which : {asks::hello, asks::server_verify}) {
    hooked used(which, takes_its_time::at_once, says::yes, protocol::secure);
    BOOST_CHECK_EXCEPTION(engine(used.server, BIO_new(BIO_s_mem())), error,
                          with_code(errc::invalid_setting));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::hooks_test
