#pragma once

#include "kept_session.hpp"
#include "raw_connection.hpp"
#include "raw_loop.hpp"
#include "settings.hpp"
#include "task.hpp"
#include "tcp_socket.hpp"

#include <boost/asio/buffer.hpp>

#include <cstdint>
#include <memory>
#include <span>

namespace bench {

enum class layer : std::uint8_t { tcp, openssl };
enum class waiting : std::uint8_t { blocking, epoll };

/** What the others are compared with: OpenSSL alone, or nothing at all, over a socket by hand; on
    an epoll loop, or on a blocking socket where a process has one connection at a time. Connections
    are made one after the other, blocking. */
template <layer Layer, waiting Waiting>
class over_raw {
  static constexpr bool secure = Layer == layer::openssl;
  static constexpr bool lean = Waiting == waiting::epoll;

 public:
  static constexpr char const* name = secure ? "openssl" : "tcp";
  template <class T = void>
  using task = bench::task<T>;
  using loop = raw_loop;
  using stream = std::unique_ptr<raw_connection>;

  class server {
   public:
    server(loop& on, settings const& given) : on_(on) {
      if (secure) context_ = make_server_context(given, lean);
    }

    std::uint16_t port() const noexcept { return listener_.port(); }

    task<stream> accept() {
      ssl_ptr ssl(secure ? SSL_new(context_.get()) : nullptr);
      if (secure) SSL_set_accept_state(ssl.get());
      stream made = std::make_unique<raw_connection>(listener_.accept(), std::move(ssl));
      made->handshake();
      if (Waiting == waiting::epoll) made->use(on_);
      co_return made;
    }

   private:
    loop& on_;
    ssl_context_ptr context_;
    tcp_listener listener_;
  };

  class client {
   public:
    client(loop& on, settings const& given) : on_(on) {
      if (secure) context_ = make_client_context(given, lean);
    }

    task<stream> connect(std::uint16_t port, resumption how = resumption::off) {
      ssl_ptr ssl(secure ? SSL_new(context_.get()) : nullptr);
      if (secure) {
        SSL_set_connect_state(ssl.get());
        set_up_host(ssl.get());
        if (how == resumption::on) session_.offer(ssl.get());
      }
      stream made = std::make_unique<raw_connection>(connect_to(port), std::move(ssl));
      made->handshake();
      if (Waiting == waiting::epoll) made->use(on_);
      co_return made;
    }

    /** Keeps a connection's session for the next one. */
    void keep_session(stream const& of) { session_.keep(of->native_handle()); }

   private:
    loop& on_;
    ssl_context_ptr context_;
    kept_session session_;
  };

  static auto read_some(stream& from, asio::mutable_buffer into) { return from->read_some(into); }
  static auto write(stream& to, asio::const_buffer from) { return to->write(from); }
  static auto write(stream& to, std::span<asio::const_buffer const> from) {
    return to->write(from);
  }

  /** Null without TLS. */
  static SSL* native_handle(stream const& of) noexcept { return of->native_handle(); }
};

using over_openssl = over_raw<layer::openssl, waiting::blocking>;
using over_openssl_epoll = over_raw<layer::openssl, waiting::epoll>;
using over_tcp = over_raw<layer::tcp, waiting::blocking>;
using over_tcp_epoll = over_raw<layer::tcp, waiting::epoll>;

}  // namespace bench
