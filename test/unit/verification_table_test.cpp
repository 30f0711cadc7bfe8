// Chains, each with its right answer (test/support/verification_cases.hpp), between two engines.
// test/interop/verification_test.cpp asks other programs for their answers.

#include "engine_pair.hpp"
#include "print.hpp"
#include "verification_cases.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <map>
#include <set>
#include <string>

namespace cotls::test::verification_table_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

/** What came of a handshake at the end that verifies. */
struct verdict {
  bool connected;
  bool verified;
  int result;
  std::string text;
};

verdict verdict_of(bool connected, engine const& verifying) {
  error const failure = verifying.last_error();
  return {connected, verifying.peer().verified(), failure.verify_result(), failure.what()};
}

verdict ask_client(verification_case const& one, protocol version) {
  client_context client(version);
  engine_pair both(one.apply_to(client), one.showing_server(version),
                   client_options().host(one.host()));
  bool const connected = both.connect();
  return verdict_of(connected, both.client);
}

verdict ask_server(verification_case const& one, protocol version) {
  static identity const own = make_self_signed({"localhost"});
  server_context server(version);
  one.apply_to(server).use(own).set_verify(verify::required);
  engine_pair both(one.showing_client(version), server, client_options());
  bool const connected = both.connect();
  return verdict_of(connected, both.server);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verification_table)

BOOST_DATA_TEST_CASE(each_chain_gets_its_answer_and_its_reason, versions, version) {
  for (verification_case const& one : all_verification_cases()) {
    BOOST_TEST_CONTEXT(one.name()) {
      verdict const seen = one.meant() == purpose::server ? ask_client(one, version)
                                                          : ask_server(one, version);
      BOOST_TEST(seen.connected == one.accepted(), seen.text);
      BOOST_TEST(seen.verified == one.accepted());
      BOOST_TEST(seen.result == one.result(), seen.text);
      BOOST_TEST(seen.text.find(one.words()) != std::string::npos, seen.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_topic_has_a_chain_that_is_accepted_and_one_that_is_refused) {
  std::map<std::string, std::set<bool>> verdicts;
  std::set<std::string> names;
  for (verification_case const& one : all_verification_cases()) {
    verdicts[one.topic()].insert(one.accepted());
    BOOST_TEST(names.insert(one.name()).second, one.name());
    BOOST_TEST(one.accepted() == one.words().empty(), one.name());
  }
  BOOST_TEST(names.size() > 80u);
  for (auto const& [topic, seen] : verdicts) BOOST_TEST(seen.size() == 2u, topic);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::verification_table_test
