#pragma once

#include <cotls/connect.hpp>
#include <cotls/listener.hpp>

#include "asio_loop.hpp"
#include "require.hpp"
#include "settings.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <openssl/ssl.h>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace bench {

inline cotls::server_context make_cotls_server(settings const& given) {
  suite_lists const lists = suites_of(given);
  cotls::server_context made(protocol_of(given));
  made.use(*given.own).set_ciphers(lists.tls1_2, lists.tls1_3);
  return made;
}

inline cotls::client_context make_cotls_client(settings const& given) {
  suite_lists const lists = suites_of(given);
  cotls::client_context made(protocol_of(given));
  made.add_root(given.own->chain().leaf()).set_ciphers(lists.tls1_2, lists.tls1_3);
  return made;
}

/** cotls, as its README uses it; each operation with this completion token. It resumes no session
    by itself, so that a full handshake is one for everybody. */
template <class Token>
class basic_over_cotls {
  static constexpr bool awaitable = std::is_same_v<Token, asio::use_awaitable_t<>>;
  using tcp = asio::ip::tcp;

 public:
  static constexpr char const* name = awaitable ? "cotls" : "cotls-token";
  template <class T = void>
  using task = asio::awaitable<T>;
  using loop = asio_loop;
  using stream = cotls::tcp_stream;

  class server {
   public:
    server(loop& on, settings const& given)
        : listener_(on.context().get_executor(), {asio::ip::address_v4::loopback(), 0},
                    make_cotls_server(given)) {}

    std::uint16_t port() const { return listener_.port(); }

    asio::awaitable<stream> accept() {
      if constexpr (awaitable)
        return listener_.async_accept();
      else
        return accept_by_token();
    }

   private:
    asio::awaitable<stream> accept_by_token() {
      co_return co_await listener_.async_accept(Token());
    }

    cotls::listener listener_;
  };

  class client {
   public:
    client(loop&, settings const& given) : context_(make_cotls_client(given)) {}

    /** @param offered  A session to resume, or null */
    asio::awaitable<stream> connect(std::uint16_t port, SSL_SESSION* offered = nullptr) {
      if (offered) return resume(port, offered);
      if constexpr (awaitable) {
        return cotls::async_connect(
            "127.0.0.1", port, context_,
            cotls::connect_options().verify_host(host_name).resumption(false));
      } else {
        return connect_by_token(port);
      }
    }

   private:
    asio::awaitable<stream> connect_by_token(std::uint16_t port) {
      cotls::connect_options const options =
          cotls::connect_options().verify_host(host_name).resumption(false);
      asio::any_io_executor const executor = co_await asio::this_coro::executor;
      co_return co_await cotls::async_connect(executor, "127.0.0.1", port, context_, options,
                                              Token());
    }

    asio::awaitable<stream> resume(std::uint16_t port, SSL_SESSION* offered) {
      tcp::socket socket(co_await asio::this_coro::executor);
      tcp::endpoint const to(asio::ip::address_v4::loopback(), port);
      co_await socket.async_connect(to, asio::use_awaitable);
      socket.set_option(tcp::no_delay(true));
      cotls::client_options const options = cotls::client_options().host(host_name);
      stream made(std::move(socket), context_, options);
      require(SSL_set_session(made.native_handle(), offered) == 1, "the session is refused");
      co_await made.async_handshake(Token());
      co_return made;
    }

    cotls::client_context context_;
  };

  static auto read_some(stream& from, asio::mutable_buffer into) {
    return from.async_read_some(into, Token());
  }
  static auto write(stream& to, asio::const_buffer from) { return to.async_write(from, Token()); }
  static auto write(stream& to, std::span<asio::const_buffer const> from) {
    return to.async_write(from, Token());
  }

  static SSL* native_handle(stream const& of) noexcept { return of.native_handle(); }
};

using over_cotls = basic_over_cotls<asio::use_awaitable_t<>>;
using over_cotls_token = basic_over_cotls<asio::deferred_t>;

}  // namespace bench
