// The key log: who is told the secrets of connections, and that nobody else is.

#include "engine_pair.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <cstdio>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace cotls::test::key_log_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

using lines = std::set<std::string>;

auto noting_in(lines& told) {
  return [&told](std::string_view line) { told.emplace(line); };
}

std::string random_of(engine const& client) {
  std::array<unsigned char, 32> random{};
  SSL_get_client_random(client.native_handle(), random.data(), random.size());
  std::string text;
  for (unsigned char const byte : random) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    text += pair;
  }
  return text;
}

struct fixture {
  bool connect(client_context const& at_client, server_context const& at_server) {
    both.emplace(at_client, at_server, client_options().host("localhost"));
    return both->connect();
  }

  std::optional<engine_pair> both;
};

SSL_CTX_keylog_cb_func callback_of(context const& one) {
  return SSL_CTX_get_keylog_callback(one.native_handle());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(key_log, fixture)

BOOST_DATA_TEST_CASE_F(fixture, both_ends_tell_the_same_secrets_of_the_connection, versions,
                       version) {
  lines at_client, at_server;
  BOOST_REQUIRE(connect(localhost_client(version).set_key_log(noting_in(at_client)),
                        localhost_server().set_key_log(noting_in(at_server))));
  BOOST_TEST(at_client == at_server, boost::test_tools::per_element());
  bool const old = version == protocol::tls1_2;
  std::string const first = old ? "CLIENT_RANDOM" : "CLIENT_TRAFFIC_SECRET_0";
  std::string const beginning = first + ' ' + random_of(both->client) + ' ';
  std::size_t found = 0;
  for (std::string const& line : at_client) {
    found += line.starts_with(beginning) ? 1u : 0u;
    BOOST_TEST(line.find('\n') == std::string::npos);
  }
  BOOST_TEST(found == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_is_told_who_did_not_ask) {
  BOOST_TEST((callback_of(client_context()) == nullptr));
  BOOST_TEST((callback_of(server_context()) == nullptr));
  lines told;
  BOOST_REQUIRE(connect(localhost_client(), localhost_server().set_key_log(noting_in(told))));
  BOOST_TEST(!told.empty());
  told.clear();
  BOOST_REQUIRE(connect(localhost_client(), localhost_server()));
  BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_CASE(an_empty_function_turns_it_off_again) {
  lines told;
  client_context client = localhost_client().set_key_log(noting_in(told)).set_key_log(nullptr);
  BOOST_REQUIRE(connect(client, localhost_server()));
  BOOST_TEST(told.empty());
  client_context lent = localhost_client();
  lent.native();
  lent.set_key_log(noting_in(told));
  BOOST_TEST((callback_of(lent) != nullptr));
  lent.set_key_log(nullptr);
  BOOST_TEST((callback_of(lent) == nullptr));
}

BOOST_AUTO_TEST_CASE(the_last_function_is_told) {
  lines before, told;
  BOOST_REQUIRE(connect(
      localhost_client().set_key_log(noting_in(before)).set_key_log(noting_in(told)),
      localhost_server()));
  BOOST_TEST(before.empty());
  BOOST_TEST(!told.empty());
}

BOOST_DATA_TEST_CASE_F(fixture, what_a_log_throws_does_not_end_the_handshake, versions, version) {
  int calls = 0;
  auto const failing = [&calls](std::string_view) {
    ++calls;
    throw std::runtime_error("the disk is full");
  };
  BOOST_TEST(connect(localhost_client(version).set_key_log(failing),
                     localhost_server().set_key_log(failing)));
  BOOST_TEST(calls > 1);
}

BOOST_AUTO_TEST_CASE(a_log_lives_as_long_as_the_connections_do) {
  auto const kept = std::make_shared<int>(0);
  std::optional<server_context> server =
      localhost_server().set_key_log([kept](std::string_view) { ++*kept; });
  both.emplace(localhost_client(), *server, client_options().host("localhost"));
  server.reset();
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(*kept > 0);
  both.reset();
  BOOST_TEST(kept.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_callback_that_the_program_sets_later_stays) {
  static int calls = 0;
  lines told;
  client_context client = localhost_client().set_key_log(noting_in(told));
  SSL_CTX_set_keylog_callback(client.native_handle(), [](SSL const*, char const*) { ++calls; });
  BOOST_REQUIRE(connect(client, localhost_server()));
  BOOST_TEST(calls > 0);
  BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::key_log_test
