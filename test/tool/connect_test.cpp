// `cotls connect` and `cotls serve`, one at the other's end.

#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace cotls::test {
namespace {

std::string much_text() {
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += std::to_string(i) + '\n';
  return text;
}

process connect_to(serving_tool const& server, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"connect", server.address(), "--ca", server.root_file()};
  words.insert(words.end(), more.begin(), more.end());
  return process(tool(words));
}

// The command run by the shell, which connects its input and output to other things.
process by_shell(serving_tool const& server, std::string const& script) {
  return process({"sh", "-c", script, COTLS_TOOL, server.address(), server.root_file()});
}

// A server that accepts one connection and does something with it.
class one_guest {
 public:
  template <class Treat>
  one_guest(identity const& who, Treat treat)
      : listener_({asio::ip::address_v4::loopback(), 0}, server_context().use(who)),
        thread_([this, treat] {
          try {
            auto guest = listener_.accept();
            treat(guest);
          } catch (error const&) {
          }
        }) {}

  int port() const { return listener_.port(); }

 private:
  blocking::listener listener_;
  std::jthread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_connect)

BOOST_AUTO_TEST_CASE(what_is_sent_comes_back_whole) {
  serving_tool server({"--echo"});
  process client = connect_to(server);
  std::string const text = much_text();
  client.give(text);
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST((client.output() == text));
  BOOST_TEST(client.errors() == "");
}

BOOST_AUTO_TEST_CASE(both_directions_go_on_at_once) {
  serving_tool server({"--echo"});
  process client = connect_to(server);
  for (char const* line : {"one\n", "two\n", "three\n"}) {
    client.give(line);
    BOOST_TEST(client.prints(line));
  }
  client.end_input();
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(files_are_read_and_written) {
  temporary_directory const directory;
  serving_tool server({"--echo"});
  std::string const text = much_text();
  directory.write("in", text);
  process client({"sh", "-c", "\"$0\" connect \"$1\" --ca \"$2\" <in >out && cmp in out",
                  COTLS_TOOL, server.address(), server.root_file()},
                 directory.path());
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(nothing_to_send_is_an_end_too) {
  serving_tool server({"--echo"});
  process client = by_shell(server, "exec \"$0\" connect \"$1\" --ca \"$2\" </dev/null");
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(closed_descriptors_are_nobody_elses) {
  serving_tool server({"--echo"});
  process client = by_shell(server, "exec \"$0\" connect \"$1\" --ca \"$2\" <&- >&-");
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(an_output_that_is_read_no_more_is_a_failure) {
  serving_tool server({"--echo"});
  process client = by_shell(
      server, "{ yes | \"$0\" connect \"$1\" --ca \"$2\"; echo \"exit $?\" >&2; } | head -n 1");
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "y\n");
  BOOST_TEST(client.errors() == "cotls: writing the output failed: Broken pipe\nexit 1\n");
}

// The mode is the shell's as much as ours: left non-blocking, its next read would fail.
BOOST_AUTO_TEST_CASE(standard_input_and_output_keep_their_mode) {
  serving_tool server({"--exec", "exit"});
  process shell = by_shell(
      server,
      "exec 3>&1; modes() { grep flags /proc/self/fdinfo/0 /proc/self/fdinfo/3 >&2; }; "
      "modes; \"$0\" connect \"$1\" --ca \"$2\"; modes");
  BOOST_TEST(shell.wait() == 0);
  std::string const both = shell.errors();
  BOOST_TEST(both.size() > 0u);
  BOOST_TEST(both.substr(0, both.size() / 2) == both.substr(both.size() / 2));
}

BOOST_AUTO_TEST_CASE(it_tells_what_was_negotiated) {
  serving_tool server({"--echo", "--alpn", "one,two"});
  process client = connect_to(server, {"-v", "--alpn", "two", "--tls1.2", "--ciphers",
                                       "ECDHE-ECDSA-AES128-GCM-SHA256"});
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  std::string const port = std::to_string(server.port());
  BOOST_TEST(client.errors().starts_with("connected to localhost:" + port + " (127.0.0.1:" + port +
                                         ")\nTLSv1.2, ECDHE-ECDSA-AES128-GCM-SHA256, "));
  BOOST_TEST(client.errors().ends_with(
      ", ALPN two\nverified: CN=localhost; issuer: CN=localhost\n"));
}

BOOST_AUTO_TEST_CASE(an_unknown_authority_is_refused) {
  serving_tool server({"--echo"});
  serving_tool other({"--echo"});
  process client(tool({"connect", server.address(), "--ca", other.root_file()}));
  BOOST_TEST(client.wait() == 4);
  BOOST_TEST(client.errors().find("is self-signed and not a trusted root") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(another_host_is_refused) {
  serving_tool server({"--echo", "--name", "elsewhere.test"});
  process client = connect_to(server);
  BOOST_TEST(client.wait() == 4);
  BOOST_TEST(client.errors().find("is for another host name") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(another_host_may_be_asked_for) {
  serving_tool server({"--echo", "--name", "elsewhere.test"});
  process client = connect_to(server, {"--servername", "elsewhere.test"});
  client.end_input();
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(who_verifies_nothing_is_told_so) {
  serving_tool server({"--echo", "--name", "elsewhere.test"});
  process client(tool({"connect", server.address(), "--insecure", "-v"}));
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.errors().find("NOT VERIFIED: CN=elsewhere.test") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_cut_is_no_end) {
  identity const who = make_self_signed({"localhost"});
  temporary_directory const directory;
  std::string const root = directory.write("root.pem", who.chain().leaf().pem());
  one_guest server(who, [](blocking::stream& guest) { guest.write(asio::buffer("half", 4)); });
  process client(tool({"connect", "localhost:" + std::to_string(server.port()), "--ca", root}));
  BOOST_TEST(client.wait() == 5);
  BOOST_TEST(client.output() == "half");
  BOOST_TEST(client.errors().find("[cotls: stream_truncated]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_says_nothing_is_given_up) {
  asio::io_context context;
  asio::ip::tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
  process client(tool({"connect", "127.0.0.1:" + std::to_string(silent.local_endpoint().port()),
                       "--timeout", "0.2"}));
  BOOST_TEST(client.wait() == 4);
  BOOST_TEST(client.errors().find("[cotls: handshake_timeout]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_it_as_its_sender_expects) {
  serving_tool server({"--echo"});
  process client = connect_to(server);
  client.give("x\n");
  BOOST_TEST(client.prints("x\n"));
  client.signal(SIGTERM);
  BOOST_TEST(client.wait() == 128 + SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_client_is_let_in_by_its_certificate) {
  temporary_directory const directory;
  identity const who = make_self_signed({"client.test"});
  std::string const certificate =
      directory.write("client.pem", who.chain().leaf().pem() + who.key().pem());
  serving_tool server({"--echo", "--client-ca", certificate});
  process known = connect_to(server, {"--cert", certificate});
  known.give("hello\n");
  known.end_input();
  BOOST_TEST(known.wait() == 0);
  BOOST_TEST(known.output() == "hello\n");

  process stranger = connect_to(server);
  BOOST_TEST(stranger.wait() == 4);
  BOOST_TEST(stranger.errors().find("certificate_required") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
