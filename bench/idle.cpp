// Heap bytes that an idle TLS 1.3 connection keeps, at the server and at the client: everything that
// malloc gave for it, the socket object, the strand and the coroutine included.
//
//   server process   accept, handshake, echo of 64 bytes, perhaps a read that waits    x N, then x 2 N
//   client process   connect, handshake, one echo, perhaps a read that waits           x N, then x 2 N
//
// What grows from N to 2 N is the connections'; what the process itself needs drops out. "Reading"
// is a coroutine of its own that waits for input; without it, only the stream object is there.

#include "gate.hpp"
#include "gates.hpp"
#include "heap.hpp"
#include "loop.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_openssl.hpp"
#include "process.hpp"
#include "samples.hpp"
#include "scenario.hpp"
#include "table.hpp"

#include <boost/asio/detached.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr std::size_t message = 64;
constexpr std::size_t most_connections = 20'000;

// What both ends do once they have echoed.
enum class then { read, rest };

// What the parent tells a process: to have so many connections (above 0), or one of these.
constexpr int end = 0;
constexpr int measure_heap = -1;

template <class Over>
using connections = std::vector<std::unique_ptr<typename Over::stream>>;

template <class Over>
asio::awaitable<void> echo_session(typename Over::stream& peer, then after) {
  try {
    std::array<char, message> data;
    std::size_t echoed = 0;
    while (echoed < message || after == then::read) {
      std::size_t const n = co_await peer.async_read_some(asio::buffer(data), asio::use_awaitable);
      echoed += co_await Over::write(peer, asio::buffer(data, n));
    }
  } catch (boost::system::system_error const&) {
    // How the connection ends, after the measurement, is of no interest.
  }
}

template <class Over>
asio::awaitable<void> accept_all(typename Over::server& server, connections<Over>& open,
                                 then after) {
  for (;;) {
    open.push_back(std::make_unique<typename Over::stream>(co_await server.accept()));
    auto& peer = *open.back();
    asio::co_spawn(peer.get_executor(), echo_session<Over>(peer, after), asio::detached);
  }
}

template <class Over>
void serve(line& control, cotls::identity const& own, then after) {
  asio::io_context io(1);
  typename Over::server server(io, own);
  control.send(server.port());
  connections<Over> open;
  open.reserve(most_connections);
  asio::co_spawn(io, accept_all<Over>(server, open, after), asio::detached);
  for (;;) {
    run_until_told(io, control);
    int const told = control.receive<int>();
    if (told == end) return;
    if (told == measure_heap) {
      control.send(heap_now().live_bytes);
    } else {
      control.send(told);  // they come by themselves
    }
  }
}

template <class Stream>
asio::awaitable<void> read_on(Stream& peer) {
  try {
    std::array<char, message> data;
    co_await peer.async_read_some(asio::buffer(data), asio::use_awaitable);
  } catch (boost::system::system_error const&) {
    // As in echo_session.
  }
}

template <class Over>
asio::awaitable<void> connect_all(typename Over::client& client, std::uint16_t port,
                                  connections<Over>& open, std::size_t count, then after) {
  std::array<char, message> sent;
  std::array<char, message> received;
  while (open.size() < count) {
    using stream = typename Over::stream;
    auto peer = std::make_unique<stream>(co_await client.connect(port));
    sent.fill(static_cast<char>(open.size()));
    co_await Over::write(*peer, asio::buffer(sent));
    for (std::size_t got = 0; got < message;) {
      got += co_await peer->async_read_some(asio::buffer(received) + got, asio::use_awaitable);
    }
    require(sent == received, "the echo is not what was sent");
    require(SSL_version(peer->native_handle()) == TLS1_3_VERSION, "not TLS 1.3");
    if (after == then::read) {
      asio::co_spawn(peer->get_executor(), read_on(*peer), asio::detached);
    }
    open.push_back(std::move(peer));
  }
}

template <class Over>
void be_client(line& control, cotls::identity const& own, std::uint16_t port, then after) {
  asio::io_context io(1);
  typename Over::client client(own);
  connections<Over> open;
  open.reserve(most_connections);
  for (int told; (told = control.receive<int>()) != end;) {
    if (told == measure_heap) {
      settle(io);
      control.send(heap_now().live_bytes);
      continue;
    }
    auto const count = static_cast<std::size_t>(told);
    run_until_done(io, connect_all<Over>(client, port, open, count, after));
    control.send(told);
  }
}

// OpenSSL alone. A connection without a BIO cannot be used any more: what it holds then is the least
// that any user of OpenSSL can come to.
enum class bio { socket, none };

using raw = over_openssl::connection;

void set_idle(raw& peer, then after) {
  if (after == then::rest) return;
  peer.set_non_blocking();
  std::array<char, message> data;
  require(peer.read_some(data.data(), message) == 0, "there was something to read");
  SSL_free_buffers(peer.native_handle());
}

// Opens connections and measures them as it is told.
template <class Open>
void have_connections(line& control, bio keep, Open const& open_one) {
  std::vector<std::unique_ptr<raw>> open;
  open.reserve(most_connections);
  for (int told; (told = control.receive<int>()) != end;) {
    if (told == measure_heap) {
      control.send(heap_now().live_bytes);
      continue;
    }
    auto const count = static_cast<std::size_t>(told);
    while (open.size() < count) {
      open.push_back(std::make_unique<raw>(open_one(open.size())));
      if (keep == bio::none) SSL_set_bio(open.back()->native_handle(), nullptr, nullptr);
    }
    control.send(told);
  }
}

void serve_openssl(line& control, cotls::identity const& own, then after, bio keep) {
  auto const context = over_openssl::make_server(own);
  tcp_listener const listener;
  control.send(listener.port());
  have_connections(control, keep, [&](std::size_t) {
    raw peer = raw::accept(context.get(), listener.accept());
    std::array<char, message> data;
    peer.read(data.data(), message);
    peer.write(data.data(), message);
    set_idle(peer, after);
    return peer;
  });
}

void be_openssl_client(line& control, cotls::identity const& own, std::uint16_t port, then after,
                       bio keep) {
  auto const context = over_openssl::make_client(own);
  have_connections(control, keep, [&](std::size_t number) {
    raw peer = raw::connect(context.get(), connect_to(port));
    std::array<char, message> sent;
    std::array<char, message> received;
    sent.fill(static_cast<char>(number));
    peer.write(sent.data(), message);
    peer.read(received.data(), message);
    require(sent == received, "the echo is not what was sent");
    require(SSL_version(peer.native_handle()) == TLS1_3_VERSION, "not TLS 1.3");
    set_idle(peer, after);
    return peer;
  });
}

struct implementation {
  std::string name;
  std::function<void(line&, cotls::identity const&, then)> serve;
  std::function<void(line&, cotls::identity const&, std::uint16_t, then)> be_client;
};

template <class Over>
implementation made_of() {
  return {Over::name, serve<Over>, be_client<Over>};
}

implementation made_of_openssl(std::string name, bio keep) {
  return {std::move(name),
          [keep](line& control, cotls::identity const& own, then after) {
            serve_openssl(control, own, after, keep);
          },
          [keep](line& control, cotls::identity const& own, std::uint16_t port, then after) {
            be_openssl_client(control, own, port, after, keep);
          }};
}

std::int64_t measured(process& of) {
  of.control().send(measure_heap);
  return of.control().receive<std::int64_t>();
}

struct bytes_per_connection {
  double server;
  double client;
};

bytes_per_connection measure(implementation const& over, cotls::identity const& own, int count,
                             then after) {
  process server([&](line& control) { over.serve(control, own, after); });
  auto const port = server.control().receive<std::uint16_t>();
  process client([&](line& control) { over.be_client(control, own, port, after); });
  std::array<std::int64_t, 2> of_server;
  std::array<std::int64_t, 2> of_client;
  for (std::size_t size = 0; size < 2; ++size) {
    int const target = count * static_cast<int>(size + 1);
    server.control().send(target);
    client.control().send(target);
    require(client.control().receive<int>() == target, "the client has too few connections");
    require(server.control().receive<int>() == target, "the server has too few connections");
    of_server[size] = measured(server);
    of_client[size] = measured(client);
  }
  client.control().send(end);
  server.control().send(end);
  client.join();
  server.join();
  return {static_cast<double>(of_server[1] - of_server[0]) / count,
          static_cast<double>(of_client[1] - of_client[0]) / count};
}

void allow_descriptors(int count) {
  rlimit limit{};
  require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  auto const needed = static_cast<rlim_t>(2 * count + 100);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  require(setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed,
          "the system allows fewer descriptors: ulimit -n");
}

bool check(cotls::identity const& own, int count) {
  auto const over = made_of<over_cotls>();
  auto const reading = measure(over, own, count, then::read);
  auto const resting = measure(over, own, count, then::rest);
  gate committed;
  std::string const of = "heap bytes per idle connection, ";
  committed.at_least(of + "server", resting.server, 5'000);
  committed.at_most(of + "server", resting.server, gates::idle_server_bytes);
  committed.at_most(of + "server, reading", reading.server, gates::idle_server_reading_bytes);
  committed.at_least(of + "client", resting.client, 5'000);
  committed.at_most(of + "client", resting.client, gates::idle_client_bytes);
  committed.at_most(of + "client, reading", reading.client, gates::idle_client_reading_bytes);
  return committed.passed();
}

void compare(cotls::identity const& own, int count) {
  std::array const all{made_of<over_cotls>(), made_of<over_asio_ssl>(),
                       made_of_openssl("openssl", bio::socket),
                       made_of_openssl("openssl, no BIO", bio::none)};
  table shown({"", "server", "server, reading", "client", "client, reading"});
  for (auto const& over : all) {
    auto const reading = measure(over, own, count, then::read);
    auto const resting = measure(over, own, count, then::rest);
    shown.add({over.name, number(resting.server), number(reading.server), number(resting.client),
               number(reading.client)});
  }
  shown.print("Heap bytes per idle TLS 1.3 connection (growth from " + std::to_string(count) +
              " to " + std::to_string(2 * count) + " connections)");
}

}  // namespace

int main(int argc, char** argv) {
  return run_scenario(
      argc, argv, "Heap bytes per idle TLS 1.3 connection, server and client apart.",
      [](arguments& given) {
        int const count = given.number("--connections", 200, "measured at so many and twice that");
        bool const gating = given.flag("--gate", "compare cotls with bench/gates.hpp, that only");
        if (!given.complete()) return true;
        require(std::size_t{2} * static_cast<std::size_t>(count) <= most_connections,
                "--connections is at most 10000");
        count_openssl_apart();
        allow_descriptors(count);
        auto const own = make_identity();
        if (gating) return check(own, count);
        compare(own, count);
        return true;
      });
}
