#pragma once

#include <cotls/client_hello.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/channel/channel.hpp>
#include <cotls/detail/channel/hello_framing.hpp>
#include <cotls/error.hpp>
#include <cotls/step.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace cotls::detail {

class hello_probe;

/** Reads a ClientHello and keeps every byte of it, so that the handshake can be begun afterwards
    with any context.

        transport --> received --+--> given to the handshake, as if nothing had been read
                                 +--> probe, once the hello is whole: an engine of its own over
                                      memory, which OpenSSL stops there: the same parser and the
                                      same alerts

    (Suspending the handshake itself and exchanging its context, `SSL_set_SSL_CTX`, would leave the
    first context's verification, versions and options in place, T2.)

    It is driven by a `client_hello_operation`, and knows of no handshake. All it ever sends is an
    alert.
*/
class hello_reader {
 public:
  /** @param context  For the handshake, should no other be chosen. */
  hello_reader(server_context const& context, channel& transport);
  hello_reader(hello_reader const&) = delete;
  hello_reader& operator=(hello_reader const&) = delete;
  ~hello_reader();

  /** Goes on reading. Done: want::nothing without an error. */
  step read();

  /** Receives what is here of the hello. */
  hello_arrival await_hello();

  /** Returns how much has been received. */
  std::size_t hello_bytes() const noexcept { return received_.size(); }

  void flush() { transport_->flush(); }
  std::size_t unsent() const noexcept { return transport_->unsent(); }
  void input_arrived() noexcept { transport_->set_dry(false); }

  server_context const& context() const noexcept { return context_; }
  client_hello const& hello() const noexcept { return hello_; }

  /** Sends an alert in place of an answer, as far as the transport takes it now. */
  void refuse(alert reason);

  /** True when the client was sent an alert. */
  bool refused() const noexcept { return refused_; }

  /** Takes all that was received, which may be more than the hello, or less. */
  std::vector<std::byte> take_received() noexcept { return std::move(received_); }

  /** Makes the exception for an operation that failed with this code. */
  error failure_of(error_code code, char const* operation) const;

 private:
  // Of what is no hello in records, OpenSSL needs little to refuse it; one of SSL 2.0 has 32 kB.
  static constexpr std::size_t max_non_tls = 64 * 1024;

  bool receive();
  step needs_input();
  step ask_probe();
  step fail(error_code code);
  void forward_alert();

  server_context context_;
  channel* transport_;
  std::unique_ptr<hello_probe> probe_;   // until OpenSSL has read it; if it refused, for ever
  std::vector<std::byte> received_;
  std::size_t asked_ = 0;   // of that, what the probe was given
  client_hello hello_;
  error_code failed_;
  bool done_ = false;
  bool refused_ = false;
};

}  // namespace cotls::detail
