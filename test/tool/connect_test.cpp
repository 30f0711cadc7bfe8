// `cotls connect` and `cotls serve`, one at the other's end.

#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/blocking.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <future>
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

// An echo ends when it is told to, and not before: the server is told of the input's end.
process connect_to(serving_tool const& server, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"connect", server.address(), "--ca", server.root_file(),
                                 "--half-close"};
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
  void wait() { thread_.join(); }

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

// Many servers take a client's close_notify for the end of all, and answer no more: as nothing can
// tell them from those that have no more to say, they are not told of the input's end.
BOOST_AUTO_TEST_CASE(the_end_of_the_input_does_not_cut_the_answer_off) {
  identity const who = make_self_signed({"localhost"});
  temporary_directory const directory;
  std::string const root = directory.write("root.pem", who.chain().leaf().pem());
  std::promise<void> input_ended;
  error_code before;
  error_code after;
  one_guest server(who, [&](blocking::stream& guest) {
    std::string request(4, '\0');
    guest.read(asio::buffer(request));
    input_ended.get_future().wait();
    char byte = 0;
    guest.set_timeout(std::chrono::milliseconds(200));
    guest.read(asio::buffer(&byte, 1), before);
    guest.set_timeout(std::chrono::seconds(20));
    guest.write(asio::buffer("answer", 6));
    guest.close_write();
    guest.read(asio::buffer(&byte, 1), after);
  });
  process client(tool({"connect", "localhost:" + std::to_string(server.port()), "--ca", root}));
  client.give("ask\n");
  client.end_input();
  input_ended.set_value();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "answer");
  server.wait();
  BOOST_TEST(before == asio::error::timed_out);   // it is kept waiting for more
  BOOST_TEST(after == asio::error::eof);          // and said goodbye to in the end
}

BOOST_AUTO_TEST_CASE(a_server_that_falls_silent_when_told_of_the_end_is_a_failure) {
  identity const who = make_self_signed({"localhost"});
  temporary_directory const directory;
  std::string const root = directory.write("root.pem", who.chain().leaf().pem());
  one_guest server(who, [](blocking::stream& guest) {
    error_code end;
    std::string request(100, '\0');
    guest.read(asio::buffer(request), end);
    guest.shutdown();
  });
  process client(tool({"connect", "localhost:" + std::to_string(server.port()), "--ca", root,
                       "--half-close"}));
  client.give("ask\n");
  client.end_input();
  BOOST_TEST(client.wait() == 5);
  BOOST_TEST(client.output() == "");
  BOOST_TEST(client.errors() ==
             "cotls: the server ended without an answer when it was told of the input's end: leave "
             "--half-close out\n");
}

BOOST_AUTO_TEST_CASE(a_url_is_connected_to) {
  serving_tool server({"--echo"});
  process client(tool({"connect", server.url("/some/page?a=b"), "--ca", server.root_file(),
                       "--half-close"}));
  client.give("x\n");
  client.end_input();
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "x\n");
}

BOOST_AUTO_TEST_CASE(files_are_read_and_written) {
  temporary_directory const directory;
  serving_tool server({"--echo"});
  std::string const text = much_text();
  directory.write("in", text);
  process client({"sh", "-c",
                  "\"$0\" connect \"$1\" --ca \"$2\" --half-close <in >out && cmp in out",
                  COTLS_TOOL, server.address(), server.root_file()},
                 directory.path());
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(nothing_to_send_is_an_end_too) {
  serving_tool server({"--echo"});
  process client =
      by_shell(server, "exec \"$0\" connect \"$1\" --ca \"$2\" --half-close </dev/null");
  BOOST_TEST(client.wait() == 0);
}

BOOST_AUTO_TEST_CASE(closed_descriptors_are_nobody_elses) {
  serving_tool server({"--echo"});
  process client = by_shell(server, "exec \"$0\" connect \"$1\" --ca \"$2\" --half-close <&- >&-");
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
  process client(tool({"connect", server.address(), "--insecure", "-v", "--half-close"}));
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

BOOST_AUTO_TEST_CASE(a_server_that_never_says_goodbye_may_be_tolerated) {
  identity const who = make_self_signed({"localhost"});
  temporary_directory const directory;
  std::string const root = directory.write("root.pem", who.chain().leaf().pem());
  one_guest server(who, [](blocking::stream& guest) { guest.write(asio::buffer("all", 3)); });
  process client(tool({"connect", "localhost:" + std::to_string(server.port()), "--ca", root,
                       "--ignore-unexpected-eof"}));
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "all");
  BOOST_TEST(client.errors() == "");
}

// What ends a handshake ends it there, whoever says so.
BOOST_AUTO_TEST_CASE(a_connection_that_is_cut_in_the_handshake_has_failed_there) {
  for (bool const resets : {false, true}) {
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    process client(
        tool({"connect", "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())}));
    asio::ip::tcp::socket guest = acceptor.accept();
    char byte = 0;
    asio::read(guest, asio::buffer(&byte, 1));   // of its hello, which is read no further
    if (!resets) {
      guest.shutdown(asio::ip::tcp::socket::shutdown_send);
      error_code ended;
      std::string rest(4096, '\0');
      while (!ended) guest.read_some(asio::buffer(rest), ended);
    }
    guest.close();   // over unread input it is a reset
    BOOST_TEST(client.wait() == 4);
    std::string const said = resets ? "Connection reset" : "[cotls: handshake_truncated]";
    BOOST_TEST(client.errors().find(said) != std::string::npos, client.errors());
  }
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
  process old_stranger = connect_to(server, {"--tls1.2"});
  BOOST_TEST(old_stranger.wait() == 4);
  for (process const* each : {&stranger, &old_stranger}) {
    BOOST_TEST(each->errors().find("the peer asks for a certificate and was given none") !=
                   std::string::npos,
               each->errors());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
