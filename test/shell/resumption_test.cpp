// Sessions of earlier connections, resumed by clients: to the same server alone, and never at the
// price of a check.

#include "context/context_state.hpp"
#include "greeting_server.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "session/session_cache.hpp"

#include <cotls/blocking.hpp>

#include <cotls/detail/support/access.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ctime>
#include <thread>

namespace cotls::test::resumption_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

struct fixture : greeting_server {
  // True when it was resumed.
  bool connect(client_context const& with, connect_options const& how = connect_options(),
               ending leaves = ending::goodbye) {
    return call(with, how, leaves).resumed;
  }

  error_code failure_of(client_context const& with) {
    error_code failed;
    bool ended = false;
    async_connect(context.get_executor(), "localhost", server->port(), with, connect_options(),
                  [&](error_code code, tcp_stream) {
                    failed = code;
                    ended = true;
                  });
    run_until(ended);
    return failed;
  }

  // Takes what the client may resume, and says how many sessions that are.
  std::size_t kept(client_context const& client) const {
    std::size_t count = 0;
    std::string const key = "localhost:" + std::to_string(server->port());
    while (detail::access::state(client)->sessions()->take(key, std::time(nullptr))) ++count;
    return count;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(resumption, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_second_connection_to_a_server_is_resumed_by_itself, versions,
                       version) {
  serve(localhost_server(version));
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  for (int again = 0; again < 3; ++again) BOOST_TEST(connect(client));
}

BOOST_DATA_TEST_CASE_F(fixture, a_connection_that_was_cut_is_resumed_all_the_same, versions,
                       version) {
  serve(localhost_server(version));
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client, connect_options(), ending::cut));
  BOOST_TEST(connect(client, connect_options(), ending::cut));
}

BOOST_AUTO_TEST_CASE(a_blocking_connection_is_resumed_too) {
  serve(localhost_server());
  client_context const client = localhost_client();
  auto const work = asio::make_work_guard(context);
  context.restart();
  std::thread serving([&] { context.run(); });
  for (bool const expected : {false, true}) {
    auto stream = blocking::connect("localhost", server->port(), client);
    std::string text(5, '\0');
    stream.read(asio::buffer(text));
    BOOST_TEST(stream.info().resumed == expected);
    stream.shutdown();
  }
  context.stop();
  serving.join();
}

BOOST_DATA_TEST_CASE_F(fixture, a_session_of_one_name_is_not_offered_to_another, versions,
                       version) {
  serve(localhost_server(version));
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  BOOST_TEST(!connect(client, connect_options().verify_host("127.0.0.1")));
  BOOST_TEST(connect(client, connect_options().verify_host("127.0.0.1")));
}

BOOST_AUTO_TEST_CASE(a_session_of_one_port_is_not_offered_to_another) {
  server_context const shared = localhost_server();   // would resume it
  serve(shared);
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  stop();
  serve(shared);
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_CASE(a_session_of_one_context_is_not_offered_by_another) {
  serve(localhost_server());
  BOOST_TEST(!connect(client_context().set_verify(verify::none)));
  // A resumed connection would pass without the verification that this context is for.
  BOOST_TEST(!connect(localhost_client()));
}

BOOST_AUTO_TEST_CASE(resumption_can_be_turned_off) {
  serve(localhost_server());
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  BOOST_TEST(!connect(client, connect_options().resumption(false)));
  client_context const forgetful = localhost_client().set_session_cache(0);
  BOOST_TEST(!connect(forgetful));
  BOOST_TEST(!connect(forgetful));
}

BOOST_AUTO_TEST_CASE(a_ticket_of_tls_1_3_is_used_once) {
  serve(localhost_server());
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  BOOST_TEST(kept(client) == 1u);
  BOOST_TEST(kept(client) == 0u);
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_CASE(a_client_gets_as_many_tickets_as_were_asked_for) {
  for (std::size_t count : {0u, 1u, 3u}) {
    serve(localhost_server().set_session_tickets(count));
    client_context const client = localhost_client();
    BOOST_TEST(!connect(client));
    BOOST_TEST(kept(client) == count);
    stop();
  }
}

BOOST_AUTO_TEST_CASE(without_tickets_tls_1_2_is_not_resumed_either) {
  serve(localhost_server(protocol::tls1_2).set_session_tickets(0));
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  BOOST_TEST(!connect(client));
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_that_no_longer_knows_the_session_shakes_hands_in_full,
                       versions, version) {
  serve(localhost_server(version));
  client_context const client = localhost_client();
  BOOST_TEST(!connect(client));
  server->replace_context(localhost_server(version));
  BOOST_TEST(!connect(client));
  BOOST_TEST(connect(client));
}

BOOST_AUTO_TEST_CASE(after_a_handshake_that_failed_the_next_is_a_full_one) {
  server_context const good = localhost_server(protocol::tls1_3).set_session_tickets(3);
  serve(good);
  client_context const client = localhost_client(protocol::tls1_3);
  BOOST_TEST(!connect(client));
  server->replace_context(localhost_server(protocol::tls1_2));
  BOOST_TEST(failure_of(client) == alert::protocol_version);
  server->replace_context(good);
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_CASE(a_session_whose_certificate_has_expired_is_not_offered) {
  authority const root("root");
  issued const expired =
      root.issue(certificate_request({"localhost"}).valid(-std::chrono::hours(2), -1h));
  serve(server_context().use(expired.identity()));
  client_context const client = client_context().set_verify(verify::none);
  BOOST_TEST(!connect(client));
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

detail::ssl_session_ptr session_until(std::chrono::seconds from_now) {
  detail::ssl_session_ptr made(SSL_SESSION_new());
  unsigned char const id = 1;
  SSL_SESSION_set1_id(made.get(), &id, 1);
  SSL_SESSION_set_protocol_version(made.get(), TLS1_3_VERSION);
  SSL_SESSION_set_timeout(made.get(), 1000);
  SSL_SESSION_set_time(made.get(),
                       static_cast<long>(std::time(nullptr) - 1000 + from_now.count()));
  return made;
}

std::size_t kept(detail::session_cache& cache, std::string const& server) {
  std::size_t count = 0;
  while (cache.take(server, std::time(nullptr))) ++count;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(session_cache)

BOOST_AUTO_TEST_CASE(a_session_that_has_expired_is_not_given) {
  detail::session_cache cache(2);
  cache.put("a", session_until(100s).get());
  cache.put("a", session_until(-1s).get());
  BOOST_TEST(kept(cache, "a") == 1u);
}

BOOST_AUTO_TEST_CASE(a_session_is_not_given_after_seven_days_whatever_its_server_said) {
  for (std::chrono::hours const age : {24h * 6, 24h * 8}) {
    detail::ssl_session_ptr const session = session_until(100s);
    SSL_SESSION_set_time(session.get(),
                         std::time(nullptr) - std::chrono::seconds(age).count());
    SSL_SESSION_set_timeout(session.get(), 30 * 24 * 60 * 60);
    detail::session_cache cache(1);
    cache.put("a", session.get());
    BOOST_TEST(kept(cache, "a") == (age < 24h * 7 ? 1u : 0u));
  }
}

BOOST_AUTO_TEST_CASE(the_servers_used_last_are_remembered) {
  detail::session_cache cache(2);
  cache.put("a", session_until(100s).get());
  cache.put("b", session_until(100s).get());
  cache.put("a", session_until(100s).get());
  cache.put("c", session_until(100s).get());
  BOOST_TEST(kept(cache, "b") == 0u);
  BOOST_TEST(kept(cache, "a") == 2u);
  BOOST_TEST(kept(cache, "c") == 1u);
}

BOOST_AUTO_TEST_CASE(of_one_server_no_more_are_kept_than_the_bound) {
  detail::session_cache cache(1);
  for (int each = 0; each < 100; ++each) cache.put("a", session_until(100s).get());
  BOOST_TEST(kept(cache, "a") == detail::session_cache::max_sessions);
}

BOOST_AUTO_TEST_CASE(what_a_server_has_given_can_be_forgotten) {
  detail::session_cache cache(1);
  cache.put("a", session_until(100s).get());
  cache.forget("a");
  BOOST_TEST(kept(cache, "a") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::resumption_test
