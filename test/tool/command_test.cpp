// The command as its user meets it: help, exit codes, and one line for each mistake.

#include "pki.hpp"
#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/identity.hpp>
#include <cotls/version.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace cotls::test {
namespace {

namespace data = boost::unit_test::data;

struct mistake {
  std::vector<std::string> words;
  std::string said;
};

std::ostream& operator<<(std::ostream& out, mistake const& one) {
  for (auto const& word : one.words) out << word << ' ';
  return out;
}

std::vector<mistake> const mistakes{
    {{}, "connect, serve or inspect? (see 'cotls --help')"},
    {{"listen"}, "there is no 'listen' (see 'cotls --help')"},
    {{"--verbose"}, "there is no '--verbose' (see 'cotls --help')"},
    {{"connect"}, "HOST is missing (see 'cotls connect --help')"},
    {{"connect", "a", "b"}, "there is more than one HOST (see 'cotls connect --help')"},
    {{"connect", ""}, "'' is no HOST[:PORT] (see 'cotls connect --help')"},
    {{"connect", "h:0"}, "'h:0' is no HOST[:PORT] (see 'cotls connect --help')"},
    {{"connect", "h:99999"}, "'h:99999' is no HOST[:PORT] (see 'cotls connect --help')"},
    {{"connect", "h", "--secure"},
     "unrecognised option '--secure' (see 'cotls connect --help')"},
    {{"connect", "h", "--inse"}, "unrecognised option '--inse' (see 'cotls connect --help')"},
    {{"connect", "h", "--ca"},
     "the required argument for option '--ca' is missing (see 'cotls connect --help')"},
    {{"connect", "h", "--timeout", "soon"},
     "the argument ('soon') for option '--timeout' is invalid (see 'cotls connect --help')"},
    {{"connect", "h", "--timeout", "0"},
     "--timeout takes a number of seconds above 0 (see 'cotls connect --help')"},
    {{"connect", "h", "--timeout", "nan"},
     "--timeout takes a number of seconds above 0 (see 'cotls connect --help')"},
    {{"connect", "h", "--tls1.2", "--tls1.3"},
     "--tls1.2 and --tls1.3 exclude each other (see 'cotls connect --help')"},
    {{"connect", "h", "--key", "k"},
     "--key is nothing without --cert (see 'cotls connect --help')"},
    {{"connect", "h", "--insecure", "--ca-dir", "/"},
     "--insecure verifies nothing, so --ca-dir would do nothing (see 'cotls connect "
     "--help')"},
    {{"connect", "h", "--ciphers", ""}, "--ciphers is empty (see 'cotls connect --help')"},
    {{"connect", "h", "--servername", ""}, "--servername is empty (see 'cotls connect --help')"},
    {{"inspect"}, "HOST is missing (see 'cotls inspect --help')"},
    {{"inspect", "h", "--insecure"},
     "unrecognised option '--insecure' (see 'cotls inspect --help')"},
    {{"serve"}, "PORT is missing (see 'cotls serve --help')"},
    {{"connect", "http://h/"},
     "'http://h/' is no https URL, and TLS is all that is spoken here: give HOST[:PORT] (see "
     "'cotls connect --help')"},
    {{"inspect", "h/a"}, "'h/a' is no HOST[:PORT]: it has a path (see 'cotls inspect --help')"},
    {{"serve", "h:1", "--echo"}, "'h:1' is no [ADDRESS:]PORT (see 'cotls serve --help')"},
    {{"serve", "0", "--echo", "--max-clients", "0"},
     "--max-clients takes a number above 0 (see 'cotls serve --help')"},
    {{"serve", "0", "--echo", "--max-clients", "-1"},
     "--max-clients takes a number, not '-1' (see 'cotls serve --help')"},
    {{"serve", "0"}, "one of --echo, --www and --exec is needed (see 'cotls serve --help')"},
    {{"serve", "0", "--echo", "--www", "."},
     "one of --echo, --www and --exec is needed (see 'cotls serve --help')"},
    {{"serve", "0", "--echo", "--cert", "c", "--name", "n"},
     "--name contradicts --cert and --pkcs12 (see 'cotls serve --help')"},
    {{"serve", "0", "--exec", "cat", "--idle-timeout", "1"},
     "--idle-timeout is not for --exec: COMMAND decides when it ends (see 'cotls serve --help')"},
};

std::vector<mistake> const failures{
    {{"connect", "h", "--ca", "/missing"},
     "loading the roots /missing failed: No such file or directory [system: 2]"},
    {{"connect", "h", "--cert", "/missing"},
     "loading the certificate chain /missing failed: No such file or directory [system: 2]"},
    {{"serve", "0", "--www", "/missing"},
     "opening the directory /missing failed: No such file or directory"},
    {{"serve", "0", "--www", "/etc/passwd"},
     "opening the directory /etc/passwd failed: Not a directory"},
    {{"serve", "0", "--echo", "--write-cert", "/missing/c.pem"},
     "writing the certificate to /missing/c.pem failed"},
    {{"serve", "192.0.2.1:0", "--echo"},
     "listening on 192.0.2.1:0 failed: Cannot assign requested address"},
};

// Mistakes that the library finds. What it says of them may change; the option is named first.
std::vector<mistake> const wrong_values{
    {{"connect", "h", "--ciphers", "FOO"}, "--ciphers FOO: "},
    {{"connect", "h", "--groups", "X25519:none"}, "--groups X25519:none: "},
    {{"connect", "h", "--suites", "none"}, "--suites none: "},
    {{"connect", "h", "--alpn", "a,,b"}, "--alpn a,,b: "},
    {{"inspect", "h", "--ciphers", "FOO"}, "--ciphers FOO: "},
    {{"serve", "0", "--echo", "--ciphers", "FOO"}, "--ciphers FOO: "},
    {{"serve", "0", "--echo", "--name", "a b"}, "--name: "},
};

// The line on standard error that says what went wrong; all there is, but for what `serve` says of
// its certificate.
std::string complaint(process const& ended) {
  std::string text = ended.errors();
  if (text.starts_with("certificate: ")) text.erase(0, text.find('\n') + 1);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 1);
  BOOST_TEST(text.starts_with("cotls: "));
  return text.substr(7, text.size() - 8);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(the_command)

BOOST_DATA_TEST_CASE(a_mistake_is_told_in_one_line, data::make(mistakes), wrong) {
  process command(tool(wrong.words));
  BOOST_TEST(command.wait() == 2);
  BOOST_TEST(command.output() == "");
  BOOST_TEST(complaint(command) == wrong.said);
}

BOOST_DATA_TEST_CASE(a_wrong_value_is_a_mistake_of_its_option, data::make(wrong_values), wrong) {
  process command(tool(wrong.words));
  BOOST_TEST(command.wait() == 2);
  BOOST_TEST(command.output() == "");
  std::string const said = complaint(command);
  BOOST_TEST(said.starts_with(wrong.said), said);
  BOOST_TEST(said.find("set_") == std::string::npos, said);
}

BOOST_DATA_TEST_CASE(what_fails_here_is_told_in_one_line, data::make(failures), wrong) {
  process command(tool(wrong.words));
  BOOST_TEST(command.wait() == 1);
  BOOST_TEST(command.output() == "");
  std::string const said = complaint(command);
  BOOST_TEST(said.find(wrong.said) != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(help_goes_to_the_output) {
  for (std::vector<std::string> const& words :
       std::vector<std::vector<std::string>>{{"--help"}, {"-h"}, {"help"}, {"connect", "--help"},
                                             {"serve", "-h"}, {"inspect", "h", "--help"}}) {
    process command(tool(words));
    BOOST_TEST(command.wait() == 0);
    BOOST_TEST(command.output().starts_with("Usage: cotls "));
    BOOST_TEST(command.errors() == "");
  }
}

BOOST_AUTO_TEST_CASE(help_tells_the_exit_codes) {
  for (char const* name : {"connect", "serve", "inspect"}) {
    process command(tool({name, "--help"}));
    BOOST_TEST(command.wait() == 0);
    BOOST_TEST(command.output().find("\nExit codes:\n  0  all went well") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(help_fits_a_terminal_of_100_columns) {
  for (char const* name : {"connect", "serve", "inspect"}) {
    process command(tool({name, "--help"}));
    BOOST_TEST(command.wait() == 0);
    std::string const& text = command.output();
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const end = text.find('\n', at);
      BOOST_TEST(end - at <= 100u, text.substr(at, end - at));
      at = end + 1;
    }
  }
}

BOOST_AUTO_TEST_CASE(it_tells_its_version) {
  process command(tool({"--version"}));
  BOOST_TEST(command.wait() == 0);
  BOOST_TEST(command.output().starts_with("cotls " COTLS_VERSION_STRING ", OpenSSL "));
}

BOOST_AUTO_TEST_CASE(help_that_cannot_be_printed_is_a_failure) {
  process command({"sh", "-c", "exec \"$0\" --help >/dev/full", COTLS_TOOL});
  BOOST_TEST(command.wait() == 1);
  BOOST_TEST(complaint(command) == "writing the output failed");
}

BOOST_AUTO_TEST_CASE(a_port_where_nobody_listens_is_no_connection) {
  for (char const* name : {"connect", "inspect"}) {
    // Port 1 is nobody's.
    process command(tool({name, "127.0.0.1:1"}));
    BOOST_TEST(command.wait() == 3);
    BOOST_TEST(complaint(command) ==
               "connecting to 127.0.0.1:1 failed: Connection refused [system: 111]");
  }
}

BOOST_AUTO_TEST_CASE(a_host_that_is_none_is_no_connection) {
  process command(tool({"connect", "no.such.host.invalid"}));
  BOOST_TEST(command.wait() == 3);
  BOOST_TEST(complaint(command).starts_with("looking up no.such.host.invalid failed: "));
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_is_told) {
  serving_tool first({"--echo"});
  process second(tool({"serve", std::to_string(first.port()), "--echo"}));
  BOOST_TEST(second.wait() == 1);
  BOOST_TEST(complaint(second).find("Address already in use") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_is_opened_by_the_password_of_a_file) {
  temporary_directory const directory;
  identity const own = make_self_signed({"localhost"});
  std::string const certificate = directory.write("c.pem", own.chain().leaf().pem());
  std::string const plain = directory.write("k.pem", own.key().pem());
  std::string const locked = (directory.path() / "locked.pem").string();
  process openssl({"openssl", "pkcs8", "-topk8", "-in", plain, "-out", locked, "-passout",
                   "pass:open sesame"});
  BOOST_TEST(openssl.wait() == 0);

  std::string const right = directory.write("right", "open sesame\r\nand more\n");
  serving_tool with({"--echo", "--cert", certificate, "--key", locked, "--password-file", right});
  std::string const wrong = directory.write("wrong", "please\n");
  process without(tool({"serve", "0", "--echo", "--cert", certificate, "--key", locked,
                        "--password-file", wrong}));
  BOOST_TEST(without.wait() == 1);
  BOOST_TEST(complaint(without).find("[cotls: wrong_password]") != std::string::npos);

  process none(tool({"serve", "0", "--echo", "--cert", certificate, "--key", locked}));
  BOOST_TEST(none.wait() == 1);
  BOOST_TEST(complaint(none).find("give its password with --password-file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_chain_in_the_wrong_order_is_called_that) {
  temporary_directory const directory;
  authority const root("a root");
  issued const own = root.issue(certificate_request({"localhost"}));
  std::string const chain = directory.write("c.pem", root.pem() + own.certificate);
  process command(tool({"serve", "0", "--echo", "--cert", chain, "--key",
                        directory.write("k.pem", own.key)}));
  BOOST_TEST(command.wait() == 1);
  BOOST_TEST(complaint(command).find("belongs to a later certificate of the chain") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
