#include "over_openssl.hpp"

#include "scenario.hpp"

#include <openssl/err.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace bench {

namespace {

[[noreturn]] void fail(std::string const& what) {
  char const* const reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error("openssl: " + what + (reason ? std::string(": ") + reason : ""));
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

over_openssl::context make_context(SSL_METHOD const* method) {
  over_openssl::context made(SSL_CTX_new(method));
  if (!made) fail("SSL_CTX_new");
  SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(made.get(), 1);
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

over_openssl::context over_openssl::make_server(cotls::identity const& own) {
  context made = make_context(TLS_server_method());
  if (SSL_CTX_use_certificate(made.get(), own.chain().leaf().native_handle()) != 1 ||
      SSL_CTX_use_PrivateKey(made.get(), own.key().native_handle()) != 1) {
    fail("the identity");
  }
  SSL_CTX_set_mode(made.get(), SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_num_tickets(made.get(), 1);
  return made;
}

over_openssl::context over_openssl::make_client(cotls::identity const& server) {
  context made = make_context(TLS_client_method());
  X509_STORE* const roots = SSL_CTX_get_cert_store(made.get());
  if (X509_STORE_add_cert(roots, server.chain().leaf().native_handle()) != 1) fail("the root");
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  return made;
}

over_openssl::connection::connection(SSL_CTX* context, descriptor socket)
    : socket_(std::move(socket)), ssl_(SSL_new(context)) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.get()) != 1) fail("SSL_new");
}

over_openssl::connection over_openssl::connection::accept(SSL_CTX* context, descriptor socket) {
  connection made(context, std::move(socket));
  SSL_set_accept_state(made.native_handle());
  made.handshake();
  return made;
}

over_openssl::connection over_openssl::connection::connect(SSL_CTX* context, descriptor socket) {
  connection made(context, std::move(socket));
  SSL_set_connect_state(made.native_handle());
  if (SSL_set1_host(made.native_handle(), host_name) != 1 ||
      SSL_set_tlsext_host_name(made.native_handle(), host_name) != 1) {
    fail("the host name");
  }
  made.handshake();
  return made;
}

void over_openssl::connection::handshake() {
  if (SSL_do_handshake(ssl_.get()) != 1) fail("the handshake");
}

void over_openssl::connection::set_non_blocking() {
  int const flags = ::fcntl(socket_.get(), F_GETFL);
  if (::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) != 0) fail("O_NONBLOCK");
}

std::size_t over_openssl::connection::read_some(void* data, std::size_t size) {
  std::size_t bytes = 0;
  if (SSL_read_ex(ssl_.get(), data, size, &bytes) == 1) return bytes;
  int const reason = SSL_get_error(ssl_.get(), 0);
  if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_ZERO_RETURN) fail("reading");
  return 0;
}

void over_openssl::connection::read(void* data, std::size_t size) {
  auto* const first = static_cast<char*>(data);
  for (std::size_t got = 0; got < size;) {
    std::size_t const bytes = read_some(first + got, size - got);
    if (bytes == 0) fail("the peer has closed");
    got += bytes;
  }
}

void over_openssl::connection::write(void const* data, std::size_t size) {
  std::size_t bytes = 0;
  if (SSL_write_ex(ssl_.get(), data, size, &bytes) != 1 || bytes != size) fail("writing");
}

}  // namespace bench
