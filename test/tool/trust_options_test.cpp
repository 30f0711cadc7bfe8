// Whom `cotls` trusts, what it connects to, and as whom it serves, by its options.

#include "pki.hpp"
#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/identity.hpp>
#include <cotls/key_pin.hpp>

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/pkcs12.h>

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace cotls::test::trust_options_test {

namespace {

// What a connect to this address comes to, with these options: its exit code.
int connect_to(std::string const& address, std::vector<std::string> options) {
  options.insert(options.begin(), {"connect", address});
  process client(tool(options));
  client.give("hello\n");
  if (client.prints("hello\n")) client.signal(SIGKILL);
  int const code = client.wait();
  return code == 128 + SIGKILL ? 0 : code;
}

std::string pin_of(certificate const& one) { return key_pin::of(one).text(); }

std::vector<std::string> sorted_lines(std::string const& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string pkcs12_of(identity const& both, char const* password) {
  std::unique_ptr<PKCS12, decltype(&PKCS12_free)> const made(
      PKCS12_create(password, nullptr, both.key().native_handle(),
                    both.chain().leaf().native_handle(), nullptr, 0, 0, 0, 0, 0),
      PKCS12_free);
  unsigned char* bytes = nullptr;
  int const size = i2d_PKCS12(made.get(), &bytes);
  BOOST_REQUIRE(size > 0);
  std::string const text(reinterpret_cast<char const*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return text;
}

certificate read(std::string const& file) {
  return certificate_chain::from_pem_file(file).leaf();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_trust_options)

BOOST_AUTO_TEST_CASE(a_server_with_another_key_than_its_pin_is_refused) {
  serving_tool server({"--echo"});
  std::string const pin = pin_of(read(server.root_file()));
  std::string const other = pin_of(make_self_signed({"localhost"}).chain().leaf());
  std::string const as_curl = "sha256//" + pin.substr(std::string("sha256/").size());
  auto const connect = [&](std::vector<std::string> pins) {
    pins.insert(pins.end(), {"--ca", server.root_file()});
    return connect_to(server.address(), pins);
  };
  BOOST_TEST(connect({"--pin", pin}) == 0);
  BOOST_TEST(connect({"--pin", as_curl}) == 0);
  BOOST_TEST(connect({"--pin", other, "--pin", pin}) == 0);
  BOOST_TEST(connect({"--pin", other}) == 4);
  BOOST_TEST(connect({"--pin", "short"}) == 2);
  BOOST_TEST(connect({"--pin", ""}) == 2);
}

BOOST_AUTO_TEST_CASE(an_address_may_stand_for_a_name) {
  serving_tool server({"--echo", "--name", "cotls.test"});
  std::string const port = std::to_string(server.port());
  auto const connect = [&](std::string const& resolve) {
    return connect_to("cotls.test:" + port, {"--ca", server.root_file(), "--resolve", resolve});
  };
  BOOST_TEST(connect("cotls.test:" + port + ":127.0.0.1") == 0);
  BOOST_TEST(connect("COTLS.test:" + port + ":127.0.0.1") == 0);
  BOOST_TEST(connect("cotls.test:1:127.0.0.1") == 3);            // is for another port
  BOOST_TEST(connect("other.test:" + port + ":127.0.0.1") == 3);
  for (char const* malformed : {"", "cotls.test", "cotls.test:443", "cotls.test:443:localhost",
                                ":443:127.0.0.1", "cotls.test:x:127.0.0.1"}) {
    BOOST_TEST(connect(malformed) == 2, malformed);
  }
  process looking(tool({"inspect", "cotls.test:" + port, "--ca", server.root_file(), "--resolve",
                        "cotls.test:" + port + ":127.0.0.1"}));
  BOOST_TEST(looking.wait() == 0);
}

BOOST_AUTO_TEST_CASE(one_family_of_addresses_may_be_left_out) {
  serving_tool server({"--echo"});   // at 127.0.0.1 alone
  std::string const root = server.root_file();
  BOOST_TEST(connect_to(server.address(), {"--ca", root, "-4"}) == 0);
  BOOST_TEST(connect_to(server.address(), {"--ca", root, "-6"}) == 3);
  BOOST_TEST(connect_to(server.address(), {"--ca", root, "-4", "-6"}) == 2);
}

BOOST_AUTO_TEST_CASE(insecure_has_a_letter) {
  serving_tool server({"--echo"});
  BOOST_TEST(connect_to(server.address(), {}) == 4);
  BOOST_TEST(connect_to(server.address(), {"-k"}) == 0);
  std::string const pin = pin_of(read(server.root_file()));
  BOOST_TEST(connect_to(server.address(), {"-k", "--pin", pin}) == 2);
}

BOOST_AUTO_TEST_CASE(certificates_are_shown_whole) {
  serving_tool server({"--echo"});
  certificate const served = read(server.root_file());
  process connecting(tool({"connect", server.address(), "--ca", server.root_file(),
                           "--show-certs"}));
  BOOST_TEST(connecting.prints("-----END CERTIFICATE-----\n"));
  BOOST_TEST(connecting.errors() == served.pem());
  connecting.kill();

  process looking(tool({"inspect", server.address(), "--ca", server.root_file(), "--show-certs"}));
  BOOST_TEST(looking.wait() == 0);
  BOOST_TEST(looking.output().find(served.pem()) != std::string::npos);

  process for_programs(tool({"inspect", server.address(), "--ca", server.root_file(), "--json",
                             "--show-certs"}));
  BOOST_TEST(for_programs.wait() == 0);
  auto const seen = boost::json::parse(for_programs.output()).as_object();
  auto const first = seen.at("chain").as_array().at(0).as_object();
  BOOST_TEST(first.at("pem").as_string() == served.pem());
  BOOST_TEST(first.at("pin").as_string() == pin_of(served));
  BOOST_TEST(seen.at("trusted_by").as_string() == served.subject());
  BOOST_TEST(seen.at("extended_master_secret").as_bool());
  BOOST_TEST(seen.at("signature").as_string() == "ecdsa_sha256");
}

BOOST_AUTO_TEST_CASE(a_revoked_server_is_refused) {
  authority const root("a root");
  issued const one = root.issue(certificate_request({"localhost"}));
  issued const other = root.issue(certificate_request({"localhost"}));
  temporary_directory files;
  std::string const trusted = files.write("root.pem", root.pem());
  serving_tool server({"--echo", "--cert", files.write("one.pem", one.chain() + one.key)});
  auto const connect = [&](certificate const& revoked) {
    return connect_to(server.address(), {"--ca", trusted, "--crl",
                                         files.write("list.pem", root.revocation_list({revoked}))});
  };
  BOOST_TEST(connect(other.leaf()) == 0);
  BOOST_TEST(connect(one.leaf()) == 4);
}

BOOST_AUTO_TEST_CASE(clients_may_be_asked_who_they_are) {
  authority const root("a root");
  temporary_directory files;
  auto const write = [&](std::string const& name, issued const& made) {
    return files.write(name, made.chain() + made.key);
  };
  certificate_request const request = certificate_request({"client.test"}).use(purpose::client);
  std::string const known = write("known.pem", root.issue(request));
  std::string const stranger = write("stranger.pem", authority("another").issue(request));

  serving_tool asks({"--echo", "-v", "--ask-client-cert"});
  auto const connect = [](serving_tool& to, std::vector<std::string> more) {
    more.insert(more.end(), {"--ca", to.root_file()});
    return connect_to(to.address(), more);
  };
  BOOST_TEST(connect(asks, {}) == 0);
  BOOST_TEST(connect(asks, {"--cert", stranger}) == 0);
  BOOST_TEST(asks.program().prints("says it is, NOT VERIFIED: CN=client.test (sha256/"));

  serving_tool verifies({"--echo", "-v", "--ask-client-cert", "--client-ca",
                         files.write("root.pem", root.pem())});
  BOOST_TEST(connect(verifies, {}) == 0);
  BOOST_TEST(connect(verifies, {"--cert", known}) == 0);
  BOOST_TEST(verifies.program().prints(" is CN=client.test (sha256/"));
  BOOST_TEST(connect(verifies, {"--cert", stranger}) == 4);
}

BOOST_AUTO_TEST_CASE(other_hosts_have_certificates_of_their_own) {
  authority const root("a root");
  issued const both = root.issue(certificate_request({"one.test"}));
  issued const apart = root.issue(certificate_request({"*.two.test"}));
  temporary_directory files;
  std::string const trusted = files.write("root.pem", root.pem());
  std::string const in_one_file = files.write("one.pem", both.chain() + both.key);
  std::string const in_two =
      files.write("two.pem", apart.chain()) + ',' + files.write("two.key", apart.key);
  serving_tool server({"--echo", "--host", "one.test=" + in_one_file, "--host",
                       "*.two.test=" + in_two});
  for (char const* name : {"one.test", "a.two.test", "b.two.test"}) {
    BOOST_TEST(connect_to(server.address(), {"--ca", trusted, "--servername", name}) == 0, name);
  }
  BOOST_TEST(connect_to(server.address(), {"--ca", trusted, "--servername", "three.test"}) == 4);
  BOOST_TEST(connect_to(server.address(), {"--ca", server.root_file()}) == 0);

  for (std::string const& malformed : {std::string("one.test"), "*=" + in_one_file}) {
    process refused(tool({"serve", "0", "--echo", "--host", malformed}));
    BOOST_TEST(refused.wait() == 2, malformed);
  }
  process without_key(tool({"serve", "0", "--echo", "--host", "one.test=" + trusted}));
  BOOST_TEST(without_key.wait() == 1);
}

BOOST_AUTO_TEST_CASE(another_name_may_be_asked_for_than_is_verified) {
  authority const root("a root");
  issued const one = root.issue(certificate_request({"one.test"}));
  temporary_directory files;
  serving_tool server({"--echo", "--host",
                       "one.test=" + files.write("one.pem", one.chain() + one.key)});
  auto const first_name = [&](std::vector<std::string> options, int code) {
    options.insert(options.begin(), {"inspect", server.address(), "--json", "--ca",
                                     server.root_file()});
    process looking(tool(options));
    BOOST_TEST(looking.wait() == code);
    auto const seen = boost::json::parse(looking.output()).as_object();
    auto const shown = seen.at("chain").as_array().at(0).as_object();
    return std::string(shown.at("names").as_array().at(0).as_string());
  };
  BOOST_TEST(first_name({}, 0) == "localhost");
  BOOST_TEST(first_name({"--no-sni"}, 0) == "localhost");
  BOOST_TEST(first_name({"--sni", "one.test"}, 4) == "one.test");
  for (std::vector<std::string> const& wrong :
       {std::vector<std::string>{"--sni", "one.test", "--no-sni"}, {"--sni", ""}}) {
    BOOST_TEST(connect_to(server.address(), wrong) == 2);
  }
}

BOOST_AUTO_TEST_CASE(a_certificate_and_its_key_may_come_from_one_file) {
  authority const root("a root");
  issued const made = root.issue(certificate_request({"localhost"}));
  temporary_directory files;
  std::string const both = files.write("both.p12", pkcs12_of(made.identity(), "secret"));
  std::string const password = files.write("password", "secret\n");
  serving_tool server({"--echo", "--pkcs12", both, "--password-file", password});
  std::string const trusted = files.write("root.pem", root.pem());
  BOOST_TEST(connect_to(server.address(), {"--ca", trusted}) == 0);
  auto const serving = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"serve", "0", "--echo", "--pkcs12", both});
    process ended(tool(more));
    return ended.wait();
  };
  BOOST_TEST(serving({}) == 1);   // the password is missing
  BOOST_TEST(serving({"--password-file", files.write("wrong", "other\n")}) == 1);
  BOOST_TEST(serving({"--cert", trusted}) == 2);
}

BOOST_AUTO_TEST_CASE(secrets_are_logged_where_that_is_asked_for) {
  temporary_directory files;
  std::string const of_server = (files.path() / "server.log").string();
  std::string const of_client = (files.path() / "client.log").string();
  serving_tool server({"--echo", "--key-log", of_server});
  BOOST_TEST(connect_to(server.address(),
                        {"--ca", server.root_file(), "--key-log", of_client}) == 0);
  auto const said = sorted_lines(of_client);
  BOOST_REQUIRE(said.size() == 5u);
  BOOST_TEST(said[1].starts_with("CLIENT_TRAFFIC_SECRET_0 "));
  BOOST_TEST(sorted_lines(of_server) == said);
  BOOST_TEST(connect_to(server.address(), {"--key-log", "/nowhere/log"}) == 1);
}

BOOST_AUTO_TEST_CASE(the_key_of_a_made_certificate_is_written_for_nobody_else) {
  temporary_directory files;
  std::string const file = files.write("key.pem", "open to others before");
  serving_tool server({"--echo", "--write-key", file});
  struct stat about{};
  BOOST_REQUIRE(::stat(file.c_str(), &about) == 0);
  BOOST_TEST((about.st_mode & 07777) == 0600u);
  BOOST_CHECK_NO_THROW(identity(certificate_chain::from_pem_file(server.root_file()),
                                private_key::from_file(file)));
  process nowhere(tool({"serve", "0", "--echo", "--write-key", file + "/below"}));
  BOOST_TEST(nowhere.wait() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::trust_options_test
