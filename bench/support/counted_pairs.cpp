#include "counted_pairs.hpp"

#include <cotls/engine.hpp>
#include <cotls/stream.hpp>

#include "asio_loop.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "payload.hpp"
#include "raw_connection.hpp"
#include "raw_loop.hpp"
#include "require.hpp"
#include "settings.hpp"
#include "task.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define COTLS_BENCH_HAS_CALLGRIND 1
#else
#define COTLS_BENCH_HAS_CALLGRIND 0
#endif

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace bench {

bool const can_count_instructions = COTLS_BENCH_HAS_CALLGRIND;

namespace {

#if COTLS_BENCH_HAS_CALLGRIND
void begin_counting() { CALLGRIND_START_INSTRUMENTATION; }
void toggle_counting() { CALLGRIND_TOGGLE_COLLECT; }
void dump(counted_part const& part) { CALLGRIND_DUMP_STATS_AT(part.name); }
#else
void begin_counting() {}
void toggle_counting() {}
void dump(counted_part const&) {}
#endif

constexpr std::size_t record_size = 16 * 1024;

using local_socket = asio::local::stream_protocol::socket;

// OpenSSL alone. Both ends take turns, so that none ever has to wait.
template <bool Sockets>
class raw_pair {
 public:
  template <class T = void>
  using task = bench::task<T>;
  using loop = raw_loop;
  struct contexts {
    explicit contexts(settings const& given)
        : server(make_server_context(given, true)), client(make_client_context(given, true)) {}
    ssl_context_ptr server;
    ssl_context_ptr client;
  };

  raw_pair(loop&, contexts const& from)
      : client(SSL_new(from.client.get())), server(SSL_new(from.server.get())) {
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    set_up_host(client.get());
    if constexpr (Sockets) {
      std::array<int, 2> made{};
      require(
          ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made.data()) == 0,
          "socketpair");
      sockets_.emplace_back(made[0]);
      sockets_.emplace_back(made[1]);
      SSL_set_fd(client.get(), made[0]);
      SSL_set_fd(server.get(), made[1]);
    } else {
      BIO* const up = BIO_new(BIO_s_mem());
      BIO* const down = BIO_new(BIO_s_mem());
      require(BIO_up_ref(up) == 1 && BIO_up_ref(down) == 1, "BIO_up_ref");
      SSL_set_bio(client.get(), down, up);
      SSL_set_bio(server.get(), up, down);
    }
  }

  void shake_hands(loop&) {
    bool client_done = false;
    bool server_done = false;
    for (int turns = 0; (!client_done || !server_done) && turns < 10; ++turns) {
      if (!client_done) client_done = SSL_do_handshake(client.get()) == 1;
      if (!server_done) server_done = SSL_do_handshake(server.get()) == 1;
    }
    require(client_done && server_done, "the handshake has failed");
  }

  ready<std::size_t> write(ssl_ptr& from, asio::const_buffer data) {
    std::size_t done = 0;
    require(SSL_write_ex(from.get(), data.data(), data.size(), &done) == 1, "writing has failed");
    return ready(done);
  }

  ready<std::size_t> read_some(ssl_ptr& from, asio::mutable_buffer into) {
    std::size_t done = 0;
    require(SSL_read_ex(from.get(), into.data(), into.size(), &done) == 1, "reading has failed");
    return ready(done);
  }

 private:
  std::vector<descriptor> sockets_;

 public:
  ssl_ptr client;
  ssl_ptr server;
};

// Two engines; whatever one emits is given to the other at once.
class engine_pair {
 public:
  template <class T = void>
  using task = bench::task<T>;
  using loop = raw_loop;
  struct contexts {
    explicit contexts(settings const& given)
        : server(make_cotls_server(given)), client(make_cotls_client(given)) {}
    cotls::server_context server;
    cotls::client_context client;
  };

  engine_pair(loop&, contexts const& from)
      : client(from.client, cotls::client_options().host(host_name)), server(from.server) {}

  void shake_hands(loop&) {
    cotls::step at_client;
    cotls::step at_server;
    do {
      at_client = client.handshake();
      carry(client, server);
      at_server = server.handshake();
      carry(server, client);
      require(!at_client.error && !at_server.error, "the handshake has failed");
    } while (at_client.want != cotls::want::nothing || at_server.want != cotls::want::nothing);
  }

  ready<std::size_t> write(cotls::engine& from, asio::const_buffer data) {
    cotls::step const done = from.write(data);
    require(!done.error && done.bytes == data.size(), "writing has failed");
    carry(from, &from == &client ? server : client);
    return ready(done.bytes);
  }

  ready<std::size_t> read_some(cotls::engine& from, asio::mutable_buffer into) {
    cotls::step const done = from.read(into);
    require(!done.error && done.bytes > 0, "reading has failed");
    return ready(done.bytes);
  }

 private:
  static void carry(cotls::engine& from, cotls::engine& to) {
    for (asio::const_buffer some = from.output(); some.size() > 0; some = from.output()) {
      to.input(some);
      from.consume_output(some.size());
    }
  }

 public:
  cotls::engine client;
  cotls::engine server;
};

std::pair<local_socket, local_socket> make_sockets(asio_loop& on) {
  std::pair<local_socket, local_socket> made{on.context(), on.context()};
  asio::local::connect_pair(made.first, made.second);
  return made;
}

class stream_pair {
  using stream = cotls::stream<local_socket>;

 public:
  template <class T = void>
  using task = asio::awaitable<T>;
  using loop = asio_loop;
  using contexts = engine_pair::contexts;

  stream_pair(loop& on, contexts const& from) : stream_pair(make_sockets(on), from) {}

  void shake_hands(loop& on) {
    on.spawn(client.async_handshake());
    on.spawn(server.async_handshake());
    on.run();
  }
  auto write(stream& from, asio::const_buffer data) { return from.async_write(data); }
  auto read_some(stream& from, asio::mutable_buffer into) { return from.async_read_some(into); }

 private:
  stream_pair(std::pair<local_socket, local_socket> over, contexts const& from)
      : client(std::move(over.first), from.client, cotls::client_options().host(host_name)),
        server(std::move(over.second), from.server) {}

 public:
  stream client;
  stream server;
};

class asio_pair {
  using stream = asio::ssl::stream<local_socket>;

 public:
  template <class T = void>
  using task = asio::awaitable<T>;
  using loop = asio_loop;
  struct contexts {
    explicit contexts(settings const& given)
        : server(over_asio_ssl::make_server(given)), client(over_asio_ssl::make_client(given)) {}
    asio::ssl::context mutable server;
    asio::ssl::context mutable client;
  };

  asio_pair(loop& on, contexts const& from) : asio_pair(make_sockets(on), from) {}

  void shake_hands(loop& on) {
    on.spawn(client.async_handshake(stream::client, asio::use_awaitable));
    on.spawn(server.async_handshake(stream::server, asio::use_awaitable));
    on.run();
  }
  auto write(stream& from, asio::const_buffer data) {
    return asio::async_write(from, asio::buffer(data), asio::use_awaitable);
  }
  auto read_some(stream& from, asio::mutable_buffer into) {
    return from.async_read_some(asio::buffer(into), asio::use_awaitable);
  }

 private:
  asio_pair(std::pair<local_socket, local_socket> over, contexts const& from)
      : client(std::move(over.first), from.client), server(std::move(over.second), from.server) {
    client.set_verify_callback(asio::ssl::host_name_verification(host_name));
    require(SSL_set_tlsext_host_name(client.native_handle(), host_name) == 1, "SNI");
  }

 public:
  stream client;
  stream server;
};

template <class Pair>
class counted_run {
  template <class T = void>
  using task = typename Pair::template task<T>;

 public:
  explicit counted_run(settings const& given) : contexts_(given) {}

  void run() {
    handshakes(2);
    begin_counting();
    handshakes(1);
    toggle_counting();
    handshakes(counted_handshakes.times);
    toggle_counting();
    dump(counted_handshakes);

    Pair pair(loop_, contexts_);
    pair.shake_hands(loop_);
    loop_.spawn(echo(pair, sent_, 10));
    loop_.run();
    loop_.spawn(count_echoes(pair));
    loop_.run();
    dump(counted_echoes);

    loop_.spawn(count_reads(pair));
    loop_.run();
    dump(counted_reads);
  }

 private:
  void handshakes(int times) {
    for (int i = 0; i < times; ++i) Pair(loop_, contexts_).shake_hands(loop_);
  }

  task<> count_echoes(Pair& pair) {
    toggle_counting();
    co_await echo(pair, sent_, counted_echoes.times);
    toggle_counting();
  }

  static task<> echo(Pair& pair, std::vector<char> const& sent, int times) {
    std::vector<char> received(counted_message);
    auto const message = asio::buffer(sent.data(), counted_message);
    for (int i = 0; i < times; ++i) {
      std::size_t n = co_await pair.write(pair.client, message);
      n = co_await pair.read_some(pair.server, asio::buffer(received));
      require(n == counted_message, "a read is short");
      n = co_await pair.write(pair.server, asio::buffer(received));
      n = co_await pair.read_some(pair.client, asio::buffer(received));
      require(n == counted_message, "a read is short");
      require(std::equal(received.begin(), received.end(), sent.begin()),
              "what was read is not what was written");
    }
  }

  // As in the scenario small_reads, but for the clock.
  task<> count_reads(Pair& pair) {
    std::vector<char> received(record_size);
    constexpr std::size_t piece = counted_piece;
    for (int reads = 0; reads < counted_reads.times; reads += counted_reads_a_record) {
      auto const part = [&](std::size_t at) {
        return asio::mutable_buffer(received.data() + at, piece);
      };
      std::size_t got = co_await pair.write(pair.server, asio::buffer(sent_.data(), record_size));
      got = co_await pair.read_some(pair.client, part(0));
      toggle_counting();
      while (got < record_size - piece) got += co_await pair.read_some(pair.client, part(got));
      toggle_counting();
      got += co_await pair.read_some(pair.client, part(got));
      require(got == record_size && std::equal(received.begin(), received.end(), sent_.begin()),
              "what was read is not what was written");
    }
  }

  typename Pair::contexts contexts_;
  typename Pair::loop loop_;
  std::vector<char> const sent_ = make_payload(record_size);   // made before anything is counted
};

template <class Pair>
void run(settings const& given) {
  counted_run<Pair>(given).run();
}

struct counted_subject {
  char const* name;
  void (*run)(settings const&);
};

constexpr std::array subjects{
    counted_subject{"cotls/memory", run<engine_pair>},
    counted_subject{"openssl/memory", run<raw_pair<false>>},
    counted_subject{"cotls/socket", run<stream_pair>},
    counted_subject{"asio-ssl/socket", run<asio_pair>},
    counted_subject{"openssl/socket", run<raw_pair<true>>},
};

}  // namespace

std::vector<std::string> counted_subjects() {
  std::vector<std::string> names;
  for (counted_subject const& one : subjects) names.emplace_back(one.name);
  return names;
}

void run_counted_subject(std::string const& name) {
  cotls::identity const own = make_identity();
  settings const given{&own};
  for (counted_subject const& one : subjects) {
    if (name == one.name) return one.run(given);
  }
  require(false, "there is no such subject");
}

}  // namespace bench
