#pragma once

#include "scenario.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <utility>

namespace bench {

namespace asio = boost::asio;

/** asio::ssl::stream from coroutines, doing by hand what cotls does by itself: TLS 1.2 and up, a
    strand a connection, TCP_NODELAY, and the server's chain and name verified. */
class over_asio_ssl {
  using tcp = asio::ip::tcp;

 public:
  static constexpr char const* name = "asio-ssl";
  using stream = asio::ssl::stream<tcp::socket>;

  class server {
   public:
    server(asio::io_context& io, cotls::identity const& own)
        : context_(make_context(asio::ssl::context::tls_server)),
          acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
      SSL_CTX* const native = context_.native_handle();
      require(SSL_CTX_use_certificate(native, own.chain().leaf().native_handle()) == 1 &&
                  SSL_CTX_use_PrivateKey(native, own.key().native_handle()) == 1,
              "asio-ssl refuses the identity");
    }

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
    explicit client(cotls::identity const& server)
        : context_(make_context(asio::ssl::context::tls_client)) {
      X509_STORE* const roots = SSL_CTX_get_cert_store(context_.native_handle());
      require(X509_STORE_add_cert(roots, server.chain().leaf().native_handle()) == 1,
              "asio-ssl refuses the root");
      context_.set_verify_mode(asio::ssl::verify_peer);
    }

    asio::awaitable<stream> connect(std::uint16_t port) {
      stream made(co_await asio::this_coro::executor, context_);
      made.set_verify_callback(asio::ssl::host_name_verification(host_name));
      require(SSL_set_tlsext_host_name(made.native_handle(), host_name) == 1, "SNI");
      tcp::endpoint const to(asio::ip::address_v4::loopback(), port);
      co_await made.lowest_layer().async_connect(to, asio::use_awaitable);
      made.lowest_layer().set_option(tcp::no_delay(true));
      co_await made.async_handshake(stream::client, asio::use_awaitable);
      co_return made;
    }

   private:
    asio::ssl::context context_;
  };

  static asio::awaitable<std::size_t> write(stream& to, asio::const_buffer data) {
    return asio::async_write(to, asio::buffer(data), asio::use_awaitable);
  }

 private:
  static asio::ssl::context make_context(asio::ssl::context::method method) {
    asio::ssl::context made(method);
    made.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    return made;
  }
};

}  // namespace bench
