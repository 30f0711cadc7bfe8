// Full TLS 1.3 handshakes, one after the other on loopback: connect, handshake with the chain and the
// name verified, one byte from the server, end. CPU time of both processes.

#include "cpu.hpp"
#include "loop.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_openssl.hpp"
#include "process.hpp"
#include "samples.hpp"
#include "scenario.hpp"
#include "table.hpp"

#include <array>
#include <functional>
#include <string>

namespace {

using namespace bench;

constexpr char greeting = 'g';
constexpr int warm_up = 20;

struct usage {
  double cpu_seconds;
  double wall_seconds;
};

usage used_since(stopwatch const& watch) { return {watch.cpu(), watch.wall()}; }

// The client has the server's greeting: both handshakes are done, and this one was a full one.
void check(SSL* ssl, char received) {
  require(received == greeting, "the greeting is not what was sent");
  require(SSL_version(ssl) == TLS1_3_VERSION, "not TLS 1.3");
  require(SSL_session_reused(ssl) == 0, "the session was resumed");
  require(SSL_get_verify_result(ssl) == X509_V_OK, "the server was not verified");
}

template <class Over>
asio::awaitable<void> serve_one(typename Over::server& server) {
  auto peer = co_await server.accept();
  co_await Over::write(peer, asio::buffer(&greeting, 1));
}

template <class Over>
asio::awaitable<void> serve_all(typename Over::server& server, int count, usage& used) {
  for (int i = 0; i < warm_up; ++i) co_await serve_one<Over>(server);
  stopwatch const watch;
  for (int i = 0; i < count; ++i) co_await serve_one<Over>(server);
  used = used_since(watch);
}

template <class Over>
asio::awaitable<void> connect_one(typename Over::client& client, std::uint16_t port) {
  auto peer = co_await client.connect(port);
  char received = 0;
  co_await peer.async_read_some(asio::buffer(&received, 1), asio::use_awaitable);
  check(peer.native_handle(), received);
}

template <class Over>
asio::awaitable<void> connect_all(typename Over::client& client, std::uint16_t port, int count,
                                  usage& used) {
  for (int i = 0; i < warm_up; ++i) co_await connect_one<Over>(client, port);
  stopwatch const watch;
  for (int i = 0; i < count; ++i) co_await connect_one<Over>(client, port);
  used = used_since(watch);
}

template <class Over>
void serve(line& control, cotls::identity const& own, int count) {
  asio::io_context io(1);
  typename Over::server server(io, own);
  control.send(server.port());
  usage used{};
  run_until_done(io, serve_all<Over>(server, count, used));
  control.send(used);
}

template <class Over>
void be_client(line& control, cotls::identity const& own, std::uint16_t port, int count) {
  asio::io_context io(1);
  typename Over::client client(own);
  usage used{};
  run_until_done(io, connect_all<Over>(client, port, count, used));
  control.send(used);
}

void serve_openssl(line& control, cotls::identity const& own, int count) {
  auto const context = over_openssl::make_server(own);
  tcp_listener const listener;
  control.send(listener.port());
  auto const serve_next = [&] {
    over_openssl::connection::accept(context.get(), listener.accept()).write(&greeting, 1);
  };
  for (int i = 0; i < warm_up; ++i) serve_next();
  stopwatch const watch;
  for (int i = 0; i < count; ++i) serve_next();
  control.send(used_since(watch));
}

void be_openssl_client(line& control, cotls::identity const& own, std::uint16_t port, int count) {
  auto const context = over_openssl::make_client(own);
  auto const connect_next = [&] {
    auto peer = over_openssl::connection::connect(context.get(), connect_to(port));
    char received = 0;
    peer.read(&received, 1);
    check(peer.native_handle(), received);
  };
  for (int i = 0; i < warm_up; ++i) connect_next();
  stopwatch const watch;
  for (int i = 0; i < count; ++i) connect_next();
  control.send(used_since(watch));
}

struct implementation {
  std::string name;
  std::function<void(line&, cotls::identity const&, int)> serve;
  std::function<void(line&, cotls::identity const&, std::uint16_t, int)> be_client;
};

template <class Over>
implementation made_of() {
  return {Over::name, serve<Over>, be_client<Over>};
}

struct figures {
  samples cpu_us, server_us, client_us, per_second;
};

void measure(implementation const& over, cotls::identity const& own, int count, figures& into) {
  process server([&](line& control) { over.serve(control, own, count); });
  auto const port = server.control().receive<std::uint16_t>();
  process client([&](line& control) { over.be_client(control, own, port, count); });
  auto const of_client = client.control().receive<usage>();
  auto const of_server = server.control().receive<usage>();
  client.join();
  server.join();
  double const each = 1e6 / count;
  into.cpu_us.add((of_client.cpu_seconds + of_server.cpu_seconds) * each);
  into.server_us.add(of_server.cpu_seconds * each);
  into.client_us.add(of_client.cpu_seconds * each);
  into.per_second.add(count / of_client.wall_seconds);
}

void compare(cotls::identity const& own, int count, int repetitions) {
  std::array const all{made_of<over_cotls>(), made_of<over_asio_ssl>(),
                       implementation{"openssl, blocking", serve_openssl, be_openssl_client}};
  std::array<figures, all.size()> measured;
  for (int i = 0; i < repetitions; ++i) {
    for (std::size_t at = 0; at < all.size(); ++at) measure(all[at], own, count, measured[at]);
  }
  table shown({"", "CPU us", "lowest", "highest", "to asio-ssl", "to openssl", "server", "client",
               "per second"});
  for (std::size_t at = 0; at < all.size(); ++at) {
    figures const& of = measured[at];
    double const median = of.cpu_us.median();
    shown.add({all[at].name, number(median), number(of.cpu_us.lowest()),
               number(of.cpu_us.highest()), ratio(median, measured[1].cpu_us.median()),
               ratio(median, measured[2].cpu_us.median()), number(of.server_us.median()),
               number(of.client_us.median()), number(of.per_second.median())});
  }
  shown.print("Full handshakes, one after the other (medians of " + std::to_string(repetitions) +
              " runs of " + std::to_string(count) + ")");
}

}  // namespace

int main(int argc, char** argv) {
  return run_scenario(
      argc, argv, "CPU time of full TLS 1.3 handshakes, P-256, X25519.", [](arguments& given) {
        int const count = given.number("--handshakes", 300, "in one run");
        int const repetitions = given.number("--repetitions", 9, "runs of each implementation");
        if (!given.complete()) return true;
        compare(make_identity(), count, repetitions);
        return true;
      });
}
