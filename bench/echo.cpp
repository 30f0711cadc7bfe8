// Messages that come back: so many connections, each with one message on its way at a time.
//
//   client   write, read, check           counted between the warm-up's last echo and the last
//   server          read, write           one, far from the connections' beginning and end
//
// Beside them, other connections may be open and idle, at both ends.

#include "descriptors.hpp"
#include "meter.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_cotls_blocking.hpp"
#include "over_raw.hpp"
#include "payload.hpp"
#include "scenarios.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr std::array<std::size_t, 3> sizes{64, 1024, 16 * 1024};

struct echo_case {
  settings tls;
  std::size_t connections;
  std::size_t message_size;
  int echoes;  // counted, on each connection
  int warm_up;
  std::size_t idle;  // connections beside them
};

// Told of each echo that is done; knows what those after the warm-up used.
class echo_meter {
 public:
  explicit echo_meter(echo_case const& what)
      : first_(static_cast<std::size_t>(what.warm_up) * what.connections),
        last_(first_ + static_cast<std::size_t>(what.echoes) * what.connections) {}

  void echoed() {
    ++done_;
    if (done_ == first_) counted_ = meter();
    if (done_ == last_) used_ = counted_.used();
  }

  usage const& used() const {
    require(done_ == last_, "there were more or fewer echoes than asked for");
    return used_;
  }

 private:
  std::size_t first_;
  std::size_t last_;
  std::size_t done_ = 0;
  meter counted_;
  usage used_;
};

template <class Over>
class echo_ends {
  template <class T = void>
  using task = typename Over::template task<T>;
  using stream = typename Over::stream;

 public:
  static void serve(line& control, echo_case const& what) {
    typename Over::loop loop;
    typename Over::server server(loop, what.tls);
    control.send(server.port());
    std::vector<stream> open;
    loop.spawn(accept_all(server, open, what.idle + what.connections));
    loop.run();
    stay_idle(loop, open, what);
    echo_meter counted(what);
    for (std::size_t i = what.idle; i < open.size(); ++i) {
      loop.spawn(open[i], echo(open[i], what, counted));
    }
    loop.run();
    control.send(counted.used());
    control.receive<int>();  // the client has all
  }

  static void be_client(line& control, std::uint16_t port, echo_case const& what) {
    typename Over::loop loop;
    typename Over::client client(loop, what.tls);
    std::vector<stream> open;
    loop.spawn(connect_all(client, port, open, what.idle + what.connections));
    loop.run();
    for (stream const& peer : open) check_negotiated(Over::native_handle(peer), what.tls);
    stay_idle(loop, open, what);
    echo_meter counted(what);
    for (std::size_t i = what.idle; i < open.size(); ++i) {
      loop.spawn(open[i], call(open[i], what, counted, i));
    }
    loop.run();
    control.send(counted.used());
    control.receive<int>();
  }

 private:
  static task<> accept_all(typename Over::server& server, std::vector<stream>& open,
                           std::size_t count) {
    open.reserve(count);
    while (open.size() < count) open.push_back(co_await server.accept());
  }

  static task<> connect_all(typename Over::client& client, std::uint16_t port,
                            std::vector<stream>& open, std::size_t count) {
    open.reserve(count);
    while (open.size() < count) open.push_back(co_await client.connect(port));
  }

  static void stay_idle(typename Over::loop& loop, std::vector<stream>& open,
                        echo_case const& what) {
    for (std::size_t i = 0; i < what.idle; ++i) loop.spawn_background(open[i], wait(open[i]));
    if (what.idle > 0) loop.settle();
  }

  static task<> wait(stream& peer) {
    char data = 0;
    try {
      co_await Over::read_some(peer, asio::buffer(&data, 1));
    } catch (std::exception const&) {
      // How an idle connection ends, after the measurement, is of no interest.
    }
  }

  static task<> echo(stream& peer, echo_case const& what, echo_meter& counted) {
    std::vector<char> data(what.message_size);
    for (int i = 0; i < what.warm_up + what.echoes; ++i) {
      for (std::size_t got = 0; got < data.size();) {
        std::size_t const n = co_await Over::read_some(peer, asio::buffer(data) + got);
        require(n > 0, "an echo was cut off");
        got += n;
      }
      spoil_if_asked(data);
      co_await Over::write(peer, asio::buffer(data));
      counted.echoed();
    }
  }

  static task<> call(stream& peer, echo_case const& what, echo_meter& counted, std::size_t seed) {
    std::vector<char> sent = make_payload(what.message_size);
    sent.resize(what.message_size);
    std::vector<char> received(what.message_size);
    for (int i = 0; i < what.warm_up + what.echoes; ++i) {
      std::size_t const number = seed * 1'000'003 + static_cast<std::size_t>(i);
      std::memcpy(sent.data(), &number, sizeof number);
      co_await Over::write(peer, asio::buffer(sent));
      for (std::size_t got = 0; got < received.size();) {
        std::size_t const n = co_await Over::read_some(peer, asio::buffer(received) + got);
        require(n > 0, "an echo was cut off");
        got += n;
      }
      require(sent == received, "what was read is not what was written");
      counted.echoed();
    }
  }
};

void add_side(results& into, subject const& of, usage const& used, double echoes) {
  auto const each = [echoes](std::int64_t count) { return static_cast<double>(count) / echoes; };
  auto const add = [&](figure const& what, char const* kind, double value) {
    into.add(of.with("kind", kind), what, value);
  };
  system_call_counts const& calls = used.system_calls;
  into.add(of, figures::cpu_us_per_request, used.cpu_seconds * 1e6 / echoes);
  add(figures::syscalls_per_request, "all", each(calls.total()));
  add(figures::syscalls_per_request, "beside epoll_wait", each(calls.beside_epoll_wait()));
  add(figures::syscalls_per_request, "receive", each(calls[system_call::receive]));
  add(figures::syscalls_per_request, "send", each(calls[system_call::send]));
  add(figures::syscalls_per_request, "epoll_wait", each(calls[system_call::epoll_wait]));
  add(figures::syscalls_per_request, "epoll_ctl", each(calls[system_call::epoll_ctl]));
  add(figures::syscalls_per_request, "other", each(calls[system_call::other]));
  add(figures::allocations_per_request, "own", each(used.heap.own()));
  add(figures::allocations_per_request, "OpenSSL's", each(used.heap.openssl));
}

void measure(results& into, implementation<echo_case> const& over, echo_case const& what,
             subject const& of) {
  both<usage> const used = run_both<usage>(over, what);
  double const echoes = static_cast<double>(what.connections) * what.echoes;
  into.add(of, figures::requests_per_second, echoes / used.client.wall_seconds);
  add_side(into, of.with("side", "server"), used.server, echoes);
  add_side(into, of.with("side", "client"), used.client, echoes);
}

std::vector<implementation<echo_case>> implementations(std::size_t connections) {
  std::vector all{implemented<echo_ends<over_cotls>, echo_case>(over_cotls::name),
                  implemented<echo_ends<over_cotls_token>, echo_case>(over_cotls_token::name),
                  implemented<echo_ends<over_asio_ssl>, echo_case>(over_asio_ssl::name),
                  implemented<echo_ends<over_openssl_epoll>, echo_case>(over_openssl_epoll::name),
                  implemented<echo_ends<over_tcp_epoll>, echo_case>(over_tcp_epoll::name)};
  if (connections == 1) {
    all.insert(all.begin() + 2,
               implemented<echo_ends<over_cotls_blocking>, echo_case>(over_cotls_blocking::name));
  }
  return all;
}

// Of what a token costs beside others that are idle, echoes alone say enough.
std::vector<implementation<echo_case>> implementations_beside_idle(std::size_t connections) {
  auto all = implementations(connections);
  std::erase_if(all, [](auto const& one) { return one.name == over_cotls_token::name; });
  return all;
}

void plan_case(plan& planned, results& into, subject const& of, echo_case const& what,
               std::vector<implementation<echo_case>> const& among, int repetitions) {
  planned.compare(among, what, of, repetitions,
                  [&into](implementation<echo_case> const& over, echo_case const& given,
                          subject const& measured) { measure(into, over, given, measured); });
}

}  // namespace

void echo(plan& planned, results& into) {
  auto const many = planned.pick<std::size_t>(16, 64, 250, 1000);
  for (std::size_t const connections : {std::size_t{1}, std::size_t{64}, many}) {
    if (planned.how() == effort::gate && connections > 1) return;
    auto const together = planned.pick<std::size_t>(64, 1024, 4'000, 20'000);
    for (std::size_t const size : sizes) {
      std::size_t const fewer = size > 1024 ? together / 4 : together;
      int const echoes = static_cast<int>(std::max<std::size_t>(1, fewer / connections));
      int const warm_up = planned.pick(1, 200, 5, 10);
      echo_case const what{{&planned.identity()}, connections, size, echoes, warm_up, 0};
      subject const of{.scenario = "echo",
                       .implementation = {},
                       .given = {{"connections", static_cast<std::int64_t>(connections)},
                                 {"message_bytes", static_cast<std::int64_t>(size)}}};
      // Many handshakes for a few echoes.
      bool const costly = connections == many;
      bool const full = planned.how() == effort::full;
      if (costly && !full && size != 1024) continue;
      int const most = costly ? (full ? 3 : 1) : planned.repetitions();
      plan_case(planned, into, of, what, implementations(connections),
                std::min(most, planned.repetitions()));
    }
  }
}

void echo_beside_idle(plan& planned, results& into) {
  std::vector<std::size_t> counts{0, 1'000, 10'000};
  if (planned.how() == effort::quick) counts = {0, 200};
  if (planned.how() < effort::quick) counts = {0, 20};
  for (std::size_t const idle : within_limits(planned, "echo_beside_idle", counts)) {
    auto const together = planned.pick<std::size_t>(64, 64, 4'000, 40'000);
    echo_case const what{{&planned.identity()},
                         64,
                         1024,
                         static_cast<int>(std::max<std::size_t>(1, together / 64)),
                         planned.pick(1, 1, 5, 10),
                         idle};
    subject const of{.scenario = "echo_beside_idle",
                     .implementation = {},
                     .given = {{"connections", std::int64_t{64}},
                               {"message_bytes", std::int64_t{1024}},
                               {"idle", static_cast<std::int64_t>(idle)}}};
    int const repetitions =
        idle > 1'000 ? std::min(3, planned.repetitions()) : planned.repetitions();
    plan_case(planned, into, of, what, implementations_beside_idle(what.connections), repetitions);
  }
}

}  // namespace bench
