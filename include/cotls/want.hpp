#pragma once

#include <cotls/status.hpp>

#include <cstdint>

namespace cotls {

/** What the caller of an engine must do before the call can go on. */
enum class want : std::uint8_t {
  nothing,        ///< Nothing: the call is done.
  input,          ///< Give ciphertext from the peer, then call again.
  output,         ///< Take ciphertext for the peer, if there is any, then call again.
  client_hello,   ///< Have `on_client_hello` answered (`engine::answer`), then call again.
  certificate,    ///< `on_certificate`, or a client's `on_certificate_request`.
  verification,   ///< `on_verify`
  established,    ///< `on_established`
  session,        ///< A `session_store`: have its work done (`engine::answer()`), then call again.
  signature,      ///< The signer of a key elsewhere (`private_key::from_signer`).
  connect,        ///< Wait until the adopted BIO can be connected, then call again.
  accept,         ///< Wait until the adopted BIO can accept a connection, then call again.
  async,          ///< Wait for the job that has paused (`SSL_get_all_async_fds`), then call again.
  async_job,      ///< All of OpenSSL's asynchronous jobs are taken: call again when one has ended.
};

/** Returns the status that OpenSSL has for it; `status::unclassified` when nothing is wanted. */
constexpr status status_of(want value) noexcept {
  switch (value) {
    case want::nothing: return status::unclassified;
    case want::input: return status::want_read;
    case want::output: return status::want_write;
    case want::client_hello: return status::want_client_hello;
    case want::certificate: return status::want_x509_lookup;
    case want::verification: return status::want_retry_verify;
    case want::established: return status::unclassified;   // OpenSSL is done
    case want::session: return status::unclassified;       // it has not begun
    case want::connect: return status::want_connect;
    case want::accept: return status::want_accept;
    case want::signature:
    case want::async: return status::want_async;
    case want::async_job: return status::want_async_job;
  }
  return status::unclassified;
}

}  // namespace cotls
