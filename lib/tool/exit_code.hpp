#pragma once

#include <cotls/error.hpp>

#include <stdexcept>
#include <string>

namespace cotls::tool {

/** What the command exits with; the same for every subcommand, and part of `--help`. */
enum class exit_code : int {
  done = 0,           ///< All went well; for `inspect`, the server was verified.
  failed = 1,         ///< Something here: a file, an address to listen on, standard output.
  usage = 2,          ///< The command line: an option's value as well.
  not_connected = 3,  ///< No connection: lookup, refused, unreachable, timed out.
  refused = 4,        ///< The handshake: whatever ended it, a time-out or a reset as well.
  broken_off = 5,     ///< The connection ended without close_notify, with an error, or mute.
};

/** Ends the command with one line on standard error. */
class failure : public std::runtime_error {
 public:
  failure(exit_code code, std::string const& text) : std::runtime_error(text), code_(code) {}
  exit_code code() const noexcept { return code_; }

 private:
  exit_code code_;
};

/** Returns what the command exits with for a failure of the library's beside connections: what is
    wrong with an option's value is the command line's, the rest is something here. */
exit_code code_of(error const& failed);

/** Ends the command because connecting came to nothing.
    @param shaking  Whether the handshake had begun: what ends it, ends it there. */
[[noreturn]] void give_up_connecting(error const& failed, bool shaking);

}  // namespace cotls::tool
