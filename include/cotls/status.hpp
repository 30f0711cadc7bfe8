#pragma once

#include <cstdint>
#include <string_view>

namespace cotls {

/** What OpenSSL said of the call that failed, as its own classification has it.

    The first nine are the statuses of the Scheme `openssl` module this library descends from; the
    last four are results that OpenSSL has gained since. Where a socket is involved, the operations
    handle every `want_…` themselves and it never reaches the user.
*/
enum class status : std::uint8_t {
  unclassified,        ///< The failure did not come from an OpenSSL call.
  zero_return,         ///< The peer ended the connection with close_notify.
  want_read,           ///< Ciphertext must be given before the call can go on.
  want_write,          ///< Ciphertext must be taken before the call can go on.
  want_connect,        ///< A BIO must first be connected.
  want_accept,         ///< A BIO must first be accepted.
  want_x509_lookup,    ///< A certificate callback asked to be called again.
  syscall,             ///< The transport failed; the error code says how.
  ssl,                 ///< OpenSSL reported a failure; its error stack says which.
  want_client_hello,   ///< A client hello callback asked to be called again.
  want_retry_verify,   ///< A verification callback asked to be called again.
  want_async,          ///< An asynchronous engine has not finished.
  want_async_job,      ///< No asynchronous job could be started.
};

/** Returns the status's name, spelled as its enumerator (`"want_read"`). */
std::string_view to_string(status value) noexcept;

}  // namespace cotls
