#pragma once

#include "tls.hpp"

#include <cotls/blocking.hpp>

#include <sys/ioctl.h>

#include <chrono>
#include <future>
#include <stdexcept>

namespace cotls::test {

/** A server on its own thread, which runs one function with the connection it accepts. Its `get`
    throws what the function has thrown. Nothing in it waits for ever. */
template <class Session>
std::future<void> serve(blocking::listener& on, Session session) {
  return std::async(std::launch::async, [&on, session] {
    blocking::stream made = on.accept();
    made.set_timeout(20s);
    session(made);
  });
}

/// What tests of the blocking facade begin with.
struct blocking_fixture {
  blocking::listener listener{any_port(), localhost_server(),
                              blocking::listen_options().accept_timeout(20s)};

  blocking::stream connect() {
    blocking::stream made = blocking::connect("127.0.0.1", listener.port(), localhost_client());
    made.set_timeout(20s);
    return made;
  }
};

/// A client and a server whose handshakes are done, in the hands of one thread.
struct blocking_pair : blocking_fixture {
  blocking::stream client;
  blocking::stream server;

  blocking_pair() {
    auto accepting = std::async(std::launch::async, [this] { return listener.accept(); });
    client = connect();
    server = accepting.get();
    server.set_timeout(20s);
  }
};

/// The bytes that a stream's socket has received and nobody has read.
inline int received_by(blocking::stream const& stream) {
  int count = -1;
  if (::ioctl(stream.native_socket(), FIONREAD, &count) != 0) {
    throw std::runtime_error("a socket that cannot be asked for what it has");
  }
  return count;
}

/// Whether an exception bears this code.
template <class Code>
auto with_code(Code code) {
  return [code](error const& thrown) { return thrown.code() == code; };
}

}  // namespace cotls::test
