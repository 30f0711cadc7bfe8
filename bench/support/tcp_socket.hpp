#pragma once

#include <cstdint>
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

void set_non_blocking(int socket);

}  // namespace bench
