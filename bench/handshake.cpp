// Connections, one after the other: connect, handshake with the chain and the name verified, a byte
// to the server and one back, end. Full handshakes, and resumed ones: each connection resumes what
// the one before it was given last, by hand (SSL_set_session) or, as cotls does, by itself. Whether
// it really did is asked of each. Two scenarios see the same run:
//
//   handshake    CPU time, system calls and heap allocations of both processes
//   first_byte   the time from connect to the server's byte, as the client sees it

#include "meter.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_cotls_blocking.hpp"
#include "over_raw.hpp"
#include "payload.hpp"
#include "scenarios.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr char question = 'q';
constexpr char answer = 'a';

struct handshake_case {
  settings tls;
  bool resumed;
  int count;
  int warm_up;
};

struct handshake_usage {
  usage all;
  double first_byte_us = 0;  // the client's median
};

// Whether a client has to be told to keep a session; cotls keeps it by itself.
template <class Over>
concept resumes_by_hand = requires(typename Over::client client,
                                   typename Over::stream const& used) {
  client.keep_session(used);
};

template <class Over>
class handshake_ends {
  template <class T = void>
  using task = typename Over::template task<T>;
  using clock = std::chrono::steady_clock;

 public:
  static void serve(line& control, handshake_case const& what) {
    typename Over::loop loop;
    typename Over::server server(loop, what.tls);
    control.send(server.port());
    handshake_usage used;
    loop.spawn(serve_all(server, what, used));
    loop.run();
    control.send(used);
    control.receive<int>();
  }

  static void be_client(line& control, std::uint16_t port, handshake_case const& what) {
    typename Over::loop loop;
    typename Over::client client(loop, what.tls);
    handshake_usage used;
    loop.spawn(connect_all(client, port, what, used));
    loop.run();
    control.send(used);
    control.receive<int>();
  }

 private:
  static task<> serve_all(typename Over::server& server, handshake_case const& what,
                          handshake_usage& used) {
    for (int i = 0; i < what.warm_up; ++i) co_await serve_one(server);
    meter const counted;
    for (int i = 0; i < what.count; ++i) co_await serve_one(server);
    used.all = counted.used();
  }

  static task<> serve_one(typename Over::server& server) {
    auto peer = co_await server.accept();
    char asked = 0;
    std::vector<char> answered(1, answer);
    spoil_if_asked(answered);
    std::size_t const n = co_await Over::read_some(peer, asio::buffer(&asked, 1));
    require(n == 1 && asked == question, "what was read is not what was written");
    co_await Over::write(peer, asio::buffer(answered));
  }

  static task<> connect_all(typename Over::client& client, std::uint16_t port,
                            handshake_case const& what, handshake_usage& used) {
    samples first_bytes;
    for (int i = 0; i < what.warm_up; ++i) {
      first_bytes.add(co_await connect_one(client, port, what, i == 0));
    }
    first_bytes = samples();
    meter const counted;
    for (int i = 0; i < what.count; ++i) {
      first_bytes.add(co_await connect_one(client, port, what, false));
    }
    used.all = counted.used();
    used.first_byte_us = first_bytes.median();
  }

  // Returns the microseconds until the first byte; the first connection has nothing to resume.
  static task<double> connect_one(typename Over::client& client, std::uint16_t port,
                                  handshake_case const& what, bool first) {
    clock::time_point const begin = clock::now();
    auto peer = co_await client.connect(port, what.resumed ? resumption::on : resumption::off);
    char received = 0;
    co_await Over::write(peer, asio::buffer(&question, 1));
    std::size_t const n = co_await Over::read_some(peer, asio::buffer(&received, 1));
    std::chrono::duration<double, std::micro> const took = clock::now() - begin;

    require(n == 1 && received == answer, "what was read is not what was written");
    if (SSL* const ssl = Over::native_handle(peer)) {
      check_negotiated(ssl, what.tls);
      require((SSL_session_reused(ssl) == 1) == (what.resumed && !first),
              "a session was resumed that was not to be, or was not that was");
      if constexpr (resumes_by_hand<Over>) {
        if (what.resumed) client.keep_session(peer);
      }
    }
    co_return took.count();
  }
};

void add(results& into, subject const& of, handshake_case const& what,
         both<handshake_usage> const& used) {
  double const each = 1.0 / what.count;
  usage const& server = used.server.all;
  usage const& client = used.client.all;
  subject first_byte = of;
  if (of.scenario == "handshake") first_byte.scenario = "first_byte";
  into.add(first_byte, figures::first_byte_us, used.client.first_byte_us);
  if (of.implementation == over_tcp::name) return;  // there is no handshake

  into.add(of.with("side", "both"), figures::cpu_us_per_handshake,
           (server.cpu_seconds + client.cpu_seconds) * 1e6 * each);
  into.add(of, figures::handshakes_per_second, what.count / client.wall_seconds);
  for (auto const& [side, one] : {std::pair{"server", &server}, std::pair{"client", &client}}) {
    subject const here = of.with("side", side);
    into.add(here, figures::cpu_us_per_handshake, one->cpu_seconds * 1e6 * each);
    auto const count = [&](figure const& counted, char const* kind, std::int64_t value) {
      into.add(here.with("kind", kind), counted, static_cast<double>(value) * each);
    };
    count(figures::syscalls_per_connection, "all", one->system_calls.total());
    count(figures::syscalls_per_connection, "send", one->system_calls[system_call::send]);
    count(figures::syscalls_per_connection, "receive", one->system_calls[system_call::receive]);
    count(figures::allocations_per_connection, "own", one->heap.own());
    count(figures::allocations_per_connection, "OpenSSL's", one->heap.openssl);
  }
}

std::vector<implementation<handshake_case>> implementations(bool resumed) {
  std::vector all{
      implemented<handshake_ends<over_cotls>, handshake_case>(over_cotls::name),
      implemented<handshake_ends<over_cotls_token>, handshake_case>(over_cotls_token::name),
      implemented<handshake_ends<over_cotls_blocking>, handshake_case>(over_cotls_blocking::name),
      implemented<handshake_ends<over_asio_ssl>, handshake_case>(over_asio_ssl::name),
      implemented<handshake_ends<over_asio_ssl>, handshake_case>(over_asio_ssl::name, true),
      implemented<handshake_ends<over_openssl>, handshake_case>(over_openssl::name)};
  if (resumed) return all;
  all.push_back(implemented<handshake_ends<over_tcp>, handshake_case>(over_tcp::name));
  return all;
}

}  // namespace

void handshake(plan& planned, results& into) {
  for (version const protocol : {version::tls1_3, version::tls1_2}) {
    for (bool const resumed : {false, true}) {
      if (planned.how() == effort::gate && (resumed || protocol == version::tls1_2)) continue;
      handshake_case const what{{&planned.identity(), protocol},
                                resumed,
                                planned.pick(3, 100, 60, 300),
                                planned.pick(1, 20, 10, 20)};
      subject const of{
          .scenario = "handshake",
          .implementation = {},
          .given = {{"version", to_string(protocol)}, {"handshake", resumed ? "resumed" : "full"}}};
      planned.compare(implementations(resumed), what, of, planned.repetitions(),
                      [&into](implementation<handshake_case> const& over,
                              handshake_case const& given, subject const& measured) {
                        add(into, measured, given, run_both<handshake_usage>(over, given));
                      });
    }
  }
}

namespace {

// Full handshakes of cotls alone, with one thing that is its own.
void measure_own(plan& planned, results& into, settings const& tls, char const* scenario,
                 std::pair<char const*, std::string> const& given) {
  handshake_case const what{tls, false, planned.pick(3, 100, 60, 300), planned.pick(1, 20, 10, 20)};
  subject const of{.scenario = scenario,
                   .implementation = {},
                   .given = {{"version", to_string(tls.protocol)}, {given.first, given.second}}};
  std::vector const all{implemented<handshake_ends<over_cotls>, handshake_case>(over_cotls::name)};
  planned.compare(all, what, of, planned.repetitions(),
                  [&into](implementation<handshake_case> const& over, handshake_case const& each,
                          subject const& measured) {
                    add(into, measured, each, run_both<handshake_usage>(over, each));
                  });
}

char const* to_string(hello_hook value) noexcept {
  switch (value) {
    case hello_hook::none: return "none";
    case hello_hook::at_once: return "at once";
    case hello_hook::suspends: return "suspends once";
  }
  return "";
}

}  // namespace

// What it costs to have the key elsewhere. What a process takes that has it is not counted.
void signer(plan& planned, results& into) {
  if (planned.how() == effort::gate) return;
  for (key_place const key : {key_place::here, key_place::signer, key_place::awaited_signer,
                              key_place::other_process}) {
    settings tls{&planned.identity(), version::tls1_3};
    tls.key = key;
    measure_own(planned, into, tls, "signer", {"key", to_string(key)});
  }
}

// What it costs to ask the program at each hello.
void hooks(plan& planned, results& into) {
  if (planned.how() == effort::gate) return;
  for (hello_hook const hook : {hello_hook::none, hello_hook::at_once, hello_hook::suspends}) {
    settings tls{&planned.identity(), version::tls1_3};
    tls.hook = hook;
    measure_own(planned, into, tls, "hooks", {"on_client_hello", to_string(hook)});
  }
}

}  // namespace bench
