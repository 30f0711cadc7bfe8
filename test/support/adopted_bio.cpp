#include "adopted_bio.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <poll.h>

#include <stdexcept>
#include <string>

namespace cotls::test {

namespace {

using tcp = boost::asio::ip::tcp;

detail::bio_ptr checked(BIO* made) {
  if (!made) throw std::runtime_error("no BIO");
  return detail::bio_ptr(made);
}

// Where the bytes go through in the end: an accepting BIO lies upon the one of its connection.
BIO* lowest(BIO* bio) {
  while (BIO_next(bio)) bio = BIO_next(bio);
  return bio;
}

}  // namespace

detail::bio_ptr connecting_bio(std::uint16_t port) {
  detail::bio_ptr made = checked(BIO_new_connect(("127.0.0.1:" + std::to_string(port)).c_str()));
  BIO_set_nbio(made.get(), 1);
  return made;
}

detail::bio_ptr accepting_bio() {
  detail::bio_ptr made = checked(BIO_new_accept("127.0.0.1:0"));
  BIO_set_nbio(made.get(), 1);
  BIO_set_nbio_accept(made.get(), 1);
  if (BIO_do_accept(made.get()) != 1) throw std::runtime_error("no listening BIO");
  return made;
}

std::uint16_t port_of(BIO* accepting) {
  return static_cast<std::uint16_t>(std::stoi(BIO_get_accept_port(accepting)));
}

std::uint16_t unused_port() {
  boost::asio::io_context unused;
  tcp::acceptor const taken(unused, {boost::asio::ip::address_v4::loopback(), 0});
  return taken.local_endpoint().port();
}

std::pair<detail::bio_ptr, detail::bio_ptr> bio_pair(std::size_t capacity) {
  BIO* near = nullptr;
  BIO* far = nullptr;
  if (BIO_new_bio_pair(&near, capacity, &far, capacity) != 1) throw std::runtime_error("no BIO");
  return {detail::bio_ptr(near), detail::bio_ptr(far)};
}

void wait_for(engine const& over, want what) {
  int const descriptor =
      static_cast<int>(BIO_get_fd(lowest(SSL_get_rbio(over.native_handle())), nullptr));
  bool const outwards = what == want::output || what == want::connect;
  pollfd waited{descriptor, static_cast<short>(outwards ? POLLOUT : POLLIN), 0};
  if (::poll(&waited, 1, 10'000) != 1) throw std::runtime_error("nothing came of it");
}

}  // namespace cotls::test
