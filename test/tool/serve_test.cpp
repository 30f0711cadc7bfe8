// `cotls serve` over the wire: the commands of --exec, and what is the same whatever is served.

#include "print.hpp"
#include "process.hpp"
#include "serve_client.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <sys/stat.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace cotls::test {

namespace {

using client = serve_client;
using std::chrono::seconds;

// A server that was told to end has heard of it.
void wait_until_nobody_is_accepted(serving_tool const& server) {
  asio::io_context context;
  error_code refused;
  while (!refused) {
    asio::ip::tcp::socket another(context);
    another.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())},
                    refused);
  }
}

// A server, and a client that has connected and never speaks. The good client came after it, so
// that the silent one is accepted when the good one is answered.
struct silently_connected {
  silently_connected() : server({"--echo", "--timeout", "600"}), silent(context) {
    silent.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())});
    good = std::make_unique<client>(server);
    good->send("hello\n");
    BOOST_TEST(good->line() == "hello");
  }

  serving_tool server;
  asio::io_context context;
  asio::ip::tcp::socket silent;
  std::unique_ptr<client> good;
};

// A command that lasts: as long as it, or what it started, is there, it can write into a FIFO.
struct lasting_command {
  explicit lasting_command(std::string const& first = {}, std::string const& last = "sleep 1000")
      : server({"--exec", script(first, last)}) {}

  std::string script(std::string const& first, std::string const& last) {
    std::string const fifo = (directory.path() / "fifo").string();
    ::mkfifo(fifo.c_str(), 0600);
    last_words = std::make_unique<process>(std::vector<std::string>{"cat", fifo});
    return first + "exec 3>'" + fifo + "'; echo ready; " + last + "; echo never";
  }

  int wait_for_its_end() { return last_words->wait(); }

  temporary_directory directory;
  std::unique_ptr<process> last_words;
  serving_tool server;
};

struct stubborn_command : lasting_command {
  stubborn_command() : lasting_command("trap '' TERM; ") {}
};

// A signal that comes between two programs of a shell's is heard when the second ends.
struct polite_command : lasting_command {
  polite_command()
      : lasting_command("trap 'echo goodbye >&3; exit' TERM; ", "while :; do sleep 0.1; done") {}
};

// A limit is the shell's to set: the soft one is what a program begins with, the hard one what it
// may have.
struct few_descriptors {
  explicit few_descriptors(std::string const& limit, std::string const& more = {})
      : program({"sh", "-c",
                 "ulimit " + limit + " 24; exec \"$0\" serve 0 --echo " + more, COTLS_TOOL}),
        port(std::stoi(program.line_after("listening on 127.0.0.1:"))) {}

  blocking::stream connect() const {
    blocking::stream made =
        blocking::connect("localhost", port, client_context().set_verify(verify::none));
    made.set_timeout(seconds(20));
    return made;
  }

  process program;
  int port;
};

bool echoes(blocking::stream& over) {
  char byte = 'x';
  over.write(asio::buffer(&byte, 1));
  return over.read(asio::buffer(&byte, 1)) == 1u;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_serve_exec)

BOOST_AUTO_TEST_CASE(each_client_has_a_command_of_its_own) {
  serving_tool server({"--exec", "read line; echo \"$$ $line\""});
  client one(server);
  client two(server);
  two.send("second\n");
  one.send("first\n");
  std::string const first = one.line();
  std::string const second = two.line();
  BOOST_TEST(first.ends_with(" first"));
  BOOST_TEST(second.ends_with(" second"));
  BOOST_TEST(first.substr(0, first.find(' ')) != second.substr(0, second.find(' ')));
  BOOST_TEST(one.has_ended());
}

BOOST_AUTO_TEST_CASE(the_end_of_what_is_sent_is_the_end_of_its_input) {
  serving_tool server({"--exec", "wc -c; echo end"});
  client one(server);
  one.send(std::string(100'000, 'a'));
  one.stream().close_write();
  BOOST_TEST(one.rest() == "100000\nend\n");
}

BOOST_AUTO_TEST_CASE(nothing_that_a_client_sends_is_run) {
  serving_tool server({"--exec", "cat"});
  client one(server);
  std::string const text = "$(echo bad) `echo bad`; echo bad";
  one.send(text + '\n');
  BOOST_TEST(one.line() == text);
}

BOOST_AUTO_TEST_CASE(a_command_that_reads_nothing_is_heard) {
  serving_tool server({"--exec", "exec <&-; echo heard"});
  client one(server);
  one.send(std::string(300'000, 'a'));
  BOOST_TEST(one.line() == "heard");
  BOOST_TEST(one.has_ended());
}

// The server ignores what a command should end of, such as `yes` in `yes | head`.
BOOST_AUTO_TEST_CASE(a_command_does_not_ignore_what_the_server_does) {
  serving_tool server({"--exec", "kill -s PIPE $$; echo ignored"});
  client one(server);
  BOOST_TEST(one.rest() == "");
}

// Otherwise it would go on for ever, and so would all that it started.
BOOST_FIXTURE_TEST_CASE(a_command_ends_when_its_client_goes_away, lasting_command) {
  {
    client one(server);
    BOOST_TEST(one.line() == "ready");
  }
  BOOST_TEST(wait_for_its_end() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_command_ends_when_the_server_does, lasting_command) {
  client one(server);
  BOOST_TEST(one.line() == "ready");
  server.program().signal(SIGTERM);
  BOOST_TEST(one.has_ended());
  one.say_goodbye();
  BOOST_TEST(server.program().wait() == 0);
  BOOST_TEST(wait_for_its_end() == 0);
}

// A process for each client, and no more.
BOOST_AUTO_TEST_CASE(no_more_commands_run_than_clients_may_be) {
  serving_tool server({"--exec", "ps --no-headers --ppid $PPID -o pid= | wc -l; cat",
                       "--max-clients", "2"});
  std::vector<std::unique_ptr<client>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<client>(server));
  for (auto const& each : clients) {
    BOOST_TEST(std::stoi(each->line()) <= 2);
    each->say_goodbye();
  }
}

BOOST_FIXTURE_TEST_CASE(told_twice_it_kills_at_once, stubborn_command) {
  client one(server);
  BOOST_TEST(one.line() == "ready");
  server.program().signal(SIGTERM);
  wait_until_nobody_is_accepted(server);
  server.program().signal(SIGTERM);
  BOOST_TEST(server.program().wait(seconds(2)) == 0);   // commands are given three
  BOOST_TEST(wait_for_its_end() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_will_not_end_is_killed, stubborn_command) {
  client one(server);
  BOOST_TEST(one.line() == "ready");
  server.program().signal(SIGTERM);
  BOOST_TEST(server.program().wait() == 0);
  BOOST_TEST(wait_for_its_end() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_command_has_time_to_end_itself, polite_command) {
  client one(server);
  BOOST_TEST(one.line() == "ready");
  server.program().signal(SIGTERM);
  BOOST_TEST(wait_for_its_end() == 0);
  BOOST_TEST(last_words->output() == "goodbye\n");
}

// A command that held another client's connection would keep it from its end. `ls` itself opens 3.
BOOST_AUTO_TEST_CASE(a_command_inherits_nothing_of_the_servers) {
  serving_tool server({"--exec", "exec ls /proc/self/fd"});
  client one(server);
  client two(server);
  BOOST_TEST(two.rest() == "0\n1\n2\n3\n");
}

BOOST_AUTO_TEST_CASE(commands_that_have_ended_are_reaped) {
  serving_tool server({"--exec", "ps --no-headers --ppid $PPID -o stat= | tr -d '\\n'"});
  for (int i = 0; i < 3; ++i) {
    client one(server);
    std::string const states = one.rest();
    BOOST_TEST(states.find('Z') == std::string::npos, states);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tool_serve)

BOOST_AUTO_TEST_CASE(a_client_of_plain_http_is_answered_and_reported) {
  serving_tool server({"--echo", "-v"});
  asio::io_context context;
  asio::ip::tcp::socket plain(context);
  plain.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())});
  asio::write(plain, asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
  std::string answer;
  error_code ended;
  asio::read(plain, asio::dynamic_buffer(answer), ended);
  BOOST_TEST(ended == asio::error::eof);
  BOOST_TEST(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), answer);
  BOOST_TEST(answer.ends_with(
      "\r\n\r\n400 Bad Request: this port speaks HTTPS; use a https:// URL\n"));
  BOOST_TEST(server.program().prints("the client speaks plain HTTP"));
  client good(server);
  good.send("x");
  char byte = 0;
  BOOST_TEST(good.stream().read_some(asio::buffer(&byte, 1)) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_client_that_never_speaks_does_not_keep_it, silently_connected) {
  server.program().signal(SIGTERM);
  BOOST_TEST(good->has_ended());
  BOOST_TEST(server.program().wait() == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_tls_and_no_http_is_not_answered) {
  serving_tool server({"--echo", "-v"});
  asio::io_context context;
  asio::ip::tcp::socket plain(context);
  plain.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())});
  asio::write(plain, asio::buffer("HELO client.example\r\n", 21));
  std::string answer;
  error_code ended;
  asio::read(plain, asio::dynamic_buffer(answer), ended);
  BOOST_TEST(answer.find("HTTP") == std::string::npos);
}

// They are not refused: each is served when one of those before it has gone.
BOOST_AUTO_TEST_CASE(clients_beyond_the_limit_wait) {
  serving_tool server({"--echo", "--max-clients", "2"});
  client one(server);
  client two(server);
  for (client* each : {&one, &two}) {
    each->send("hello\n");
    BOOST_TEST(each->line() == "hello");
  }
  client waiting(server);   // its handshake is done
  waiting.send("hello\n");
  error_code nothing;
  char byte = 0;
  waiting.stream().set_timeout(std::chrono::milliseconds(200));
  waiting.stream().read_some(asio::buffer(&byte, 1), nothing);
  BOOST_TEST(nothing == asio::error::timed_out);
  waiting.stream().set_timeout(seconds(20));
  one.say_goodbye();
  BOOST_TEST(waiting.line() == "hello");
}

BOOST_AUTO_TEST_CASE(clients_that_wait_are_said_goodbye_to_when_it_ends) {
  serving_tool server({"--echo", "--max-clients", "1"});
  client served(server);
  served.send("hello\n");
  BOOST_TEST(served.line() == "hello");
  client waiting(server);
  server.program().signal(SIGTERM);
  BOOST_TEST(waiting.has_ended());
  waiting.say_goodbye();
  served.say_goodbye();
  BOOST_TEST(server.program().wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(told_twice_it_ends_at_once, silently_connected) {
  server.program().signal(SIGTERM);
  good->say_goodbye();
  wait_until_nobody_is_accepted(server);
  server.program().signal(SIGTERM);
  BOOST_TEST(server.program().wait(seconds(3)) == 0);
}

BOOST_AUTO_TEST_CASE(as_many_are_served_as_the_system_lets_it) {
  few_descriptors server("-S -n");
  std::vector<blocking::stream> clients;
  while (clients.size() < 40) {
    clients.push_back(server.connect());
    BOOST_TEST(echoes(clients.back()));
  }
}

// The crowd is let in as those before it are cut off: in between there is no descriptor left, again
// and again. Who comes last is served after all of them.
BOOST_AUTO_TEST_CASE(a_lack_of_descriptors_is_told_once_and_survived) {
  few_descriptors server("-n", "--timeout 0.5");
  asio::io_context context;
  std::vector<asio::ip::tcp::socket> crowd;
  while (crowd.size() < 25) {
    crowd.emplace_back(context).connect(
        {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port)});
  }
  blocking::stream last = server.connect();
  BOOST_TEST(echoes(last));
  last.shutdown();
  server.program.signal(SIGTERM);
  BOOST_TEST(server.program.wait() == 0);
  std::string const& said = server.program.errors();
  std::string const told = "accepting clients failed: Too many open files [system: 24]\n";
  BOOST_TEST(said.find(told) != std::string::npos, said);
  BOOST_TEST(said.find(told) + told.size() == said.size(), said);   // nor a word of the crowd
}

BOOST_AUTO_TEST_CASE(its_own_certificate_is_for_the_names_it_is_given) {
  serving_tool server({"--echo", "--name", "a.test", "--name", "192.0.2.7"});
  auto const own = certificate_chain::from_pem_file(server.root_file()).leaf();
  BOOST_TEST((own.names() == std::vector<std::string>{"a.test", "192.0.2.7"}));
  BOOST_TEST(server.program().line_after("certificate: SHA-256 ") == own.fingerprint());
}

BOOST_AUTO_TEST_CASE(a_certificate_that_expires_soon_is_warned_of_once) {
  using std::chrono::hours;
  auto const said_for = [](seconds left) {
    temporary_directory const directory;
    identity const who = make_self_signed(
        {"localhost"}, self_signed_options().valid(-hours(24 * 30), left));
    std::string const file =
        directory.write("both.pem", who.chain().leaf().pem() + who.key().pem());
    serving_tool server({"--echo", "--cert", file});
    std::string said = server.program().errors();   // up to "listening", which was waited for
    for (std::size_t at; (at = said.find(file)) != std::string::npos;) {
      said.replace(at, file.size(), "FILE");
    }
    return said.substr(0, said.find("listening on "));
  };
  std::string const warning = "warning: a certificate of FILE ";
  BOOST_TEST(said_for(hours(24 * 15)) == "");
  BOOST_TEST(said_for(hours(24 * 14)) == warning + "expires in 13 days\n");
  BOOST_TEST(said_for(hours(25)) == warning + "expires in 1 day\n");
  BOOST_TEST(said_for(hours(3) + seconds(60)) == warning + "expires in 3 hours\n");
  BOOST_TEST(said_for(seconds(630)) == warning + "expires in 10 minutes\n");
  BOOST_TEST(said_for(-hours(49)) == warning + "expired 2 days ago\n");
}

BOOST_AUTO_TEST_CASE(idle_echoes_are_cut_off_when_asked) {
  serving_tool server({"--echo", "--idle-timeout", "0.2"});
  client one(server);
  BOOST_TEST(one.has_ended());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
