#pragma once

#include <cotls/error.hpp>

#include <stdexcept>
#include <string>

namespace cotls::tool {

/** What the command exits with; the same for every subcommand, and part of `--help`. */
enum class exit_code : int {
  done = 0,           ///< All went well; for `inspect`, the server was verified.
  failed = 1,         ///< Something here: a file, an address to listen on, standard output.
  usage = 2,          ///< The command line.
  not_connected = 3,  ///< No connection: lookup, refused, unreachable, timed out.
  refused = 4,        ///< The handshake: a certificate that is not verified, or a peer's no.
  broken_off = 5,     ///< The connection ended without close_notify, or with an error.
};

/** Ends the command with one line on standard error. */
class failure : public std::runtime_error {
 public:
  failure(exit_code code, std::string const& text) : std::runtime_error(text), code_(code) {}
  exit_code code() const noexcept { return code_; }

 private:
  exit_code code_;
};

/** Ends the command because connecting came to nothing. */
[[noreturn]] void give_up_connecting(error const& failed);

}  // namespace cotls::tool
