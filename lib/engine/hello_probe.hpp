#pragma once

#include <cotls/client_hello.hpp>
#include <cotls/error.hpp>
#include <cotls/step.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace cotls::detail {

/** What a ClientHello says, read by OpenSSL: a connection of its own over memory, which is stopped
    there. The same parser and the same alerts as the handshake's. */
class hello_probe {
 public:
  hello_probe();
  ~hello_probe();

  /** Gives it what has come since. `want::client_hello`: it is here; `want::input`: not all of it;
      an error: it is none. */
  step look(std::span<std::byte const> more);

  client_hello take_hello();

  /** Returns what OpenSSL has to say to a client whose hello is none; nothing to one that does not
      speak TLS. */
  boost::asio::const_buffer alert();

  error failure_of(error_code code, char const* operation) const;

 private:
  struct body;
  std::unique_ptr<body> body_;
};

}  // namespace cotls::detail
