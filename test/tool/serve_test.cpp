// `cotls serve` over the wire, from clients that behave and clients that do not.

#include "print.hpp"
#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace cotls::test {
namespace {

using std::chrono::seconds;

// A directory with a small and a large file, served.
struct served_directory {
  explicit served_directory(std::vector<std::string> more = {})
      : server(with_directory(std::move(more))) {}

  std::vector<std::string> with_directory(std::vector<std::string> more) {
    large.resize(3'000'000);
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i * 7 % 23);
    files.write("index.html", "<p>home");
    files.write("large.bin", large);
    more.insert(more.end(), {"--www", files.path().string()});
    return more;
  }

  std::string large;
  temporary_directory files;
  serving_tool server;
};

struct impatient_directory : served_directory {
  impatient_directory() : served_directory({"--idle-timeout", "0.5", "-v"}) {}
};

// A client that sends what it is told to, and takes answers apart.
class client {
 public:
  explicit client(serving_tool const& server) {
    client_context context;
    context.load_verify_roots(server.root_file());
    stream_ = blocking::connect("localhost", server.port(), context);
    stream_.set_timeout(seconds(20));
  }

  void send(std::string const& text) { stream_.write(asio::buffer(text)); }

  void get(std::string const& target, std::string const& fields = {}) {
    send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  }

  // Returns the next answer's status, and keeps its content.
  int answer(bool has_content = true) {
    while (received_.find("\r\n\r\n") == std::string::npos) receive();
    std::size_t const end = received_.find("\r\n\r\n") + 4;
    head = received_.substr(0, end);
    std::size_t const field = head.find("Content-Length: ");
    std::size_t const size =
        field == std::string::npos || !has_content ? 0 : std::stoul(head.substr(field + 16));
    while (received_.size() < end + size) receive();
    content = received_.substr(end, size);
    received_.erase(0, end + size);
    return std::stoi(head.substr(9));
  }

  // Whether the server says goodbye, and nothing more before it.
  bool has_ended() {
    error_code code;
    char byte = 0;
    std::size_t const got = stream_.read_some(asio::buffer(&byte, 1), code);
    return got == 0 && code == asio::error::eof && received_.empty();
  }

  // Answers the goodbye of a server, which waits two seconds for that, or says it first.
  void say_goodbye() {
    error_code ignored;   // a server may be in a hurry
    stream_.shutdown(ignored);
  }

  // Returns all until the server's end.
  std::string rest() {
    error_code code;
    std::string text(1 << 20, '\0');
    text.resize(stream_.read(asio::buffer(text), code));
    BOOST_TEST(code == asio::error::eof);
    return text;
  }

  // Returns a line of text.
  std::string line() {
    std::string text;
    for (char byte = 0; byte != '\n'; text += byte) stream_.read(asio::buffer(&byte, 1));
    text.pop_back();
    return text;
  }

  blocking::stream& stream() { return stream_; }

  std::string head;
  std::string content;

 private:
  void receive() {
    std::string chunk(65536, '\0');
    chunk.resize(stream_.read_some(asio::buffer(chunk)));
    received_ += chunk;
  }

  blocking::stream stream_;
  std::string received_;
};

// A client that asks for much, and reads little of it.
struct stuck_client : served_directory {
  stuck_client() : stuck(server) {
    for (int i = 0; i < 10; ++i) stuck.get("/large.bin");
    BOOST_TEST(stuck.answer() == 200);
  }

  client stuck;
};

// A server, and a client that has connected and never speaks. The good client came after it, so
// that the silent one is accepted when the good one is answered.
struct silently_connected {
  silently_connected() : server({"--echo", "--timeout", "600"}), silent(context) {
    silent.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())});
    good = std::make_unique<client>(server);
    good->send("hello\n");
    BOOST_TEST(good->line() == "hello");
  }

  void wait_until_nobody_is_accepted() {
    error_code refused;
    while (!refused) {
      asio::ip::tcp::socket another(context);
      another.connect(silent.remote_endpoint(), refused);
    }
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

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tool_serve_www, served_directory)

BOOST_AUTO_TEST_CASE(requests_follow_each_other_on_a_connection) {
  client one(server);
  for (int i = 0; i < 3; ++i) {
    one.get("/");
    BOOST_TEST(one.answer() == 200);
    BOOST_TEST(one.content == "<p>home");
    one.get("/missing");
    BOOST_TEST(one.answer() == 404);
  }
}

BOOST_AUTO_TEST_CASE(requests_that_come_together_are_answered_in_order) {
  client one(server);
  std::string const home = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string const missing = "GET /missing HTTP/1.1\r\nHost: h\r\n\r\n";
  one.send(home + missing + "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + home);
  BOOST_TEST(one.answer() == 200);
  BOOST_TEST(one.answer() == 404);
  BOOST_TEST(one.answer(false) == 200);
  BOOST_TEST(one.answer() == 200);
  BOOST_TEST(one.content == "<p>home");
}

BOOST_AUTO_TEST_CASE(a_request_may_come_byte_by_byte) {
  client one(server);
  for (char const byte : std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) one.send({byte});
  BOOST_TEST(one.answer() == 200);
}

BOOST_AUTO_TEST_CASE(a_large_file_comes_whole_and_in_part) {
  client one(server);
  one.get("/large.bin");
  BOOST_TEST(one.answer() == 200);
  BOOST_TEST((one.content == large));
  one.get("/large.bin", "Range: bytes=1000000-2000000\r\n");
  BOOST_TEST(one.answer() == 206);
  BOOST_TEST((one.content == large.substr(1'000'000, 1'000'001)));
  one.get("/");
  BOOST_TEST(one.answer() == 200);
}

// What one send takes is the head and a beginning of the file, or a chunk of it.
BOOST_AUTO_TEST_CASE(a_file_comes_whole_at_the_ends_of_chunks) {
  client one(server);
  for (std::size_t const size : {0, 1, 65'000, 65'535, 65'536, 65'537, 131'072}) {
    files.write("sized", large.substr(0, size));
    one.get("/sized");
    BOOST_TEST(one.answer() == 200);
    BOOST_TEST((one.content == large.substr(0, size)));
  }
}

BOOST_AUTO_TEST_CASE(the_client_may_end_it) {
  client one(server);
  one.get("/", "Connection: close\r\n");
  BOOST_TEST(one.answer() == 200);
  BOOST_TEST(one.head.find("\r\nConnection: close\r\n") != std::string::npos);
  BOOST_TEST(one.has_ended());
}

BOOST_AUTO_TEST_CASE(http_1_0_ends_it_unless_it_is_asked_not_to) {
  client one(server);
  one.send("GET / HTTP/1.0\r\n\r\n");
  BOOST_TEST(one.answer() == 200);
  BOOST_TEST(one.has_ended());
  client two(server);
  two.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  BOOST_TEST(two.answer() == 200);
  BOOST_TEST(two.head.find("\r\nConnection: keep-alive\r\n") != std::string::npos);
  two.send("GET / HTTP/1.0\r\n\r\n");
  BOOST_TEST(two.answer() == 200);
  BOOST_TEST(two.has_ended());
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_answered_and_ends_it) {
  client one(server);
  one.send("nonsense\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  BOOST_TEST(one.answer() == 400);
  BOOST_TEST(one.has_ended());
}

// The content could be taken for a request: it is the one thing that must never be.
BOOST_AUTO_TEST_CASE(content_is_never_a_request) {
  std::string const inner = "GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::string const& length :
       {"Content-Length: " + std::to_string(inner.size()),
        std::string("Transfer-Encoding: chunked")}) {
    client one(server);
    one.send("GET / HTTP/1.1\r\nHost: h\r\n" + length + "\r\n\r\n" + inner);
    BOOST_TEST(one.answer() == 200);
    BOOST_TEST(one.content == "<p>home");
    BOOST_TEST(one.has_ended());
  }
}

BOOST_AUTO_TEST_CASE(a_request_without_end_is_refused) {
  client one(server);
  one.send("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a'));
  BOOST_TEST(one.answer() == 431);
  BOOST_TEST(one.has_ended());
}

BOOST_AUTO_TEST_CASE(a_client_that_is_slow_holds_up_no_other) {
  client slow(server);
  slow.send("GET / HT");
  client stuck(server);   // asks for much, and reads nothing of it
  for (int i = 0; i < 10; ++i) stuck.get("/large.bin");
  client quick(server);
  quick.get("/");
  BOOST_TEST(quick.answer() == 200);
  slow.send("TP/1.1\r\nHost: h\r\n\r\n");
  BOOST_TEST(slow.answer() == 200);
  for (int i = 0; i < 10; ++i) BOOST_TEST(stuck.answer() == 200);
}

BOOST_AUTO_TEST_CASE(it_ends_when_told_to_and_says_goodbye) {
  client idle(server);
  idle.get("/");
  BOOST_TEST(idle.answer() == 200);
  client beginning(server);
  beginning.send("GET / HT");
  // Sooner than what is in progress would be cut off.
  for (client* each : {&idle, &beginning}) each->stream().set_timeout(seconds(3));
  server.program().signal(SIGTERM);
  for (client* each : {&idle, &beginning}) {
    BOOST_TEST(each->has_ended());
    each->say_goodbye();
  }
  BOOST_TEST(server.program().wait() == 0);
}

// Nobody waits for a request of a client whose handshake was in progress.
BOOST_AUTO_TEST_CASE(a_client_that_is_let_in_while_it_ends_is_said_goodbye_to) {
  asio::io_context context;
  asio::ip::tcp::socket connected(context);
  connected.connect(
      {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())});
  client good(server);   // came after it, which is accepted, too
  good.get("/");
  BOOST_TEST(good.answer() == 200);
  server.program().signal(SIGTERM);
  BOOST_TEST(good.has_ended());
  blocking::stream late(connected.release(), client_context().set_verify(verify::none));
  late.handshake();
  late.set_timeout(seconds(3));   // sooner than what is in progress would be cut off
  error_code ended;
  char byte = 0;
  late.read_some(asio::buffer(&byte, 1), ended);
  BOOST_TEST(ended == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_request_in_progress_is_answered_before_it_ends) {
  client one(server);
  for (int i = 0; i < 5; ++i) one.get("/large.bin");
  BOOST_TEST(one.answer() == 200);
  server.program().signal(SIGINT);
  // Nobody is accepted any more: what comes now is not in the buffers since long ago.
  while (true) {
    try {
      client another(server);
    } catch (error const&) {
      break;
    }
  }
  BOOST_TEST(one.answer() == 200);
  BOOST_TEST((one.content == large));
  one.say_goodbye();
  BOOST_TEST(server.program().wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_client_that_reads_nothing_does_not_keep_it, stuck_client) {
  server.program().signal(SIGTERM);
  BOOST_TEST(server.program().wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(told_twice_it_cuts_off_what_is_in_progress, stuck_client) {
  client idle(server);
  idle.get("/");
  BOOST_TEST(idle.answer() == 200);
  server.program().signal(SIGTERM);
  BOOST_TEST(idle.has_ended());
  server.program().signal(SIGTERM);
  BOOST_TEST(server.program().wait(seconds(5)) == 0);   // the goodbye that is not read has two
}

BOOST_AUTO_TEST_CASE(a_file_that_becomes_shorter_is_no_whole_file) {
  client one(server);
  std::filesystem::resize_file(files.path() / "large.bin", 300'000'000);   // with a hole
  one.get("/large.bin");
  std::string chunk(1000, '\0');
  one.stream().read(asio::buffer(chunk));
  std::filesystem::resize_file(files.path() / "large.bin", 10);
  error_code code;
  std::string rest(1 << 20, '\0');
  while (!code) one.stream().read_some(asio::buffer(rest), code);
  BOOST_TEST(code == errc::stream_truncated);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(tool_serve_impatiently, impatient_directory)

BOOST_AUTO_TEST_CASE(a_client_that_drips_is_cut_off) {
  client one(server);
  error_code code;
  std::string const head = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
  one.send(head);
  one.stream().set_timeout(std::chrono::milliseconds(100));
  auto const until = std::chrono::steady_clock::now() + seconds(20);
  char byte = 0;
  do {
    one.stream().write(asio::buffer("a", 1), code);
    one.stream().read_some(asio::buffer(&byte, 1), code);
  } while (code == asio::error::timed_out && std::chrono::steady_clock::now() < until);
  BOOST_TEST(code == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_client_that_reads_nothing_is_cut_off) {
  client one(server);
  for (int i = 0; i < 10; ++i) one.get("/large.bin");
  BOOST_TEST(server.program().prints(": write failed: Operation canceled"));
}

BOOST_AUTO_TEST_SUITE_END()

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

BOOST_AUTO_TEST_CASE(a_client_of_plain_text_is_reported_and_forgotten) {
  serving_tool server({"--echo", "-v"});
  asio::io_context context;
  asio::ip::tcp::socket plain(context);
  plain.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server.port())});
  asio::write(plain, asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
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

BOOST_FIXTURE_TEST_CASE(told_twice_it_ends_at_once, silently_connected) {
  server.program().signal(SIGTERM);
  good->say_goodbye();
  wait_until_nobody_is_accepted();
  server.program().signal(SIGTERM);
  BOOST_TEST(server.program().wait(seconds(3)) == 0);
}

// A limit is the shell's to set: the soft one is what a program begins with, the hard one what it
// may have.
struct few_descriptors {
  explicit few_descriptors(std::string const& limit)
      : program({"sh", "-c", "ulimit " + limit + " 24; exec \"$0\" serve 0 --echo", COTLS_TOOL}),
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

BOOST_AUTO_TEST_CASE(as_many_are_served_as_the_system_lets_it) {
  few_descriptors server("-S -n");
  std::vector<blocking::stream> clients;
  while (clients.size() < 40) {
    char byte = 'x';
    clients.push_back(server.connect());
    clients.back().write(asio::buffer(&byte, 1));
    BOOST_TEST(clients.back().read(asio::buffer(&byte, 1)) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(its_own_certificate_is_for_the_names_it_is_given) {
  serving_tool server({"--echo", "--name", "a.test", "--name", "192.0.2.7"});
  auto const own = certificate_chain::from_pem_file(server.root_file()).leaf();
  BOOST_TEST((own.names() == std::vector<std::string>{"a.test", "192.0.2.7"}));
  BOOST_TEST(server.program().line_after("certificate: SHA-256 ") == own.fingerprint());
}

BOOST_AUTO_TEST_CASE(idle_echoes_are_cut_off_when_asked) {
  serving_tool server({"--echo", "--idle-timeout", "0.2"});
  client one(server);
  BOOST_TEST(one.has_ended());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
