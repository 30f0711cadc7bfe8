#include "tcp_socket.hpp"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <system_error>

namespace bench {

namespace {

[[noreturn]] void fail(char const* what) {
  throw std::system_error(errno, std::system_category(), what);
}

void set_no_delay(int socket) {
  int const on = 1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("TCP_NODELAY");
}

sockaddr_in loopback(std::uint16_t port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

descriptor make_socket() {
  descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) fail("socket");
  return made;
}

}  // namespace

descriptor::~descriptor() {
  if (owned_ >= 0) ::close(owned_);
}

tcp_listener::tcp_listener() : socket_(make_socket()) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket_.get(), generic, length) != 0 || ::listen(socket_.get(), SOMAXCONN) != 0 ||
      ::getsockname(socket_.get(), generic, &length) != 0) {
    fail("listening");
  }
  port_ = ntohs(address.sin_port);
}

descriptor tcp_listener::accept() const {
  descriptor accepted(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (accepted.get() < 0) fail("accept");
  set_no_delay(accepted.get());
  return accepted;
}

descriptor connect_to(std::uint16_t port) {
  descriptor made = make_socket();
  sockaddr_in const address = loopback(port);
  if (::connect(made.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  set_no_delay(made.get());
  return made;
}

void set_non_blocking(int socket) {
  int const flags = ::fcntl(socket, F_GETFL);
  if (::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0) fail("O_NONBLOCK");
}

}  // namespace bench
