// What an idle TLS 1.3 connection keeps, at the server and at the client: heap bytes, everything
// that malloc gave for it, the socket object, the strand and the coroutine included; and resident
// memory.
//
//   server process   accept, handshake, echo of 64 bytes        x N/2, then x N
//   client process   connect, handshake, one echo               x N/2, then x N
//
// What grows from N/2 to N is the connections'; what the process itself needs drops out. "Reading"
// is a coroutine of its own that waits for input; "resting", only the stream object is there.

#include "descriptors.hpp"
#include "heap.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_cotls_blocking.hpp"
#include "over_raw.hpp"
#include "payload.hpp"
#include "scenarios.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr std::size_t message_size = 64;

// What both ends do once they have echoed.
enum class state : std::uint8_t { reading, resting };

struct idle_case {
  settings tls;
  std::size_t connections;
  state after;
};

struct memory {
  double heap_bytes;
  double resident_bytes;
};

memory memory_now() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return {static_cast<double>(heap_now().live_bytes),
          static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

memory growth(memory const& from, memory const& to, std::size_t connections) {
  auto const count = static_cast<double>(connections);
  return {(to.heap_bytes - from.heap_bytes) / count,
          (to.resident_bytes - from.resident_bytes) / count};
}

template <class Over>
class idle_ends {
  template <class T = void>
  using task = typename Over::template task<T>;
  using stream = typename Over::stream;
  using streams = std::vector<std::unique_ptr<stream>>;

 public:
  static void serve(line& control, idle_case const& what) {
    typename Over::loop loop;
    typename Over::server server(loop, what.tls);
    control.send(server.port());
    streams open;
    measure(control, loop, open, what,
            [&](std::size_t count) { return accept_all(server, open, count); });
  }

  static void be_client(line& control, std::uint16_t port, idle_case const& what) {
    typename Over::loop loop;
    typename Over::client client(loop, what.tls);
    streams open;
    measure(control, loop, open, what,
            [&](std::size_t count) { return connect_all(client, port, open, count, what); });
  }

 private:
  template <class Open>
  static void measure(line& control, typename Over::loop& loop, streams& open,
                      idle_case const& what, Open const& open_so_many) {
    open.reserve(what.connections);
    std::size_t const half = what.connections / 2;
    have(loop, open, what, open_so_many, half);
    memory const before = memory_now();
    meet(control);  // or the client's next handshake would be counted before, and not behind
    have(loop, open, what, open_so_many, what.connections);
    require(open.size() == what.connections, "there are too few connections");
    control.send(growth(before, memory_now(), what.connections - half));
    control.receive<int>();
  }

  template <class Open>
  static void have(typename Over::loop& loop, streams& open, idle_case const& what,
                   Open const& open_so_many, std::size_t count) {
    std::size_t const idle = open.size();
    loop.spawn(open_so_many(count));
    loop.run();
    for (std::size_t i = idle; i < open.size() && what.after == state::reading; ++i) {
      loop.spawn_background(*open[i], wait(*open[i]));
    }
    loop.settle();
  }

  static task<> accept_all(typename Over::server& server, streams& open, std::size_t count) {
    while (open.size() < count) {
      open.push_back(std::make_unique<stream>(co_await server.accept()));
      std::vector<char> data(message_size);
      for (std::size_t got = 0; got < data.size();) {
        std::size_t const n = co_await Over::read_some(*open.back(), asio::buffer(data) + got);
        require(n > 0, "an echo was cut off");
        got += n;
      }
      spoil_if_asked(data);
      co_await Over::write(*open.back(), asio::buffer(data));
    }
  }

  static task<> connect_all(typename Over::client& client, std::uint16_t port, streams& open,
                            std::size_t count, idle_case const& what) {
    while (open.size() < count) {
      open.push_back(std::make_unique<stream>(co_await client.connect(port)));
      check_negotiated(Over::native_handle(*open.back()), what.tls);
      std::vector<char> const sent(message_size, static_cast<char>(open.size()));
      std::vector<char> received(message_size);
      co_await Over::write(*open.back(), asio::buffer(sent));
      for (std::size_t got = 0; got < received.size();) {
        std::size_t const n = co_await Over::read_some(*open.back(), asio::buffer(received) + got);
        require(n > 0, "an echo was cut off");
        got += n;
      }
      require(sent == received, "what was read is not what was written");
    }
  }

  static task<> wait(stream& peer) {
    try {
      std::array<char, message_size> data;
      co_await Over::read_some(peer, asio::buffer(data));
    } catch (std::exception const&) {
      // How the connection ends, after the measurement, is of no interest.
    }
  }
};

std::vector<implementation<idle_case>> implementations(state after) {
  std::vector all{implemented<idle_ends<over_cotls>, idle_case>(over_cotls::name),
                  implemented<idle_ends<over_cotls_token>, idle_case>(over_cotls_token::name),
                  implemented<idle_ends<over_asio_ssl>, idle_case>(over_asio_ssl::name),
                  implemented<idle_ends<over_openssl_epoll>, idle_case>(over_openssl_epoll::name),
                  implemented<idle_ends<over_tcp_epoll>, idle_case>(over_tcp_epoll::name)};
  if (after == state::reading) return all;
  all.erase(all.begin() + 1);  // resting, there is nothing that a token could change
  all.insert(all.begin() + 1,
             implemented<idle_ends<over_cotls_blocking>, idle_case>(over_cotls_blocking::name));
  return all;
}

void add(results& into, subject const& of, both<memory> const& used) {
  for (auto const& [side, one] : {std::pair{"server", used.server}, {"client", used.client}}) {
    subject const here = of.with("side", side);
    into.add(here, figures::heap_bytes_per_connection, one.heap_bytes);
    into.add(here, figures::rss_bytes_per_connection, one.resident_bytes);
  }
}

}  // namespace

void idle(plan& planned, results& into) {
  std::vector<std::size_t> counts{1'000, 10'000};
  if (planned.how() == effort::quick) counts = {100, 400};
  if (planned.how() == effort::gate) counts = {400};
  if (planned.how() == effort::smoke) counts = {10};
  counts = within_limits(planned, "idle", counts);
  for (std::size_t const connections : counts) {
    for (state const after : {state::reading, state::resting}) {
      idle_case const what{{&planned.identity()}, connections, after};
      subject const of{.scenario = "idle",
                       .implementation = {},
                       .given = {{"connections", static_cast<std::int64_t>(connections)},
                                 {"state", after == state::reading ? "reading" : "resting"}}};
      planned.compare(
          implementations(after), what, of, 1,
          [&into](implementation<idle_case> const& over, idle_case const& given,
                  subject const& measured) {
            add(into, measured, run_both<memory>(over, given, 1));
          });
    }
  }
}

}  // namespace bench
