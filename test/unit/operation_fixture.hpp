#pragma once

#include "scripted_connection.hpp"

#include <cotls/detail/driver/blocking_driver.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace cotls::test {

using detail::action;
using detail::amount;
using detail::interruption;

using handshake = detail::handshake_operation<scripted_connection>;
using shutdown = detail::shutdown_operation<scripted_connection>;
using close_write = detail::close_write_operation<scripted_connection>;
using read = detail::read_operation<scripted_connection, asio::mutable_buffer>;
using write = detail::write_operation<scripted_connection, asio::const_buffer>;

/// Operations on a connection whose engine answers from a script.
struct operation_fixture {
  scripted_connection connection;
  scripted_engine& engine = connection.engine();
  std::array<char, 64> storage{};

  asio::mutable_buffer room() { return asio::buffer(storage); }
  asio::const_buffer data() const { return asio::buffer(storage); }

  // True when the engine was asked for `name` this many times.
  bool asked(std::string const& name, std::ptrdiff_t times) const {
    return std::count(engine.calls.begin(), engine.calls.end(), name) == times;
  }
};

/// Each wait ends well at once, as with a peer that floods.
struct ever_ready : scripted_connection {
  int waits = 0;

  interruption wait(action, bool, detail::give_up_at, error_code&) {
    ++waits;
    return interruption::none;
  }
};

}  // namespace cotls::test
