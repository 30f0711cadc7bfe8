#pragma once

#include <cotls/connect.hpp>
#include <cotls/listener.hpp>

#include "scenario.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>

namespace bench {

namespace asio = boost::asio;

/** cotls, as its README uses it. */
class over_cotls {
 public:
  static constexpr char const* name = "cotls";
  using stream = cotls::tcp_stream;

  class server {
   public:
    server(asio::io_context& io, cotls::identity const& own)
        : listener_(io.get_executor(), {asio::ip::address_v4::loopback(), 0},
                    cotls::server_context().use(own)) {}

    std::uint16_t port() const { return listener_.port(); }
    asio::awaitable<stream> accept() { return listener_.async_accept(); }

   private:
    cotls::listener listener_;
  };

  class client {
   public:
    explicit client(cotls::identity const& server) { context_.add_root(server.chain().leaf()); }

    asio::awaitable<stream> connect(std::uint16_t port) const {
      return cotls::async_connect("127.0.0.1", port, context_,
                                  cotls::connect_options().verify_host(host_name));
    }

   private:
    cotls::client_context context_;
  };

  static asio::awaitable<std::size_t> write(stream& to, asio::const_buffer data) {
    return to.async_write(data);
  }
};

}  // namespace bench
