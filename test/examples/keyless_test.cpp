// A server without a key, and the process that has it: which dies, and comes back.

#include "pki.hpp"
#include "print.hpp"
#include "process.hpp"
#include "temporary_directory.hpp"

#include <cotls/blocking.hpp>
#include <cotls/error.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <csignal>
#include <future>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace cotls::test {

inline std::ostream& boost_test_print_type(std::ostream& out, key_kind kind) {
  return out << "kind " << static_cast<int>(kind);
}

namespace keyless_test {
namespace {

using namespace std::chrono_literals;

struct fixture {
  temporary_directory directory;
  authority root{"keyless.test"};
  std::string socket = (directory.path() / "keeper").string();
  std::string certificate;
  std::string key;
  std::unique_ptr<process> keeper;
  std::unique_ptr<process> server;
  int port = 0;

  void start(key_kind kind = key_kind::ec_p256) {
    issued const made = root.issue(certificate_request({"localhost"}).key(kind));
    certificate = directory.write("chain.pem", made.chain());
    key = directory.write("key.pem", made.key);
    start_keeper();
    server = std::make_unique<process>(
        std::vector<std::string>{COTLS_KEYLESS_SERVER, certificate, socket});
    port = std::stoi(server->line_after("port "));
  }

  void start_keeper() {
    keeper =
        std::make_unique<process>(std::vector<std::string>{COTLS_KEY_KEEPER, key, socket});
    BOOST_REQUIRE(keeper->prints("ready"));
  }

  // What a client is told: the greeting, or the code of its failure.
  std::string greeting(protocol version, error_code& failed) const {
    client_context trusting = client_context(version).add_root(root.certificate());
    blocking::stream peer;
    try {
      peer = blocking::connect("localhost", port, trusting,
                               connect_options().handshake_timeout(20s));
      peer.set_timeout(20s);
      std::array<char, 9> text{};
      std::size_t const got = peer.read_some(asio::buffer(text));
      return {text.data(), got};
    } catch (error const& thrown) {
      failed = thrown.code();
      return {};
    }
  }
};

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keyless, fixture)

BOOST_DATA_TEST_CASE_F(fixture, each_kind_of_key_signs_in_its_own_process,
                       boost::unit_test::data::make({key_kind::ec_p256, key_kind::rsa_2048,
                                                     key_kind::rsa_pss_2048, key_kind::ed25519,
                                                     key_kind::ed448}) *
                           versions,
                       kind, version) {
  start(kind);
  error_code failed;
  BOOST_TEST(greeting(version, failed) == "good day\n");
  BOOST_TEST(!failed);
}

BOOST_DATA_TEST_CASE_F(fixture, while_the_keeper_is_dead_clients_are_told_and_then_served_again,
                       versions, version) {
  start();
  error_code failed;
  BOOST_TEST(greeting(version, failed) == "good day\n");
  keeper->kill();
  BOOST_TEST(greeting(version, failed).empty());
  BOOST_TEST((failed == alert::internal_error));
  BOOST_TEST(server->prints("the key's signer has not signed"));
  failed = {};
  start_keeper();
  BOOST_TEST(greeting(version, failed) == "good day\n");
  BOOST_TEST(!failed);
}

BOOST_DATA_TEST_CASE_F(fixture, a_keeper_that_hangs_ends_the_handshake_at_its_deadline_alone,
                       versions, version) {
  start();
  keeper->signal(SIGSTOP);
  error_code failed;
  BOOST_TEST(greeting(version, failed).empty());
  BOOST_TEST((failed == alert::internal_error));
  BOOST_TEST(server->prints("the handshake took longer than its deadline"));
  keeper->signal(SIGCONT);
  failed = {};
  BOOST_TEST(greeting(version, failed) == "good day\n");
}

BOOST_AUTO_TEST_CASE(a_keeper_that_dies_amid_a_signature_ends_the_handshake_at_once) {
  start();
  keeper->signal(SIGSTOP);
  auto client = std::async(std::launch::async, [&] {
    error_code failed;
    greeting(protocol::tls1_3, failed);
    return failed;
  });
  client.wait_for(100ms);   // it may be killed before it is asked: that is the same
  keeper->kill();
  BOOST_TEST((client.get() == alert::internal_error));
  BOOST_TEST(server->prints("the key's signer has not signed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyless_test
}  // namespace cotls::test
