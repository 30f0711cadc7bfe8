// Throughput of one connection: the server writes 64 KiB at a time, the client reads what is there.
// CPU time of both processes, and their system calls.

#include "cpu.hpp"
#include "loop.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_openssl.hpp"
#include "process.hpp"
#include "samples.hpp"
#include "scenario.hpp"
#include "system_calls.hpp"
#include "table.hpp"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr std::size_t chunk = 64 * 1024;
constexpr double mb = 1e6;
constexpr double gb = 1e9;

struct usage {
  double cpu_seconds;
  double wall_seconds;
  std::int64_t system_calls;
};

// From its making to its end: a transfer without the handshake.
class meter {
 public:
  usage used() const noexcept {
    system_call_counts calls = system_calls_now();
    calls -= calls_;
    return {watch_.cpu(), watch_.wall(), calls.total()};
  }

 private:
  system_call_counts calls_ = system_calls_now();
  stopwatch watch_;
};

// What the chunk that is sent again and again holds: 251 is prime, so that a byte tells its place.
char byte_at(std::size_t offset) noexcept { return static_cast<char>(offset % chunk % 251); }

std::vector<char> make_chunk() {
  std::vector<char> made(chunk);
  for (std::size_t i = 0; i < chunk; ++i) made[i] = byte_at(i);
  return made;
}

// The ends of what a read gave; what lies between, TLS has authenticated.
void check(std::vector<char> const& data, std::size_t size, std::size_t offset) {
  require(
      size > 0 && data.front() == byte_at(offset) && data[size - 1] == byte_at(offset + size - 1),
      "what was read is not what was written");
}

template <class Over>
asio::awaitable<void> send_all(typename Over::server& server, std::size_t bytes, usage& used) {
  auto peer = co_await server.accept();
  std::vector<char> const data = make_chunk();
  char done = 0;
  meter const counted;
  for (std::size_t sent = 0; sent < bytes;) {
    sent += co_await Over::write(peer, asio::buffer(data));
  }
  used = counted.used();
  co_await peer.async_read_some(asio::buffer(&done, 1), asio::use_awaitable);
}

template <class Over>
asio::awaitable<void> receive_all(typename Over::client& client, std::uint16_t port,
                                  std::size_t bytes, usage& used) {
  auto peer = co_await client.connect(port);
  std::vector<char> data(chunk);
  char const done = 1;
  meter const counted;
  for (std::size_t received = 0; received < bytes;) {
    std::size_t const n = co_await peer.async_read_some(asio::buffer(data), asio::use_awaitable);
    check(data, n, received);
    received += n;
  }
  used = counted.used();
  co_await Over::write(peer, asio::buffer(&done, 1));
}

template <class Over>
void serve(line& control, cotls::identity const& own, std::size_t bytes) {
  asio::io_context io(1);
  typename Over::server server(io, own);
  control.send(server.port());
  usage used{};
  run_until_done(io, send_all<Over>(server, bytes, used));
  control.send(used);
}

template <class Over>
void be_client(line& control, cotls::identity const& own, std::uint16_t port, std::size_t bytes) {
  asio::io_context io(1);
  typename Over::client client(own);
  usage used{};
  run_until_done(io, receive_all<Over>(client, port, bytes, used));
  control.send(used);
}

void serve_openssl(line& control, cotls::identity const& own, std::size_t bytes) {
  auto const context = over_openssl::make_server(own);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  tcp_listener const listener;
  control.send(listener.port());
  auto peer = over_openssl::connection::accept(context.get(), listener.accept());
  std::vector<char> const data = make_chunk();
  char done = 0;
  meter const counted;
  for (std::size_t sent = 0; sent < bytes; sent += chunk) peer.write(data.data(), chunk);
  control.send(counted.used());
  peer.read(&done, 1);
}

void be_openssl_client(line& control, cotls::identity const& own, std::uint16_t port,
                       std::size_t bytes) {
  auto const context = over_openssl::make_client(own);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  auto peer = over_openssl::connection::connect(context.get(), connect_to(port));
  std::vector<char> data(chunk);
  char const done = 1;
  meter const counted;
  for (std::size_t received = 0; received < bytes;) {
    std::size_t const n = peer.read_some(data.data(), chunk);
    check(data, n, received);
    received += n;
  }
  control.send(counted.used());
  peer.write(&done, 1);
}

struct implementation {
  std::string name;
  std::function<void(line&, cotls::identity const&, std::size_t)> serve;
  std::function<void(line&, cotls::identity const&, std::uint16_t, std::size_t)> be_client;
};

template <class Over>
implementation made_of() {
  return {Over::name, serve<Over>, be_client<Over>};
}

struct figures {
  samples cpu_per_gb, sender_cpu, receiver_cpu, mb_per_second, sender_calls, receiver_calls;
};

void measure(implementation const& over, cotls::identity const& own, std::size_t bytes,
             figures& into) {
  process server([&](line& control) { over.serve(control, own, bytes); });
  auto const port = server.control().receive<std::uint16_t>();
  process client([&](line& control) { over.be_client(control, own, port, bytes); });
  auto const received = client.control().receive<usage>();
  auto const sent = server.control().receive<usage>();
  client.join();
  server.join();
  auto const amount = static_cast<double>(bytes);
  into.cpu_per_gb.add((sent.cpu_seconds + received.cpu_seconds) * gb / amount);
  into.sender_cpu.add(sent.cpu_seconds * gb / amount);
  into.receiver_cpu.add(received.cpu_seconds * gb / amount);
  into.mb_per_second.add(amount / mb / received.wall_seconds);
  into.sender_calls.add(static_cast<double>(sent.system_calls) * mb / amount);
  into.receiver_calls.add(static_cast<double>(received.system_calls) * mb / amount);
}

void compare(cotls::identity const& own, std::size_t bytes, int repetitions) {
  std::array const all{made_of<over_cotls>(), made_of<over_asio_ssl>(),
                       implementation{"openssl, blocking", serve_openssl, be_openssl_client}};
  std::array<figures, all.size()> measured;
  for (int i = 0; i < repetitions; ++i) {
    for (std::size_t at = 0; at < all.size(); ++at) measure(all[at], own, bytes, measured[at]);
  }
  table shown({"", "CPU s/GB", "lowest", "highest", "to asio-ssl", "to openssl", "sender",
               "receiver", "MB/s", "calls/MB, sender", "receiver"});
  for (std::size_t at = 0; at < all.size(); ++at) {
    figures const& of = measured[at];
    double const median = of.cpu_per_gb.median();
    shown.add({all[at].name, number(median, 3), number(of.cpu_per_gb.lowest(), 3),
               number(of.cpu_per_gb.highest(), 3), ratio(median, measured[1].cpu_per_gb.median()),
               ratio(median, measured[2].cpu_per_gb.median()), number(of.sender_cpu.median(), 3),
               number(of.receiver_cpu.median(), 3), number(of.mb_per_second.median()),
               number(of.sender_calls.median(), 1), number(of.receiver_calls.median(), 1)});
  }
  shown.print("One connection, writes of 64 KiB, one way (medians of " +
              std::to_string(repetitions) + " runs of " + number(static_cast<double>(bytes) / mb) +
              " MB)");
}

}  // namespace

int main(int argc, char** argv) {
  return run_scenario(
      argc, argv, "CPU time and system calls of a transfer over one TLS 1.3 connection.",
      [](arguments& given) {
        int const chunks = given.number("--chunks", 6000, "of 64 KiB, written in one run");
        int const repetitions = given.number("--repetitions", 7, "runs of each implementation");
        if (!given.complete()) return true;
        compare(make_identity(), static_cast<std::size_t>(chunks) * chunk, repetitions);
        return true;
      });
}
