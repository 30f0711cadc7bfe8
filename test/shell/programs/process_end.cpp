// Connections at the end of a process: what lives in static objects and in a thread's own works to
// the last, in whatever order things are destroyed. Ends with 1, and says why, when it does not.

#include <cotls/blocking.hpp>
#include <cotls/cotls.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/use_future.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace asio = boost::asio;

namespace {

cotls::client_options const to_localhost = cotls::client_options().host("localhost");

void say(std::optional<cotls::blocking::stream>& into, std::string_view words) {
  into->write(asio::buffer(words));
}

// Holds connections, and reads at its end what was written to them.
class listener_to_the_end {
 public:
  ~listener_to_the_end() {
    try {
      check();
    } catch (std::exception const& failed) {
      std::fprintf(stderr, "%s\n", failed.what());
      std::_Exit(1);
    }
  }

  std::optional<cotls::blocking::stream> client;
  std::optional<cotls::blocking::stream> server;

 private:
  // Everything that needs OpenSSL, for whoever is older than its first use.
  void check() {
    say(client, "the oldest\n");
    client->close_write(ignored_);
    std::string heard(1'000, '\0');
    heard.resize(server->read(asio::buffer(heard), ended_));
    std::fputs(heard.c_str(), stdout);
    require(ended_ == asio::error::eof, "an end without close_notify");
    require(heard ==
                "a thread's own object\nthe main thread's own object\na static object\n"
                "atexit\nthe oldest\n",
            "not all words were heard");
    server->shutdown();
    require(client->peer().subject() == "CN=localhost", "the peer is forgotten");
    require(cotls::make_error_code(cotls::errc::not_over).message() != "", "a category is gone");
    connect_anew();
  }

  void connect_anew();

  static void require(bool met, char const* otherwise) {
    if (!met) throw std::runtime_error(otherwise);
  }

  cotls::error_code ignored_;
  cotls::error_code ended_;
};

std::pair<int, int> connected_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  return {ends[0], ends[1]};
}

void shake_hands(std::optional<cotls::blocking::stream>& client,
                 std::optional<cotls::blocking::stream>& server) {
  auto const [near, far] = connected_sockets();
  cotls::identity const self = cotls::make_self_signed({"localhost"});
  client.emplace(near, cotls::client_context().add_root(self.chain().leaf()), to_localhost);
  server.emplace(far, cotls::server_context().use(self));
  std::thread accepting([&server] { server->handshake(); });
  client->handshake();
  accepting.join();
}

void listener_to_the_end::connect_anew() {
  shake_hands(client, server);
  say(server, "again");
  std::string heard(5, '\0');
  client->read(asio::buffer(heard));
  require(heard == "again", "a new connection says something else");
  cotls::blocking::stream(connected_sockets().first, cotls::default_client_context(), to_localhost);
}

// From the oldest to the youngest, in the order of construction; destroyed in the other order.
listener_to_the_end oldest;
std::optional<cotls::tcp_stream> never_used;
std::optional<asio::io_context> io;
std::optional<cotls::local_stream> asynchronous_client;
std::optional<cotls::local_stream> asynchronous_server;
std::optional<cotls::engine> engine;

// Handshakes that are left where they are, with all that they have read and not sent.
void begin_asynchronous_ones() {
  asio::local::stream_protocol::socket near(io.emplace()), far(*io);
  asio::local::connect_pair(near, far);
  cotls::identity const self = cotls::make_self_signed({"localhost"});
  cotls::client_context const context = cotls::client_context().add_root(self.chain().leaf());
  asynchronous_client.emplace(std::move(near), context, to_localhost);
  asynchronous_server.emplace(std::move(far), cotls::server_context().use(self));
  auto const ignore = [](cotls::error_code) {};
  asynchronous_client->async_handshake(ignore);
  asynchronous_server->async_handshake(ignore);
  for (int handlers = 0; handlers < 3; ++handlers) io->run_one();
  engine.emplace(context, to_localhost).handshake();
}

struct speaker {
  char const* words;
  ~speaker() { say(oldest.client, words); }
};

}  // namespace

int main() {
  shake_hands(oldest.client, oldest.server);
  begin_asynchronous_ones();
  std::atexit([] { say(oldest.client, "atexit\n"); });
  static speaker const younger{"a static object\n"};

  // Older than the thread's buffers, which are gone when it speaks.
  std::thread([] {
    thread_local speaker const own{"a thread's own object\n"};
    (void)own;
    cotls::error_code timed_out;
    oldest.client->set_read_timeout(std::chrono::seconds(0));
    std::string text(100'000, '\0');
    oldest.client->read_some(asio::buffer(text), timed_out);
    say(oldest.client, "");
  }).join();
  thread_local speaker const own{"the main thread's own object\n"};
  (void)own;
  say(oldest.client, "");
  return 0;
}
