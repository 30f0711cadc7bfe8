// `cotls inspect` of a `cotls serve`; test/interop has servers of others.

#include "process.hpp"
#include "tool.hpp"

#include <cotls/certificate.hpp>

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace cotls::test {
namespace {

namespace json = boost::json;

process inspecting(serving_tool const& server, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"inspect", server.address()};
  words.insert(words.end(), more.begin(), more.end());
  return process(tool(words));
}

bool says(process const& ended, std::string const& text) {
  return ended.output().find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_inspect)

BOOST_AUTO_TEST_CASE(a_verified_server_is_shown_in_full) {
  serving_tool server({"--echo", "--alpn", "h2"});
  process looking = inspecting(server, {"--ca", server.root_file()});
  BOOST_TEST(looking.wait() == 0);
  BOOST_TEST(looking.errors() == "");
  auto const own = certificate_chain::from_pem_file(server.root_file()).leaf();
  std::string const port = std::to_string(server.port());
  BOOST_TEST(looking.output().starts_with("localhost:" + port + " (127.0.0.1:" + port + ")\n"));
  for (std::string const& line :
       {std::string("verified    yes"), std::string("version     TLSv1.3"),
        std::string("suite       TLS_AES_256_GCM_SHA384"), std::string("group       x25519"),
        std::string("ALPN        h2"), std::string("resumption  yes"),
        std::string("subject     CN=localhost"),
        std::string("names       localhost, 127.0.0.1, ::1"),
        std::string("key         EC P-256"), std::string("signature   ecdsa-with-SHA256"),
        "serial      " + own.serial_number(), "SHA-256     " + own.fingerprint()}) {
    BOOST_TEST(says(looking, "\n  " + line + "\n"), line);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_verified_is_shown_all_the_same) {
  serving_tool server({"--echo"});
  process looking = inspecting(server);
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(looking.errors() == "");
  BOOST_TEST(says(looking, "  verified    NO: the peer's certificate is self-signed and not a "
                           "trusted root (depth 0, CN=localhost)"));
  BOOST_TEST(says(looking, "  version     TLSv1.3\n"));
  BOOST_TEST(says(looking, "  resumption  yes\n"));
}

BOOST_AUTO_TEST_CASE(another_host_is_a_reason) {
  serving_tool server({"--echo", "--name", "elsewhere.test"});
  process looking = inspecting(server, {"--ca", server.root_file()});
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(says(looking, "NO: the peer's certificate is for another host name"));
  process right =
      inspecting(server, {"--ca", server.root_file(), "--servername", "elsewhere.test"});
  BOOST_TEST(right.wait() == 0);
}

BOOST_AUTO_TEST_CASE(programs_are_told_the_same) {
  serving_tool server({"--echo"});
  process looking = inspecting(server, {"--ca", server.root_file(), "--json", "--tls1.2"});
  BOOST_TEST(looking.wait() == 0);
  json::object const seen = json::parse(looking.output()).as_object();
  BOOST_TEST(seen.at("host").as_string() == "localhost");
  BOOST_TEST(seen.at("port").as_int64() == server.port());
  BOOST_TEST(seen.at("address").as_string() == "127.0.0.1");
  BOOST_TEST(seen.at("verified").as_bool());
  BOOST_TEST(seen.at("reason").is_null());
  BOOST_TEST(seen.at("refused").is_null());
  BOOST_TEST(seen.at("version").as_string() == "TLSv1.2");
  BOOST_TEST(seen.at("alpn").is_null());
  BOOST_TEST(seen.at("resumption").as_string() == "resumed");
  json::object const& leaf = seen.at("chain").as_array().at(0).as_object();
  BOOST_TEST(leaf.at("subject").as_string() == "CN=localhost");
  BOOST_TEST(leaf.at("names").as_array().size() == 3u);
  BOOST_TEST(leaf.at("not_after").as_string().ends_with("Z"));

  process wrong = inspecting(server, {"--json"});
  BOOST_TEST(wrong.wait() == 4);
  json::object const refused = json::parse(wrong.output()).as_object();
  BOOST_TEST(!refused.at("verified").as_bool());
  BOOST_TEST(refused.at("reason").as_string().starts_with("the peer's certificate"));
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_us_says_so) {
  serving_tool other({"--echo"});
  serving_tool server({"--echo", "--client-ca", other.root_file()});
  process looking = inspecting(server, {"--ca", server.root_file()});
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(says(looking, "[tls.alert: certificate_required]"));
  // TLS 1.2 refuses inside the handshake: there is nothing to show.
  process before = inspecting(server, {"--ca", server.root_file(), "--tls1.2"});
  BOOST_TEST(before.wait() == 4);
  BOOST_TEST(before.output() == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
