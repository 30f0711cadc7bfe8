#pragma once

#include "asio_loop.hpp"
#include "kept_session.hpp"
#include "require.hpp"
#include "settings.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <span>
#include <utility>

namespace bench {

/** asio::ssl::stream from coroutines, doing by hand what cotls does by itself: a strand a
    connection, TCP_NODELAY, and the server's chain and name verified.

    Otherwise it keeps its defaults, to which SSL_MODE_RELEASE_BUFFERS belongs. Tuned, it has what
    its users may set through `native_handle()`: one ticket, no search for missing issuers, no
    session cache. */
class over_asio_ssl {
  using tcp = asio::ip::tcp;

 public:
  static constexpr char const* name = "asio-ssl";
  template <class T = void>
  using task = asio::awaitable<T>;
  using loop = asio_loop;
  using stream = asio::ssl::stream<tcp::socket>;

  static asio::ssl::context make_server(settings const& given) {
    asio::ssl::context made(asio::ssl::context::tls_server);
    set_up_server(made.native_handle(), given);
    if (given.tuned) tune(made.native_handle());
    return made;
  }

  static asio::ssl::context make_client(settings const& given) {
    asio::ssl::context made(asio::ssl::context::tls_client);
    set_up_client(made.native_handle(), given);
    made.set_verify_mode(asio::ssl::verify_peer);
    if (given.tuned) tune(made.native_handle());
    return made;
  }

  class server {
   public:
    server(loop& on, settings const& given)
        : context_(make_server(given)),
          acceptor_(on.context(), {asio::ip::address_v4::loopback(), 0}) {}

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    asio::awaitable<stream> accept() {
      asio::any_io_executor const strand = asio::make_strand(acceptor_.get_executor());
      tcp::socket socket = co_await acceptor_.async_accept(strand, asio::use_awaitable);
      socket.set_option(tcp::no_delay(true));
      stream made(std::move(socket), context_);
      co_await made.async_handshake(stream::server, asio::use_awaitable);
      co_return made;
    }

   private:
    asio::ssl::context context_;
    tcp::acceptor acceptor_;
  };

  class client {
   public:
    client(loop&, settings const& given) : context_(make_client(given)) {}

    asio::awaitable<stream> connect(std::uint16_t port, resumption how = resumption::off) {
      stream made(co_await asio::this_coro::executor, context_);
      made.set_verify_callback(asio::ssl::host_name_verification(host_name));
      require(SSL_set_tlsext_host_name(made.native_handle(), host_name) == 1, "SNI");
      if (how == resumption::on) session_.offer(made.native_handle());
      tcp::endpoint const to(asio::ip::address_v4::loopback(), port);
      co_await made.lowest_layer().async_connect(to, asio::use_awaitable);
      made.lowest_layer().set_option(tcp::no_delay(true));
      co_await made.async_handshake(stream::client, asio::use_awaitable);
      co_return made;
    }

    /** Keeps a connection's session for the next one. */
    void keep_session(stream const& of) { session_.keep(over_asio_ssl::native_handle(of)); }

   private:
    asio::ssl::context context_;
    kept_session session_;
  };

  static auto read_some(stream& from, asio::mutable_buffer into) {
    return from.async_read_some(asio::buffer(into), asio::use_awaitable);
  }
  static auto write(stream& to, asio::const_buffer from) {
    return asio::async_write(to, asio::buffer(from), asio::use_awaitable);
  }
  static auto write(stream& to, std::span<asio::const_buffer const> from) {
    return asio::async_write(to, from, asio::use_awaitable);
  }

  static SSL* native_handle(stream const& of) noexcept {
    return const_cast<stream&>(of).native_handle();
  }

 private:
  static void tune(SSL_CTX* context) {
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
};

}  // namespace bench
