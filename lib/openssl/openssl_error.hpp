#pragma once

#include <cotls/error.hpp>

#include <openssl/types.h>

namespace cotls::detail {

/// Empties the calling thread's error queue: what is found after a call is then that call's (T11).
void clear_openssl_errors() noexcept;

/// What OpenSSL says of a call that failed.
struct openssl_error {
  cotls::status status = cotls::status::unclassified;
  unsigned long code = 0;   ///< The newest entry's packed code; 0 when the queue was empty.
  int system = 0;           ///< What the system said of a transport that failed, for `syscall`.
  std::string stack;        ///< The whole queue, oldest first, a line an entry.
};

/** Classifies a failed call and drains the error queue.

    The only function that asks OpenSSL what a result means, or reads the error queue.
    @param ssl     The connection that the call was made on; null for calls without one.
    @param result  What the call returned; ignored without a connection.
    The stack is drained only for `status::ssl`, `status::syscall` and calls without a connection:
    the `want_…` results leave nothing in the queue.
*/
openssl_error take_openssl_error(SSL const* ssl = nullptr, int result = 0);

/** Leaves in the queue why a signer of the program's has not signed. That is then the error,
    whatever OpenSSL adds to it. */
void leave_signer_failure(char const* why) noexcept;

/// Returns the newest entry's packed code and leaves it in the queue; 0 when that is empty.
unsigned long peek_openssl_error() noexcept;

/// Converts a packed code: a received alert becomes a cotls::alert, a system error the system's;
/// a signer's failure errc::signer_failed; the rest stay OpenSSL's.
error_code to_error_code(unsigned long packed) noexcept;

/** Throws `cotls::error` for a failed call that had no connection.

    @param code     What the error says it is; an empty one means OpenSSL's own code. The stack that
                    OpenSSL left goes with it.
    @param context  What was tried: `"loading the certificate chain chain.pem"`.
    @param taken    The stack, where it was taken before.
*/
[[noreturn]] void throw_openssl_error(error_code code, std::string context);
[[noreturn]] void throw_openssl_error(error_code code, std::string context, openssl_error taken);

}  // namespace cotls::detail
