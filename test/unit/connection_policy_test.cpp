// What one connection may have otherwise than its context, and how long messages and records are.

#include "effective.hpp"
#include "engine_pair.hpp"
#include "print.hpp"

#include <cotls/context.hpp>
#include <cotls/engine.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <vector>

namespace cotls::test::connection_policy_test {
namespace {

namespace data = boost::unit_test::data;
using enum protocol_version;

identity const& known() {
  static identity const made = make_self_signed({"known.test"});
  return made;
}

client_context trusting(protocol versions = protocol::secure) {
  return client_context(versions).add_root(known().chain().leaf());
}

server_context serving() { return server_context().use(known()); }

client_options there() { return client_options().host("known.test"); }

bool connects(client_context const& client, client_options const& options,
              server_context const& server = serving()) {
  return engine_pair(client, server, options).connect();
}

errc refusal(client_options const& options, client_context const& client = trusting()) {
  error const refused = failure_of([&] { engine made(client, options); });
  return static_cast<errc>(refused.code().value());
}

// The name that a server hears.
std::string heard(client_options const& options) {
  engine_pair both(trusting(), serving(), options);
  BOOST_TEST(both.connect());
  return both.server.info().server_name;
}

// The longest record's body that one end sends the other for this much data.
std::size_t longest_record(engine& from, std::size_t bytes) {
  std::string const text(bytes, 'x');
  BOOST_REQUIRE(from.write(asio::buffer(text)).bytes == bytes);
  asio::const_buffer const sent = from.output();
  auto const* const all = static_cast<unsigned char const*>(sent.data());
  std::size_t longest = 0;
  for (std::size_t at = 0; at + 5 <= sent.size();) {
    std::size_t const body = std::size_t{all[at + 3]} << 8 | all[at + 4];
    longest = std::max(longest, body);
    at += 5 + body;
  }
  return longest;
}

constexpr std::size_t most_overhead = 64;   // of a record, in any suite

}  // namespace

BOOST_AUTO_TEST_SUITE(names_of_one_connection)

BOOST_AUTO_TEST_CASE(the_name_that_is_asked_for_may_be_another_than_the_one_verified) {
  BOOST_TEST(heard(there()) == "known.test");
  BOOST_TEST(heard(there().server_name("front.test.")) == "front.test");
  BOOST_TEST(heard(there().no_server_name()) == "");
}

BOOST_AUTO_TEST_CASE(the_name_that_is_asked_for_is_not_what_is_verified) {
  BOOST_TEST(!connects(trusting(), client_options().host("other.test").server_name("known.test")));
  BOOST_TEST((refusal(client_options().server_name("known.test")) == errc::no_host_name));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked_for_is_refused) {
  for (char const* name : {"10.0.0.1", "::1", "a b", ".test"}) {
    BOOST_TEST((refusal(there().server_name(name)) == errc::invalid_host_name));
  }
}

BOOST_AUTO_TEST_CASE(any_name_is_accepted_only_by_that_word) {
  client_options const other = client_options().host("other.test");
  BOOST_TEST(!connects(trusting(), other));
  BOOST_TEST(connects(trusting(), client_options(other).accept_any_name()));
  BOOST_TEST(heard(client_options(other).accept_any_name()) == "other.test");
  BOOST_TEST((refusal(client_options()) == errc::no_host_name));
  BOOST_TEST(connects(trusting(), client_options().accept_any_name()));
}

BOOST_AUTO_TEST_CASE(with_any_name_the_chain_is_verified_all_the_same) {
  identity const stranger = make_self_signed({"known.test"});
  BOOST_TEST(!connects(trusting(), client_options().accept_any_name(),
                       server_context().use(stranger)));
  engine_pair both(trusting(), serving(), client_options().accept_any_name());
  BOOST_TEST(both.connect());
  BOOST_TEST(both.client.peer().verified());
}

BOOST_AUTO_TEST_CASE(any_name_and_some_names_are_a_contradiction) {
  BOOST_TEST((refusal(there().also_accept("b.test").accept_any_name()) == errc::invalid_setting));
}

BOOST_AUTO_TEST_CASE(options_that_were_copied_keep_what_they_had) {
  client_options const first = there().server_name("front.test");
  client_options const second = client_options(first).no_server_name();
  BOOST_TEST(heard(first) == "front.test");
  BOOST_TEST(heard(second) == "");
}

// A session vouches for what was verified when it was made (T3).
BOOST_AUTO_TEST_CASE(a_session_is_resumed_by_connections_with_the_same_options_alone) {
  client_context const client = trusting();
  server_context const server = serving();
  auto const resumed = [&](client_options const& options) {
    engine_pair both(client, server, client_options(options).port(443));
    bool const done = both.connect();
    BOOST_TEST(done, both.client_code.message() << "; " << both.server_code.message());
    return both.client.info().resumed;
  };
  std::vector<client_options> const kinds{
      there(), there().accept_any_name(), there().no_server_name(),
      there().server_name("front.test"), there().versions(tls1_3), there().groups("P-256"),
      there().ciphers("", "TLS_AES_128_GCM_SHA256"), there().signature_algorithms("ECDSA+SHA256")};
  for (bool const again : {false, true}) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      BOOST_TEST_CONTEXT("options " << i) { BOOST_TEST(resumed(kinds[i]) == again); }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(algorithms_of_one_connection)

BOOST_AUTO_TEST_CASE(versions_are_the_connections_whatever_its_context_has) {
  for (protocol versions : {protocol::secure, protocol::tls1_2, protocol::tls1_3}) {
    for (protocol_version only : {tls1_2, tls1_3}) {
      engine_pair both(trusting(versions), serving(), there().versions(only, only));
      BOOST_TEST(both.connect());
      BOOST_TEST(both.client.info().version == (only == tls1_2 ? "TLSv1.2" : "TLSv1.3"));
    }
  }
  BOOST_TEST((refusal(there().versions(tls1_3, tls1_2)) == errc::invalid_setting));
}

BOOST_AUTO_TEST_CASE(suites_groups_and_signatures_are_the_connections) {
  client_context const client = trusting().set_groups("P-384");
  engine_pair both(client, serving(),
                   there()
                       .versions(tls1_2, tls1_2)
                       .ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
                       .groups("?NOSUCH:P-256"));
  BOOST_TEST(both.connect());
  BOOST_TEST(both.client.info().suite == "ECDHE-ECDSA-AES256-GCM-SHA384");
  BOOST_TEST(both.client.info().group == "secp256r1");
  engine_pair newer(client, serving(), there().ciphers("", "TLS_CHACHA20_POLY1305_SHA256"));
  BOOST_TEST(newer.connect());
  BOOST_TEST(newer.client.info().suite == "TLS_CHACHA20_POLY1305_SHA256");
  BOOST_TEST(newer.client.info().group == "secp384r1");
  BOOST_TEST(connects(client, there().signature_algorithms("ECDSA+SHA256")));
  BOOST_TEST(!connects(client, there().signature_algorithms("rsa_pss_rsae_sha256")));
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_refused_when_the_connection_is_made) {
  for (client_options const& wrong :
       {there().groups("NOSUCH"), there().groups("?NOSUCH"), there().groups(""),
        there().signature_algorithms("nosuch"), there().ciphers("NOSUCH"),
        there().ciphers("", "NOSUCH"), there().ciphers("ALL:eNULL"),
        there().ciphers("DEFAULT:@SECLEVEL=0")}) {
    BOOST_TEST((refusal(wrong) == errc::invalid_setting));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(virtual_hosts)

BOOST_AUTO_TEST_CASE(a_virtual_host_has_a_policy_of_its_own) {
  server_context const hosts =
      serving()
          .set_policy(policy::intermediate)
          .add_virtual_host("modern.test", serving().set_policy(policy::modern));
  auto const connects_to = [&](std::string const& host, protocol_version version) {
    return connects(trusting(),
                    client_options().host(host).accept_any_name().versions(version, version),
                    hosts);
  };
  BOOST_TEST(connects_to("other.test", tls1_2));
  BOOST_TEST(connects_to("modern.test", tls1_3));
  BOOST_TEST(!connects_to("modern.test", tls1_2));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(lengths)

BOOST_AUTO_TEST_CASE(a_list_of_certificates_that_is_too_long_is_refused) {
  for (protocol version : {protocol::tls1_2, protocol::tls1_3}) {
    BOOST_TEST(connects(trusting(version).set_max_certificate_list(10'000), there()));
    engine_pair both(trusting(version).set_max_certificate_list(100), serving(), there());
    BOOST_TEST(!both.connect());
    BOOST_TEST(says(both.client.last_error(), "excessive message size"));
  }
}

BOOST_AUTO_TEST_CASE(a_server_limits_its_clients_lists_too) {
  auto const asking = [] {
    return serving().set_verify(verify::required).add_root(known().chain().leaf());
  };
  client_context const client = trusting().use(known());
  BOOST_TEST(connects(client, there(), asking()));
  BOOST_TEST(!connects(client, there(), asking().set_max_certificate_list(100)));
}

BOOST_DATA_TEST_CASE(records_are_no_longer_than_is_set,
                     data::make({protocol::tls1_2, protocol::tls1_3}), version) {
  engine_pair both(trusting(version), serving().set_max_sent_record(700), there());
  BOOST_REQUIRE(both.connect());
  std::size_t const limited = longest_record(both.server, 20'000);
  BOOST_TEST(limited >= 700u);
  BOOST_TEST(limited <= 700 + most_overhead);
  BOOST_TEST(longest_record(both.client, 20'000) >= 16'384u);
}

BOOST_DATA_TEST_CASE(a_server_sends_a_client_records_as_short_as_it_asks_for,
                     data::make({protocol::tls1_2, protocol::tls1_3}), version) {
  for (std::size_t bytes : {std::size_t{512}, std::size_t{1024}, std::size_t{2048},
                            std::size_t{4096}}) {
    engine_pair both(trusting(version).set_max_fragment_length(bytes), serving(), there());
    BOOST_REQUIRE(both.connect());
    for (engine* each : {&both.server, &both.client}) {
      std::size_t const longest = longest_record(*each, 20'000);
      BOOST_TEST(longest >= bytes);
      BOOST_TEST(longest <= bytes + most_overhead);
    }
  }
  engine_pair unasked(trusting(version).set_max_fragment_length(512).set_max_fragment_length(0),
                      serving(), there());
  BOOST_REQUIRE(unasked.connect());
  BOOST_TEST(longest_record(unasked.server, 20'000) >= 16'384u);
}

BOOST_AUTO_TEST_CASE(lengths_that_cannot_be_are_refused) {
  client_context client = trusting();
  for (std::size_t bytes : {1u, 511u, 513u, 8192u}) {
    BOOST_TEST(failure_of([&] { client.set_max_fragment_length(bytes); }).code() ==
               errc::invalid_setting);
  }
  for (std::size_t bytes : {0u, 511u, 16'385u}) {
    BOOST_TEST(failure_of([&] { client.set_max_sent_record(bytes); }).code() ==
               errc::invalid_setting);
  }
  for (std::size_t bytes : {0u, 0x100'0000u}) {
    BOOST_TEST(failure_of([&] { client.set_max_certificate_list(bytes); }).code() ==
               errc::invalid_setting);
  }
  BOOST_TEST(connects(client, there()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::connection_policy_test
