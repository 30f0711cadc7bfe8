// Throughput of one connection: writes of one size, to the client, to the server, or both ways at
// once. CPU time and system calls of both processes, from after the handshake to the last byte.
//
//   sender    write, write, write ...       receiver   read what is here, check each byte
//
// Checking costs the same whoever receives, and is part of every figure. The machine's limit is
// what plain TCP takes for the same, and what the cipher takes to seal and open as many bytes:
// measured in the same run, it is the implementation "limit".

#include "cipher_speed.hpp"
#include "meter.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_cotls_blocking.hpp"
#include "over_raw.hpp"
#include "payload.hpp"
#include "scenarios.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr double mb = 1e6;
constexpr double gb = 1e9;
constexpr std::size_t read_size = 64 * 1024;

enum class direction : std::uint8_t { down, up, both };

struct bulk_case {
  settings tls;
  direction way;
  std::size_t write_size;
  std::size_t pieces;  // buffers a write
  std::size_t bytes;   // each way

  bool server_sends() const noexcept { return way != direction::up; }
  bool client_sends() const noexcept { return way != direction::down; }
};

template <class Over>
class bulk_ends {
  template <class T = void>
  using task = typename Over::template task<T>;
  using stream = typename Over::stream;

 public:
  static void serve(line& control, bulk_case const& what) {
    typename Over::loop loop;
    typename Over::server server(loop, what.tls);
    control.send(server.port());
    std::optional<stream> peer;
    loop.spawn(accept(server, peer));
    loop.run();
    transfer(control, loop, *peer, what, what.server_sends(), what.client_sends());
  }

  static void be_client(line& control, std::uint16_t port, bulk_case const& what) {
    typename Over::loop loop;
    typename Over::client client(loop, what.tls);
    std::optional<stream> peer;
    loop.spawn(connect(client, port, peer));
    loop.run();
    check_negotiated(Over::native_handle(*peer), what.tls);
    transfer(control, loop, *peer, what, what.client_sends(), what.server_sends());
  }

 private:
  static task<> accept(typename Over::server& server, std::optional<stream>& into) {
    into.emplace(co_await server.accept());
  }

  static task<> connect(typename Over::client& client, std::uint16_t port,
                        std::optional<stream>& into) {
    into.emplace(co_await client.connect(port));
  }

  static void transfer(line& control, typename Over::loop& loop, stream& peer,
                       bulk_case const& what, bool sends, bool receives) {
    std::vector<char> data = make_payload(what.write_size);
    spoil_if_asked(data);
    meter const counted;
    if (receives && !sends) loop.spawn(peer, receive(peer, what.bytes));
    if (sends) loop.spawn(peer, send(peer, data, what));
    if (receives && sends) loop.spawn(peer, receive(peer, what.bytes));
    loop.run();
    control.send(counted.used());
    control.receive<int>();  // both have all: neither closes while the other's data is on its way
  }

  static task<> send(stream& peer, std::vector<char> const& data, bulk_case const& what) {
    if (what.pieces > 1) return send_gathered(peer, data, what);
    return send_whole(peer, data, what);
  }

  static task<> send_whole(stream& peer, std::vector<char> const& data, bulk_case const& what) {
    for (std::size_t sent = 0; sent < what.bytes;) {
      asio::const_buffer const next(data.data() + sent % data.size(), what.write_size);
      sent += co_await Over::write(peer, next);
    }
  }

  static task<> send_gathered(stream& peer, std::vector<char> const& data, bulk_case const& what) {
    std::size_t const piece = what.write_size / what.pieces;
    std::vector<asio::const_buffer> buffers;
    for (std::size_t i = 0; i < what.pieces; ++i) buffers.emplace_back(nullptr, 0);
    for (std::size_t sent = 0; sent < what.bytes;) {
      char const* const first = data.data() + sent % data.size();
      for (std::size_t i = 0; i < what.pieces; ++i) {
        buffers[i] = asio::const_buffer(first + i * piece, piece);
      }
      std::span<asio::const_buffer const> const all(buffers);
      sent += co_await Over::write(peer, all);
    }
  }

  static task<> receive(stream& peer, std::size_t bytes) {
    std::vector<char> data(read_size);
    payload_check check;
    while (check.checked() < bytes) {
      std::size_t const n = co_await Over::read_some(peer, asio::buffer(data));
      require(n > 0, "the transfer was cut off");
      check(data.data(), n);
    }
    require(check.checked() == bytes, "more was read than was written");
  }
};

void add(results& into, subject const& of, bulk_case const& what, both<usage> const& used) {
  double const ways = what.way == direction::both ? 2 : 1;
  double const amount = ways * static_cast<double>(what.bytes);
  usage const& receiver = what.way == direction::up ? used.server : used.client;
  usage const& sender = what.way == direction::up ? used.client : used.server;
  auto const add_calls = [&](char const* side, char const* kind, std::int64_t calls) {
    into.add(of.with("side", side).with("kind", kind), figures::syscalls_per_mb,
             static_cast<double>(calls) * mb / amount);
  };
  into.add(of, figures::cpu_seconds_per_gb,
           (used.server.cpu_seconds + used.client.cpu_seconds) * gb / amount);
  into.add(of, figures::mb_per_second, amount / mb / receiver.wall_seconds);
  add_calls("sender", "all", sender.system_calls.total());
  add_calls("sender", "send", sender.system_calls[system_call::send]);
  add_calls("receiver", "all", receiver.system_calls.total());
  add_calls("receiver", "receive", receiver.system_calls[system_call::receive]);
}

std::vector<implementation<bulk_case>> implementations(direction way) {
  if (way == direction::both) {
    // Two directions at once need more than one blocking socket.
    return {implemented<bulk_ends<over_cotls>, bulk_case>(over_cotls::name),
            implemented<bulk_ends<over_cotls_token>, bulk_case>(over_cotls_token::name),
            implemented<bulk_ends<over_asio_ssl>, bulk_case>(over_asio_ssl::name),
            implemented<bulk_ends<over_openssl_epoll>, bulk_case>(over_openssl_epoll::name),
            implemented<bulk_ends<over_tcp_epoll>, bulk_case>(over_tcp_epoll::name)};
  }
  return {implemented<bulk_ends<over_cotls>, bulk_case>(over_cotls::name),
          implemented<bulk_ends<over_cotls_token>, bulk_case>(over_cotls_token::name),
          implemented<bulk_ends<over_cotls_blocking>, bulk_case>(over_cotls_blocking::name),
          implemented<bulk_ends<over_asio_ssl>, bulk_case>(over_asio_ssl::name),
          implemented<bulk_ends<over_openssl>, bulk_case>(over_openssl::name),
          implemented<bulk_ends<over_tcp>, bulk_case>(over_tcp::name)};
}

std::string to_string(direction way) {
  switch (way) {
    case direction::down:
      return "to client";
    case direction::up:
      return "to server";
    case direction::both:
      return "both ways";
  }
  return {};
}

std::size_t amount(plan const& planned, std::size_t write_size) {
  constexpr std::size_t mib = 1024 * 1024;
  std::size_t const most = planned.pick<std::size_t>(1, 4, 32, 256) * mib;
  // Small writes take long; as many bytes are not needed to measure them.
  return write_size < 16 * 1024 ? std::max(most / 4, mib) : most;
}

// Plain TCP was measured just before: what it took, and what the cipher takes.
void add_limit(results& into, subject of, settings const& tls) {
  of.implementation = over_tcp::name;
  result const like{of, figures::cpu_seconds_per_gb, {}};
  result const* const tcp = into.find(like, over_tcp::name);
  if (!tcp) return;
  of.implementation = "limit";
  into.add(of, figures::cpu_seconds_per_gb,
           tcp->values.last() + seconds_to_seal_and_open(tls) * gb);
}

void plan_case(plan& planned, results& into, subject of, bulk_case const& what) {
  of.given.insert(of.given.begin(), {{"version", to_string(what.tls.protocol)},
                                     {"suite", to_string(what.tls.cipher)},
                                     {"direction", to_string(what.way)},
                                     {"write_bytes", static_cast<std::int64_t>(what.write_size)}});
  planned.compare(implementations(what.way), what, of, planned.repetitions(),
                  [&into](implementation<bulk_case> const& over, bulk_case const& given,
                          subject const& measured) {
                    add(into, measured, given, run_both<usage>(over, given));
                  });
  if (!planned.wants(over_tcp::name)) return;
  planned.add({of.scenario + ", the cipher, " + describe(of.given), planned.repetitions(),
               [&into, of, tls = what.tls] { add_limit(into, of, tls); }});
}

}  // namespace

void bulk(plan& planned, results& into) {
  bulk_case usual{{&planned.identity()}, direction::down, 64 * 1024, 1, 0};
  subject const of{.scenario = "bulk", .implementation = {}, .given = {}};
  auto const add_case = [&](bulk_case what) {
    what.bytes = amount(planned, what.write_size);
    plan_case(planned, into, of, what);
  };

  std::vector<std::size_t> kib{1, 4, 16, 64, 256, 1024};
  if (planned.how() == effort::smoke) kib = {1, 64, 1024};
  if (planned.how() == effort::gate) kib = {64};
  for (std::size_t const size : kib) {
    bulk_case what = usual;
    what.write_size = size * 1024;
    add_case(what);
  }
  if (planned.how() == effort::gate) return;
  for (direction const way : {direction::up, direction::both}) {
    bulk_case what = usual;
    what.way = way;
    add_case(what);
  }
  for (version const protocol : {version::tls1_2, version::tls1_3}) {
    for (suite const cipher : {suite::aes_128_gcm, suite::aes_256_gcm, suite::chacha20_poly1305}) {
      if (protocol == usual.tls.protocol && cipher == usual.tls.cipher) continue;
      if (planned.how() < effort::full && protocol == version::tls1_2 &&
          cipher != suite::aes_256_gcm) {
        continue;
      }
      bulk_case what = usual;
      what.tls.protocol = protocol;
      what.tls.cipher = cipher;
      add_case(what);
    }
  }
}

void gathered_writes(plan& planned, results& into) {
  for (std::int64_t const piece : {16, 64, 256}) {
    bulk_case what{{&planned.identity()}, direction::down, 16 * 1024, 0, 0};
    what.pieces = what.write_size / static_cast<std::size_t>(piece);
    what.bytes = amount(planned, what.write_size) / 2;
    subject const of{
        .scenario = "gathered_writes", .implementation = {}, .given = {{"buffer_bytes", piece}}};
    plan_case(planned, into, of, what);
  }
}

}  // namespace bench
