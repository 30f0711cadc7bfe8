// Keys that sign elsewhere, verified by OpenSSL's own programs: a server's by `openssl s_client`, a
// client's by `openssl s_server`.

#include "certificates.hpp"
#include "key_elsewhere.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "run.hpp"
#include "served.hpp"

#include <cotls/blocking.hpp>
#include <cotls/connect.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

namespace cotls::test::openssl_signer_test {
namespace {

namespace data = boost::unit_test::data;

auto const kinds = data::make({"P-256", "P-384", "P-521", "RSA", "RSA-PSS", "ED25519", "ED448"});

// Each with its certificate as a file, the only root that its peer trusts.
struct shown_key {
  explicit shown_key(std::string const& kind)
      : key(kind),
        file(certificates::all().directory.write("elsewhere-" + kind + ".pem", key.leaf().pem())) {}

  key_elsewhere key;
  std::string file;
};

shown_key const& key_of(std::string const& kind) {
  static std::map<std::string, shown_key> made;
  return made.try_emplace(kind, kind).first->second;
}

// Right but for its last bit.
signer wrong(private_key const& key) {
  return [key](signature_request const& request) {
    signer::signature made = sign_with(key, request, false);
    made.back() = static_cast<unsigned char>(made.back() ^ 1u);
    return made;
  };
}

server_context serving(shown_key const& of, signer sign) {
  return server_context().use(of.key.signed_by(std::move(sign)));
}

client_context showing(shown_key const& of, signer sign) {
  return certificates::trust(certificates::all().root).use(of.key.signed_by(std::move(sign)));
}

words demanding(shown_key const& of, std::string const& version) {
  return {version, "-Verify", "1", "-verify_return_error", "-CAfile", of.file, "-rev"};
}

// What a server sends back of a line.
std::string reversed_by(s_server const& server, client_context const& client) {
  blocking::stream peer = blocking::connect("127.0.0.1", server.port(), client,
                                            connect_options().verify_host("localhost"));
  peer.write(asio::buffer("abc\n", 4));
  std::string answer(4, '\0');
  std::size_t got = 0;
  while (got < answer.size()) {
    got += peer.read_some(asio::buffer(answer.data() + got, answer.size() - got));
  }
  return answer;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openssl_signer)

BOOST_DATA_TEST_CASE(s_client_verifies_a_servers_signature, both_versions * kinds, asked, kind) {
  shown_key const& of = key_of(kind);
  server_thread server(serving(of, of.key.messages()), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}, "localhost", of.file));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(peer.output() == "good day\n");
  BOOST_TEST(says(peer, std::string("Protocol version: ") + asked.name));
  BOOST_TEST(says(peer, "Verification: OK"));
  BOOST_TEST(!server.next().failure.has_value());
}

BOOST_DATA_TEST_CASE(s_client_refuses_a_servers_wrong_signature, both_versions * kinds, asked,
                     kind) {
  shown_key const& of = key_of(kind);
  server_thread server(serving(of, wrong(of.key.key())), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}, "localhost", of.file));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "bad signature"));
}

BOOST_DATA_TEST_CASE(s_client_is_told_when_the_signer_fails, both_versions, asked) {
  shown_key const& of = key_of("P-256");
  auto const fails = [](signature_request const&) -> signer::signature {
    throw std::runtime_error("nobody at home");
  };
  server_thread server(serving(of, fails), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}, "localhost", of.file));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "alert internal error"));
}

BOOST_DATA_TEST_CASE(s_server_verifies_a_clients_signature, both_versions * kinds, asked, kind) {
  shown_key const& of = key_of(kind);
  s_server server(demanding(of, asked.option));
  BOOST_TEST(reversed_by(server, showing(of, of.key.digests())) == "cba\n");
}

BOOST_DATA_TEST_CASE(s_server_refuses_a_clients_wrong_signature, both_versions * kinds, asked,
                     kind) {
  shown_key const& of = key_of(kind);
  s_server server(demanding(of, asked.option));
  BOOST_CHECK_THROW(reversed_by(server, showing(of, wrong(of.key.key()))), error);
  BOOST_TEST(server.prints("bad signature"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::openssl_signer_test
