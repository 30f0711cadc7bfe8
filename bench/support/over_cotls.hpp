#pragma once

#include <cotls/connect.hpp>
#include <cotls/listener.hpp>

#include "asio_loop.hpp"
#include "settings.hpp"
#include "signers.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace bench {

inline cotls::server_context make_cotls_server(settings const& given) {
  suite_lists const lists = suites_of(given);
  cotls::server_context made(protocol_of(given));
  made.use(signing_identity(given)).set_ciphers(lists.tls1_2, lists.tls1_3);
  switch (given.hook) {
    case hello_hook::none: break;
    case hello_hook::at_once:
      made.on_client_hello([](cotls::client_hello const&) { return cotls::hello_answer(); });
      break;
    case hello_hook::suspends:
      made.on_client_hello(
          [](cotls::client_hello const&) -> asio::awaitable<cotls::hello_answer> {
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            co_return cotls::hello_answer();
          });
      break;
  }
  return made;
}

inline cotls::client_context make_cotls_client(settings const& given) {
  suite_lists const lists = suites_of(given);
  cotls::client_context made(protocol_of(given));
  made.add_root(given.own->chain().leaf()).set_ciphers(lists.tls1_2, lists.tls1_3);
  return made;
}

/** As its README connects; but it resumes a session only where that is measured, so that a full
    handshake is one for everybody. */
inline cotls::connect_options cotls_options(resumption how) {
  return cotls::connect_options().verify_host(host_name).resumption(how == resumption::on);
}

/** cotls, as its README uses it; each operation with this completion token. Its client keeps
    sessions by itself. */
template <class Token>
class basic_over_cotls {
  static constexpr bool awaitable = std::is_same_v<Token, asio::use_awaitable_t<>>;

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

    asio::awaitable<stream> connect(std::uint16_t port, resumption how = resumption::off) {
      if constexpr (awaitable)
        return cotls::async_connect("127.0.0.1", port, context_, cotls_options(how));
      else
        return connect_by_token(port, how);
    }

   private:
    asio::awaitable<stream> connect_by_token(std::uint16_t port, resumption how) {
      asio::any_io_executor const executor = co_await asio::this_coro::executor;
      co_return co_await cotls::async_connect(executor, "127.0.0.1", port, context_,
                                              cotls_options(how), Token());
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
