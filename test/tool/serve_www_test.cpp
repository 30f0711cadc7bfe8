// `cotls serve --www` over the wire, from clients that behave and clients that do not.

#include "print.hpp"
#include "serve_client.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace cotls::test {

namespace {

using client = serve_client;
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

// A client that asks for more than the sockets take, and reads no more than the beginning: the
// answer is in progress for as long as the client is there.
struct stuck_client : served_directory {
  explicit stuck_client(std::string const& limit = "600", std::uintmax_t size = 300'000'000)
      : served_directory({"--stop-timeout", limit}), stuck(server) {
    files.write("endless.bin", "");
    std::filesystem::resize_file(files.path() / "endless.bin", size);   // with a hole
    stuck.get("/endless.bin");
    std::string beginning(1000, '\0');
    stuck.stream().read(asio::buffer(beginning));
    BOOST_TEST(beginning.starts_with("HTTP/1.1 200 "));
  }

  client stuck;
};

struct stuck_client_of_a_hurried_server : stuck_client {
  stuck_client_of_a_hurried_server() : stuck_client("0.2") {}
};

struct slow_client : stuck_client {
  slow_client() : stuck_client("600", 20'000'000) {}
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
  for (std::size_t const size : {0u, 1u, 65'000u, 65'535u, 65'536u, 65'537u, 131'072u}) {
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

// More than the sockets hold, so that it was in progress when the server was told.
BOOST_FIXTURE_TEST_CASE(a_download_in_progress_is_completed, slow_client) {
  client idle(server);
  idle.get("/");
  BOOST_TEST(idle.answer() == 200);
  server.program().signal(SIGTERM);
  BOOST_TEST(idle.has_ended());
  idle.say_goodbye();
  std::string const rest = stuck.rest(25'000'000);
  BOOST_TEST(rest.size() > 20'000'000u - 1000u);
  stuck.say_goodbye();
  BOOST_TEST(server.program().wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_client_that_reads_nothing_does_not_keep_it,
                        stuck_client_of_a_hurried_server) {
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
  // A goodbye that is not read has two seconds.
  BOOST_TEST(server.program().wait(std::chrono::milliseconds(1800)) == 0);
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

}  // namespace cotls::test
