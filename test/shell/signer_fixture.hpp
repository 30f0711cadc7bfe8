#pragma once

#include "key_elsewhere.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string_view>

namespace cotls::test::signer_fixture {

namespace data = boost::unit_test::data;
using clock = std::chrono::steady_clock;
using local_socket = asio::local::stream_protocol::socket;
using local_stream = stream<local_socket>;

enum class answer { signs, throws, signs_wrongly, never, never_and_heeds_nothing };

inline std::ostream& operator<<(std::ostream& out, answer which) {
  constexpr std::array names{"signs", "throws", "signs wrongly", "never", "never, heeds nothing"};
  return out << names[static_cast<std::size_t>(which)];
}

enum class end { server, client };

inline std::ostream& operator<<(std::ostream& out, end which) {
  return out << (which == end::server ? "server" : "client");
}

enum class driver { awaited, composed };

inline std::ostream& operator<<(std::ostream& out, driver which) {
  return out << (which == driver::awaited ? "awaited" : "composed");
}

inline auto const versions = data::make({protocol::tls1_2, protocol::tls1_3});
inline auto const ends = data::make({end::server, end::client});
inline auto const drivers = data::make({driver::awaited, driver::composed});

inline key_elsewhere const& far_key() {
  static key_elsewhere const made("P-256");
  return made;
}

// What was asked, and what is in progress of that.
struct tally {
  std::atomic<int> asked{0};
  std::atomic<int> alive{0};
};

class living {
 public:
  explicit living(tally& of) : of_(of) { ++of_.alive; }
  living(living const&) = delete;
  ~living() { --of_.alive; }

 private:
  tally& of_;
};

inline asio::awaitable<signer::signature> answered(signature_request const& request, answer how,
                                            int pauses, tally& counted) {
  living const here(counted);
  ++counted.asked;
  auto const executor = co_await asio::this_coro::executor;
  for (int i = 0; i < pauses; ++i) co_await asio::post(executor, asio::use_awaitable);
  if (how == answer::never_and_heeds_nothing) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  }
  if (how == answer::never || how == answer::never_and_heeds_nothing) {
    asio::steady_timer waits(executor, clock::time_point::max());
    co_await waits.async_wait(asio::use_awaitable);
  }
  if (how == answer::throws) throw std::runtime_error("the device is gone");
  signer::signature made = sign_with(far_key().key(), request, true);
  if (how == answer::signs_wrongly) made.resize(made.size() - 1);
  co_return made;
}

inline signer waiting(answer how, int pauses, tally& counted) {
  return [=, &counted](signature_request const& request) {
    return answered(request, how, pauses, counted);
  };
}

// Two ends, each of which shows a certificate; one of them has its key elsewhere.
struct contexts {
  server_context server;
  client_context client;

  contexts(end which, signer sign, protocol version)
      : server(version), client(version) {
    identity const far = far_key().signed_by(std::move(sign));
    identity const& near = localhost_identity();
    server.use(which == end::server ? far : near);
    server.add_root(near.chain().leaf()).add_root(far.chain().leaf());
    server.set_verify(verify::required);
    client.use(which == end::client ? far : near);
    client.add_root(near.chain().leaf()).add_root(far.chain().leaf());
  }
};

struct pair {
  local_stream client;
  local_stream server;

  pair(asio::any_io_executor const& executor, contexts const& of)
      : pair(local_socket(executor), local_socket(executor), of) {}

 private:
  pair(local_socket near, local_socket far, contexts const& of)
      : client((asio::local::connect_pair(near, far), std::move(near)), of.client,
               client_options().host("localhost")),
        server(std::move(far), of.server) {}
};

struct fixture {
  asio::io_context context;
  tally counted;
  asio::cancellation_signal cancel;   // of the end that signs

  // Shakes hands at both ends, and lets the client read what a server says last (T7).
  std::pair<error_code, error_code> shake_hands(pair& both, end signs, driver by) {
    std::optional<error_code> client;
    std::optional<error_code> server;
    bool const is_server = signs == end::server;
    start(both.server, by, is_server, server);
    start(both.client, by, !is_server, client);
    run_until([&] { return client && server; });
    if (!*client && *server) client = first_read(both.client);
    if (!*client && !*server && !is_server) {
      asio::co_spawn(context, both.server.async_write(asio::buffer("x", 1)), asio::detached);
      client = first_read(both.client);
    }
    return {*client, *server};
  }

  template <class Done>
  void run_until(Done const& done) {
    auto const until = clock::now() + 20s;
    context.restart();
    while (!done() && clock::now() < until) context.run_one_until(until);
    BOOST_REQUIRE(done());
  }

  void settle() {
    context.restart();
    context.poll();
  }

 private:
  void start(local_stream& of, driver by, bool is_cancelled, std::optional<error_code>& ended) {
    auto const slot = is_cancelled ? cancel.slot() : asio::cancellation_slot();
    auto const done = [&ended](error_code code) { ended = code; };
    if (by == driver::composed) {
      return of.async_handshake(asio::bind_cancellation_slot(slot, done));
    }
    asio::co_spawn(context, of.async_handshake(as_result),
                   asio::bind_cancellation_slot(
                       slot, [done](std::exception_ptr thrown, std::tuple<error_code> got) {
                         if (thrown) std::rethrow_exception(thrown);
                         done(std::get<0>(got));
                       }));
  }

  error_code first_read(local_stream& from) {
    std::optional<error_code> code;
    std::array<char, 1> byte;
    from.async_read_some(asio::buffer(byte), [&](error_code got, std::size_t) { code = got; });
    run_until([&] { return code.has_value(); });
    return *code;
  }
};

inline bool says(error const& thrown, std::string_view text) {
  return std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

inline local_stream& signing_end(pair& of, end which) {
  return which == end::server ? of.server : of.client;
}

}  // namespace cotls::test::signer_fixture
