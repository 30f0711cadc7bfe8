#pragma once

#include "tls.hpp"

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <vector>

// Addresses to connect to: some that refuse, some that do not answer.

namespace cotls::test {

inline tcp::endpoint any_port_of(tcp family) {
  return {family == tcp::v4() ? asio::ip::address(asio::ip::address_v4::loopback())
                              : asio::ip::address(asio::ip::address_v6::loopback()),
          0};
}

/// Does not answer: a listener whose queue is full, so that the system drops each further SYN.
class black_hole {
 public:
  explicit black_hole(tcp::endpoint at = any_port()) : full_(context_) {
    full_.open(at.protocol());
    full_.bind(at);
    full_.listen(0);
    address_ = full_.local_endpoint();
    while (fill()) {
      if (fillers_.size() > 8) throw std::runtime_error("the queue of a listener has no bound");
    }
  }

  tcp::endpoint address() const { return address_; }

  /// Answers the next SYN, which the system repeats after a second.
  void drain() {
    fillers_.pop_back();   // it waits for the same room
    full_.accept();
  }

  /// Refuses the next SYN.
  void close() {
    fillers_.clear();
    full_.close();
  }

 private:
  // Returns whether there was room for one more.
  bool fill() {
    tcp::socket& one = fillers_.emplace_back(context_, address_.protocol());
    one.native_non_blocking(true);
    // Asio's would wait.
    ::connect(one.native_handle(), address_.data(), static_cast<socklen_t>(address_.size()));
    pollfd waiting{one.native_handle(), POLLOUT, 0};
    return ::poll(&waiting, 1, 20) > 0;
  }

  asio::io_context context_;
  tcp::acceptor full_;
  tcp::endpoint address_;
  std::vector<tcp::socket> fillers_;
};

inline tcp::endpoint refusing(tcp family = tcp::v4()) {
  asio::io_context context;
  return tcp::acceptor(context, any_port_of(family)).local_endpoint();
}

/// Whom a socket is connected to.
inline tcp::endpoint peer_of(int descriptor) {
  tcp::endpoint peer;
  auto size = static_cast<socklen_t>(peer.capacity());
  BOOST_REQUIRE(::getpeername(descriptor, peer.data(), &size) == 0);
  peer.resize(size);
  return peer;
}

inline bool has_ipv6() {
  try {
    asio::io_context context;
    tcp::acceptor const tried(context, any_port_of(tcp::v6()));
    return true;
  } catch (boost::system::system_error const& failed) {
    BOOST_TEST_MESSAGE("skipped, no IPv6 on loopback: " << failed.what());
    return false;
  }
}

inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

}  // namespace cotls::test
