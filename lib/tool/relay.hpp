#pragma once

#include <cotls/stream.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <exception>
#include <stdexcept>

namespace cotls::tool {

/** A pipe, a file or a terminal on our side failed, and not the connection. */
class descriptor_error : public std::runtime_error {
 public:
  descriptor_error(char const* doing, error_code const& code)
      : std::runtime_error(std::string(doing) + " failed: " + code.message()), code_(code) {}
  error_code code() const noexcept { return code_; }

 private:
  error_code code_;
};

/** Sends what comes from a descriptor until its end; close_notify is the caller's to send.
    @return Whether anything was sent.
    @par Errors `descriptor_error`, `cotls::error` */
asio::awaitable<bool> send_all(asio::posix::stream_descriptor& from, tcp_stream& to);

/** Writes what is received to a descriptor, until the peer's close_notify.
    @return Whether anything was received.
    @par Errors `descriptor_error`, `cotls::error` */
asio::awaitable<bool> receive_all(tcp_stream& from, asio::posix::stream_descriptor& to);

/** Returns what the work ended with, null when it did well. For work that is raced: a race of
    Asio's goes on when one of its runners falls. */
asio::awaitable<std::exception_ptr> ending_of(asio::awaitable<void> work);

/** The same for the work that does not decide: when it has done well, waits to be cancelled. */
asio::awaitable<std::exception_ptr> failing_of(asio::awaitable<void> work);

}  // namespace cotls::tool
