// The trace: what it tells of a connection, and that it tells nothing else.

#include "engine_pair.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test::trace_test {

namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

using direction = traced_message::direction;
using kind = traced_message::kind;
using messages = std::vector<traced_message>;

auto noting_in(messages& told) {
  return [&told](traced_message const& said) { told.push_back(said); };
}

struct fixture {
  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("localhost"));
    return both->connect();
  }

  // What the server writes, at the client.
  std::string carried(std::string const& text) {
    both->server.write(asio::buffer(text));
    both->client.input(both->server.output());
    both->server.consume_output(both->server.output().size());
    std::string got(text.size(), '\0');
    got.resize(both->client.read(asio::buffer(got)).bytes);
    return got;
  }

  std::optional<engine_pair> both;
};

// "> client_hello", "< server_hello": of a kind alone.
std::vector<std::string> names_of(messages const& told, kind which) {
  std::vector<std::string> names;
  for (traced_message const& each : told) {
    if (each.what != which) continue;
    names.push_back((each.by == direction::sent ? "> " : "< ") + std::string(each.name));
  }
  return names;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(trace, fixture)

BOOST_AUTO_TEST_CASE(a_handshake_of_tls_1_3_is_told_in_order) {
  messages told;
  BOOST_REQUIRE(connect(localhost_client().set_trace(noting_in(told)), localhost_server()));
  std::vector<std::string> const expected{
      "> client_hello", "< server_hello",       "< encrypted_extensions", "< certificate",
      "< certificate_verify", "< finished", "> finished", "< new_session_ticket"};
  BOOST_TEST(names_of(told, kind::handshake) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_handshake_of_tls_1_2_is_told_in_order) {
  messages told;
  BOOST_REQUIRE(connect(localhost_client(protocol::tls1_2).set_trace(noting_in(told)),
                        localhost_server()));
  std::vector<std::string> const expected{
      "> client_hello",        "< server_hello", "< certificate", "< server_key_exchange",
      "< server_hello_done",   "> client_key_exchange", "> finished", "< new_session_ticket",
      "< finished"};
  BOOST_TEST(names_of(told, kind::handshake) == expected, boost::test_tools::per_element());
  // OpenSSL tells of the peer's only that there was such a record.
  std::vector<std::string> const changes = names_of(told, kind::change_cipher_spec);
  BOOST_REQUIRE(!changes.empty());
  BOOST_TEST(changes.front() == "> change_cipher_spec");
  std::vector<std::string> const records = names_of(told, kind::record);
  for (char const* const each : {"> change_cipher_spec", "< change_cipher_spec"}) {
    BOOST_TEST(std::ranges::count(records, each) == 1);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, one_end_has_sent_what_the_other_receives, versions, version) {
  messages at_client, at_server;
  BOOST_REQUIRE(connect(localhost_client(version).set_trace(noting_in(at_client)),
                        localhost_server().set_trace(noting_in(at_server))));
  auto const lengths = [](messages const& told, direction by) {
    std::vector<std::size_t> all;
    for (traced_message const& each : told) {
      if (each.by == by && each.what == kind::handshake) all.push_back(each.length);
    }
    return all;
  };
  BOOST_TEST(lengths(at_client, direction::sent) == lengths(at_server, direction::received),
             boost::test_tools::per_element());
  BOOST_TEST(lengths(at_server, direction::sent) == lengths(at_client, direction::received),
             boost::test_tools::per_element());
  std::uint16_t const number = version == protocol::tls1_3 ? 0x0304 : 0x0303;
  auto const& finished = *std::ranges::find_if(
      at_client, [](traced_message const& each) { return each.name == "finished"; });
  BOOST_TEST(finished.version == number);
  BOOST_TEST(finished.length > 4u);
}

BOOST_DATA_TEST_CASE_F(fixture, data_is_a_record_of_a_length, versions, version) {
  messages told;
  BOOST_REQUIRE(connect(localhost_client(version).set_trace(noting_in(told)), localhost_server()));
  told.clear();
  BOOST_TEST(carried(std::string(1000, 'x')).size() == 1000u);
  BOOST_TEST(names_of(told, kind::record) == std::vector<std::string>{"< application_data"},
             boost::test_tools::per_element());
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told.front().length > 1000u);
  BOOST_TEST(told.front().length < 1100u);
  BOOST_TEST(told.front().version == 0x0303);
}

BOOST_DATA_TEST_CASE_F(fixture, an_alert_is_told_by_its_name, versions, version) {
  messages at_client, at_server;
  client_context const doubtful =
      client_context(version).add_root(make_self_signed({"other.test"}).chain().leaf())
          .set_trace(noting_in(at_client));
  BOOST_TEST(!connect(doubtful, localhost_server().set_trace(noting_in(at_server))));
  for (auto const& [told, by] : {std::pair(at_client, direction::sent),
                                 std::pair(at_server, direction::received)}) {
    auto const found = std::ranges::find_if(
        told, [](traced_message const& each) { return each.what == kind::alert; });
    BOOST_REQUIRE((found != told.end()));
    BOOST_TEST((found->by == by));
    BOOST_REQUIRE(found->alert.has_value());
    BOOST_TEST((found->alert == alert::unknown_ca || found->alert == alert::bad_certificate));
    BOOST_TEST((found->name == "unknown_ca" || found->name == "bad_certificate"));
    BOOST_TEST(found->fatal);
  }
}

BOOST_AUTO_TEST_CASE(close_notify_is_an_alert_that_is_not_fatal) {
  messages told;
  BOOST_REQUIRE(connect(localhost_client(), localhost_server().set_trace(noting_in(told))));
  told.clear();
  both->server.close_write();
  auto const found = std::ranges::find_if(
      told, [](traced_message const& each) { return each.what == kind::alert; });
  BOOST_REQUIRE((found != told.end()));
  BOOST_TEST((found->alert == alert::close_notify));
  BOOST_TEST(found->name == "close_notify");
  BOOST_TEST(!found->fatal);
}

BOOST_AUTO_TEST_CASE(a_key_update_is_told) {
  messages told;
  BOOST_REQUIRE(connect(localhost_client(), localhost_server().set_trace(noting_in(told))));
  told.clear();
  BOOST_TEST(!both->server.update_key(key_update::not_requested).error);
  BOOST_TEST(names_of(told, kind::handshake) == std::vector<std::string>{"> key_update"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nobody_is_told_who_did_not_ask) {
  messages told;
  client_context const silent = localhost_client();
  BOOST_REQUIRE(connect(silent, localhost_server().set_trace(noting_in(told))));
  BOOST_TEST(!told.empty());
  told.clear();
  BOOST_REQUIRE(connect(silent, localhost_server()));
  BOOST_REQUIRE(connect(localhost_client().set_trace(noting_in(told)).set_trace(nullptr),
                        localhost_server()));
  BOOST_TEST(told.empty());
}

BOOST_DATA_TEST_CASE_F(fixture, what_a_trace_throws_does_not_end_the_connection, versions,
                       version) {
  int calls = 0;
  auto const failing = [&calls](traced_message const&) {
    ++calls;
    throw std::runtime_error("the disk is full");
  };
  BOOST_TEST(connect(localhost_client(version).set_trace(failing),
                     localhost_server().set_trace(failing)));
  BOOST_TEST(carried("x") == "x");
  BOOST_TEST(calls > 1);
}

BOOST_AUTO_TEST_CASE(a_trace_lives_as_long_as_the_connections_do) {
  auto const kept = std::make_shared<int>(0);
  std::optional<server_context> server =
      localhost_server().set_trace([kept](traced_message const&) { ++*kept; });
  both.emplace(localhost_client(), *server, client_options().host("localhost"));
  server.reset();
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(*kept > 0);
  both.reset();
  BOOST_TEST(kept.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_key_log_beside_it_is_another_thing) {
  messages told;
  int lines = 0;
  client_context client = localhost_client();
  client.set_trace(noting_in(told)).set_key_log([&](std::string_view) { ++lines; });
  BOOST_REQUIRE(connect(client, localhost_server()));
  BOOST_TEST(!told.empty());
  BOOST_TEST(lines > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::trace_test
