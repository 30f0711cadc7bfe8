#pragma once

#include <cotls/certificate.hpp>

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace bench {

/** An owned file descriptor. */
class descriptor {
 public:
  explicit descriptor(int owned) noexcept : owned_(owned) {}
  descriptor(descriptor&& other) noexcept : owned_(std::exchange(other.owned_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor();

  int get() const noexcept { return owned_; }

 private:
  int owned_;
};

/** A TCP socket that listens on loopback, on a port of the system's choice. */
class tcp_listener {
 public:
  tcp_listener();
  std::uint16_t port() const noexcept { return port_; }

  /** Waits for a connection; TCP_NODELAY is set. */
  descriptor accept() const;

 private:
  descriptor socket_;
  std::uint16_t port_ = 0;
};

/** Connects to loopback; TCP_NODELAY is set. */
descriptor connect_to(std::uint16_t port);

/** OpenSSL alone over a socket (`SSL_set_fd`), TLS 1.2 and up, read-ahead on, one ticket, and no
    chain to be looked for: what others are compared with. */
class over_openssl {
 public:
  static constexpr char const* name = "openssl";

  struct context_deleter {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  };
  struct connection_deleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };
  using context = std::unique_ptr<SSL_CTX, context_deleter>;

  static context make_server(cotls::identity const& own);

  /** Verifies the chain and the name of the server. */
  static context make_client(cotls::identity const& server);

  /** A connection. Calls wait, or do not, as the socket does; a failure throws
      `std::runtime_error`. */
  class connection {
   public:
    static connection accept(SSL_CTX* context, descriptor socket);
    static connection connect(SSL_CTX* context, descriptor socket);

    void set_non_blocking();

    /** Returns 0 when there is nothing to read, or at the peer's close_notify. */
    std::size_t read_some(void* data, std::size_t size);
    void read(void* data, std::size_t size);

    /** Writes all; the socket must wait, or have room. */
    void write(void const* data, std::size_t size);

    SSL* native_handle() const noexcept { return ssl_.get(); }
    int socket() const noexcept { return socket_.get(); }

   private:
    connection(SSL_CTX* context, descriptor socket);
    void handshake();

    descriptor socket_;
    std::unique_ptr<SSL, connection_deleter> ssl_;
  };
};

}  // namespace bench
