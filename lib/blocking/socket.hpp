#pragma once

#include <cotls/blocking/stream.hpp>

#include <string>

namespace cotls::detail {

error_code last_system_error() noexcept;

/** Makes a stream socket that does not block. @par Errors In `failed`; the handle is empty then. */
socket_handle make_socket(int family, error_code& failed);

/** Without it the last flight of a handshake and a small write meet Nagle's algorithm and the
    delayed acknowledgement: 40 ms a connection (A10). Other sockets than those of TCP are left
    alone. */
void set_no_delay(int descriptor) noexcept;

/** As `farewell` does, on the calling thread: ends our direction, and discards what comes until the
    peer has ended its own, or the moment has passed, or enough has come (A25). */
void let_last_words_arrive(int descriptor, give_up_at until) noexcept;

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
