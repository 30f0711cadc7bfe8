#pragma once

#include <cotls/blocking/stream.hpp>

#include <string>

namespace cotls::detail {

/** Shakes hands on a new connection, within its handshake timeout. A client that is refused has
    what is left of it, but no more than the longest farewell, to learn of it.
    @param peer  How the exception calls the other side. */
void shake_hands(blocking::stream& made, std::string const& peer);

/** Runs a function that throws for one that sets an error code. */
template <class Function>
blocking::stream or_code(error_code& code, Function function) {
  try {
    code = {};
    return function();
  } catch (boost::system::system_error const& failed) {
    code = failed.code();
    return {};
  }
}

}  // namespace cotls::detail
