// What one echo costs in counts: system calls by kind and heap allocations, of the server's process
// and of the client's. One connection, one message at a time.
//
//   client   write, read                                    counted between two echoes, far from
//   server          read, write                             the connection's beginning and end

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
#include "system_calls.hpp"
#include "table.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr int warm_up = 200;
constexpr std::array<std::size_t, 2> sizes{64, 1024};

struct usage {
  system_call_counts system_calls = system_calls_now();
  heap_counts heap = heap_now();

  usage& operator-=(usage const& before) noexcept {
    system_calls -= before.system_calls;
    heap -= before.heap;
    return *this;
  }
};

// Told of each echo that is done; knows what those after the warm-up used.
class meter {
 public:
  explicit meter(int echoes) noexcept : echoes_(echoes) {}

  int echoes() const noexcept { return warm_up + echoes_; }

  void echoed(int index) noexcept {
    if (index + 1 == warm_up) begin_ = usage();
    if (index + 1 != warm_up + echoes_) return;
    used_ = usage();
    used_ -= begin_;
  }

  usage const& used() const noexcept { return used_; }

 private:
  int echoes_;
  usage begin_;
  usage used_;
};

void fill(std::vector<char>& data, int index) {
  std::fill(data.begin(), data.end(), static_cast<char>(index));
}

template <class Over>
asio::awaitable<void> echo(typename Over::stream& peer, std::size_t size, meter& counted) {
  std::vector<char> data(size);
  for (int i = 0; i < counted.echoes(); ++i) {
    for (std::size_t got = 0; got < size;) {
      got += co_await peer.async_read_some(asio::buffer(data) + got, asio::use_awaitable);
    }
    co_await Over::write(peer, asio::buffer(data));
    counted.echoed(i);
  }
}

template <class Over>
asio::awaitable<void> call(typename Over::stream& peer, std::size_t size, meter& counted) {
  std::vector<char> sent(size);
  std::vector<char> received(size);
  for (int i = 0; i < counted.echoes(); ++i) {
    fill(sent, i);
    co_await Over::write(peer, asio::buffer(sent));
    for (std::size_t got = 0; got < size;) {
      got += co_await peer.async_read_some(asio::buffer(received) + got, asio::use_awaitable);
    }
    require(sent == received, "the echo is not what was sent");
    counted.echoed(i);
  }
}

template <class Over>
void serve(line& control, cotls::identity const& own, std::size_t size, int echoes) {
  asio::io_context io(1);
  typename Over::server server(io, own);
  control.send(server.port());
  std::optional<typename Over::stream> peer;
  run_until_done(io, [](auto& from, auto& into) -> asio::awaitable<void> {
    into.emplace(co_await from.accept());
  }(server, peer));
  meter counted(echoes);
  run_until_done(io, peer->get_executor(), echo<Over>(*peer, size, counted));
  control.send(counted.used());
}

template <class Over>
void be_client(line& control, cotls::identity const& own, std::uint16_t port, std::size_t size,
               int echoes) {
  asio::io_context io(1);
  typename Over::client client(own);
  std::optional<typename Over::stream> peer;
  run_until_done(io, [](auto& from, auto& into, std::uint16_t to) -> asio::awaitable<void> {
    into.emplace(co_await from.connect(to));
  }(client, peer, port));
  meter counted(echoes);
  run_until_done(io, peer->get_executor(), call<Over>(*peer, size, counted));
  control.send(counted.used());
}

// OpenSSL alone, on epoll: registered once, level-triggered, and never reading what cannot be there.
class epoll_loop {
 public:
  explicit epoll_loop(over_openssl::connection& peer)
      : peer_(&peer), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    peer.set_non_blocking();
    epoll_event interest{};
    interest.events = EPOLLIN;
    require(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, peer.socket(), &interest) == 0, "epoll_ctl");
  }

  void read(std::vector<char>& data) {
    // The handshake may have read on into the first message.
    bool here = SSL_has_pending(peer_->native_handle()) == 1;
    for (std::size_t got = 0; got < data.size();) {
      epoll_event event{};
      if (!here) require(::epoll_wait(epoll_.get(), &event, 1, -1) == 1, "epoll_wait");
      std::size_t const bytes = peer_->read_some(data.data() + got, data.size() - got);
      here = bytes > 0 && SSL_has_pending(peer_->native_handle()) == 1;
      got += bytes;
    }
  }

 private:
  over_openssl::connection* peer_;
  descriptor epoll_;
};

void serve_openssl(line& control, cotls::identity const& own, std::size_t size, int echoes) {
  auto const context = over_openssl::make_server(own);
  tcp_listener const listener;
  control.send(listener.port());
  auto peer = over_openssl::connection::accept(context.get(), listener.accept());
  epoll_loop loop(peer);
  meter counted(echoes);
  std::vector<char> data(size);
  for (int i = 0; i < counted.echoes(); ++i) {
    loop.read(data);
    peer.write(data.data(), size);
    counted.echoed(i);
  }
  control.send(counted.used());
}

void be_openssl_client(line& control, cotls::identity const& own, std::uint16_t port,
                       std::size_t size, int echoes) {
  auto const context = over_openssl::make_client(own);
  auto peer = over_openssl::connection::connect(context.get(), connect_to(port));
  epoll_loop loop(peer);
  meter counted(echoes);
  std::vector<char> sent(size);
  std::vector<char> received(size);
  for (int i = 0; i < counted.echoes(); ++i) {
    fill(sent, i);
    peer.write(sent.data(), size);
    loop.read(received);
    require(sent == received, "the echo is not what was sent");
    counted.echoed(i);
  }
  control.send(counted.used());
}

struct implementation {
  std::string name;
  std::function<void(line&, cotls::identity const&, std::size_t, int)> serve;
  std::function<void(line&, cotls::identity const&, std::uint16_t, std::size_t, int)> be_client;
};

template <class Over>
implementation made_of() {
  return {Over::name, serve<Over>, be_client<Over>};
}

// The repetitions of one end's figures, per echo.
struct per_echo {
  samples receive, send, epoll_ctl, other, beside_epoll_wait, epoll_wait;
  samples allocations, aligned, openssl;

  void add(usage const& used, int echoes) {
    auto const each = [echoes](std::int64_t count) { return static_cast<double>(count) / echoes; };
    receive.add(each(used.system_calls[system_call::receive]));
    send.add(each(used.system_calls[system_call::send]));
    epoll_ctl.add(each(used.system_calls[system_call::epoll_ctl]));
    other.add(each(used.system_calls[system_call::other]));
    beside_epoll_wait.add(each(used.system_calls.beside_epoll_wait()));
    epoll_wait.add(each(used.system_calls[system_call::epoll_wait]));
    allocations.add(each(used.heap.allocations));
    aligned.add(each(used.heap.aligned));
    openssl.add(each(used.heap.openssl));
  }
};

struct figures {
  per_echo server;
  per_echo client;
};

void measure(implementation const& over, cotls::identity const& own, std::size_t size, int echoes,
             figures& into) {
  process server([&](line& control) { over.serve(control, own, size, echoes); });
  auto const port = server.control().receive<std::uint16_t>();
  process client([&](line& control) { over.be_client(control, own, port, size, echoes); });
  into.client.add(client.control().receive<usage>(), echoes);
  into.server.add(server.control().receive<usage>(), echoes);
  client.join();
  server.join();
}

void check(gate& committed, std::string const& of, per_echo const& used, double allocations) {
  committed.at_least(of + ", receives", used.receive.median(), 1);
  committed.at_least(of + ", sends", used.send.median(), 1);
  committed.at_most(of + ", system calls beside epoll_wait", used.beside_epoll_wait.median(),
                    gates::echo_system_calls);
  committed.at_most(of + ", returns of epoll_wait", used.epoll_wait.median(),
                    gates::echo_epoll_waits);
  committed.at_most(of + ", allocations", used.allocations.median() + used.aligned.median(),
                    allocations);
  committed.at_least(of + ", allocations of OpenSSL", used.openssl.median(), 1);
  committed.at_most(of + ", allocations of OpenSSL", used.openssl.median(),
                    gates::echo_openssl_allocations);
}

bool check(cotls::identity const& own, int echoes, int repetitions) {
  gate committed;
  for (std::size_t const size : sizes) {
    figures measured;
    for (int i = 0; i < repetitions; ++i) {
      measure(made_of<over_cotls>(), own, size, echoes, measured);
    }
    std::string const of = "echo of " + std::to_string(size) + " bytes, ";
    check(committed, of + "server", measured.server, gates::echo_server_allocations);
    check(committed, of + "client", measured.client, gates::echo_client_allocations);
  }
  return committed.passed();
}

void add_row(table& shown, std::string const& name, per_echo const& used) {
  shown.add({name, number(used.receive.median(), 2), number(used.send.median(), 2),
             number(used.epoll_ctl.median(), 2), number(used.other.median(), 2),
             number(used.beside_epoll_wait.median(), 2), number(used.epoll_wait.median(), 2),
             number(used.allocations.median(), 2), number(used.aligned.median(), 2),
             number(used.openssl.median(), 2)});
}

void compare(cotls::identity const& own, std::size_t size, int echoes, int repetitions) {
  std::array const all{made_of<over_cotls>(), made_of<over_asio_ssl>(),
                       implementation{"openssl", serve_openssl, be_openssl_client}};
  std::array<figures, all.size()> measured;
  for (int i = 0; i < repetitions; ++i) {
    for (std::size_t at = 0; at < all.size(); ++at) {
      measure(all[at], own, size, echoes, measured[at]);
    }
  }
  table shown({"", "receive", "send", "epoll_ctl", "other", "together", "epoll_wait", "malloc",
               "aligned_alloc", "OpenSSL's"});
  for (std::size_t at = 0; at < all.size(); ++at) {
    add_row(shown, all[at].name + " server", measured[at].server);
    add_row(shown, all[at].name + " client", measured[at].client);
  }
  shown.print("System calls and heap allocations per echo of " + std::to_string(size) +
              " bytes (medians of " + std::to_string(repetitions) + " runs)");
}

}  // namespace

int main(int argc, char** argv) {
  return run_scenario(
      argc, argv, "System calls and heap allocations per echo over one TLS 1.3 connection.",
      [](arguments& given) {
        int const echoes = given.number("--echoes", 1024, "counted in one run");
        int const repetitions = given.number("--repetitions", 5, "runs");
        bool const gating = given.flag("--gate", "compare cotls with bench/gates.hpp, that only");
        if (!given.complete()) return true;
        count_openssl_apart();
        auto const own = make_identity();
        if (gating) return check(own, echoes, repetitions);
        for (std::size_t const size : sizes) compare(own, size, echoes, repetitions);
        return true;
      });
}
