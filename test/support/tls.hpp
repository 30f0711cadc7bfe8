#pragma once

#include "run.hpp"

#include <cotls/identity.hpp>
#include <cotls/connect.hpp>
#include <cotls/context.hpp>
#include <cotls/listener.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>
#include <utility>

namespace cotls::test {

using tcp = asio::ip::tcp;
using namespace std::chrono_literals;

inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// Made once: making a key is slow under a sanitizer.
inline identity const& localhost_identity() {
  static identity const made = make_self_signed({"localhost", "127.0.0.1", "::1"});
  return made;
}

inline server_context localhost_server(protocol versions = protocol::secure) {
  return server_context(versions).use(localhost_identity());
}

/// Trusts the certificate of `localhost_server` and nothing else.
inline client_context localhost_client(protocol versions = protocol::secure) {
  return client_context(versions).add_root(localhost_identity().chain().leaf());
}

inline tcp::endpoint any_port() { return {asio::ip::address_v4::loopback(), 0}; }

/// A client and a server, connected over loopback, their handshakes done.
class tcp_pair {
 public:
  tcp_stream client;
  tcp_stream server;

  explicit tcp_pair(asio::io_context& context, protocol versions = protocol::secure) {
    listener accepts(context.get_executor(), any_port(), localhost_server(versions),
                     listener_options().stream_executor(context.get_executor()));
    accepts.async_accept([&](error_code code, tcp_stream made) {
      if (code) throw boost::system::system_error(code);
      server = std::move(made);
    });
    async_connect(context.get_executor(), "127.0.0.1", accepts.port(), localhost_client(versions),
                  connect_options(), [&](error_code code, tcp_stream made) {
                    if (code) throw boost::system::system_error(code);
                    client = std::move(made);
                    if (server) accepts.close();
                  });
    context.restart();
    while ((!client || !server) && context.run_one_for(10s) > 0) {
    }
    if (!client || !server) throw std::runtime_error("no connection over loopback");
    accepts.close();
    context.poll();
  }
};

/// What most tests begin with.
struct connected {
  asio::io_context context;
  tcp_pair pair{context};
  tcp_stream& client = pair.client;
  tcp_stream& server = pair.server;
};

/// A text of this length that repeats nothing soon, so that a byte out of place is seen.
inline std::string pattern(std::size_t length) {
  std::string text(length, '\0');
  unsigned state = 1;
  for (char& each : text) {
    state = state * 1664525u + 1013904223u;
    each = static_cast<char>('!' + (state >> 24) % 94);
  }
  return text;
}

/// Reads so many bytes.
template <class Stream>
asio::awaitable<std::string> receive(Stream& from, std::size_t length) {
  std::string text(length, '\0');
  co_await asio::async_read(from, asio::buffer(text), asio::use_awaitable);
  co_return text;
}

/// Reads until the peer's close_notify, or an error, which it returns beside the data.
template <class Stream>
asio::awaitable<std::pair<error_code, std::string>> read_to_end(Stream& from) {
  std::string all;
  std::string chunk(64 * 1024, '\0');
  for (;;) {
    auto const [code, count] = co_await from.async_read_some(asio::buffer(chunk), as_result);
    all.append(chunk, 0, count);
    if (code) co_return std::pair(code, std::move(all));
  }
}

}  // namespace cotls::test
