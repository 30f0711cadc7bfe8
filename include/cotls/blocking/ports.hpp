#pragma once

#include <cotls/blocking/stream.hpp>
#include <cotls/error.hpp>

#include <istream>
#include <memory>
#include <ostream>

namespace cotls::detail {

class ports_connection;
class input_buffer;
class output_buffer;

}  // namespace cotls::detail

namespace cotls::blocking {

/** The input of a connection, as a `std::istream`.

    The peer's close_notify is the end of file. Everything else that ends a read, above all a
    connection that ends without close_notify, is no end of file but sets badbit, whether it was met
    by the port or by its `rdbuf()`, and the reason is at hand in `error()`. What came before it is
    delivered: `gcount()` tells how much of it a `read` has taken (which sets eofbit, too, whenever
    it gets less than it was to get: ask `bad()` first). With `exceptions(std::ios_base::badbit)` it
    is thrown, as a `cotls::error`, and `gcount()` is 0. After a timeout, `clear()` lets reading go
    on.
*/
class input_port final : public std::istream {
 public:
  input_port(input_port const&) = delete;
  input_port& operator=(input_port const&) = delete;

  /** Closes the port. */
  ~input_port() override;

  /** Ends the input: reads find the end of file. When the output is closed already, this ends the
      connection; it then waits for the peer's close_notify, no longer than the stream's shutdown
      timeout, and discards what comes before it. */
  void close() noexcept;

  /** Returns the failure behind the last badbit; its code is empty while there was none. */
  cotls::error const& error() const noexcept;

  /** Returns the stream beneath, which both ports share, for its settings and for what is known of
      the connection; reading from it bypasses the port. It is empty once both ports are closed. */
  stream& connection() const noexcept;

 private:
  friend class ports;
  explicit input_port(std::shared_ptr<detail::ports_connection> const& connection);

  std::unique_ptr<detail::input_buffer> buffer_;
};

/** The output of a connection, as a `std::ostream`.

    Text gathers until there are 16 KiB of it, or until `std::flush`, `std::endl`, `close`, or a
    read from the input that it is tied to. A failure sets badbit; `error()` and `exceptions` are as
    those of the input. After a timeout, `clear()` and a flush go on with the text that was not
    sent; of a text of 16 KiB or more it is not known how much was, and nothing is taken of one for
    which there is no room behind 32 KiB that were not sent.
*/
class output_port final : public std::ostream {
 public:
  output_port(output_port const&) = delete;
  output_port& operator=(output_port const&) = delete;

  /** Closes the port, and throws nothing. Sending what has gathered, close_notify, and the wait for
      the peer's take no longer than the stream's shutdown timeout each. Who must know that all has
      been sent calls `close` and looks at the state. */
  ~output_port() override;

  /** Sends what has gathered, and close_notify; reading goes on. When the input is closed already,
      this ends the connection, as closing the input does.

      A port that is bad sends neither, and the connection then ends without close_notify, so that
      the peer does not take what it got for the whole. A failure sets badbit. */
  void close();

  /** As those of the input. */
  cotls::error const& error() const noexcept;
  stream& connection() const noexcept;

 private:
  friend class ports;
  explicit output_port(std::shared_ptr<detail::ports_connection> const& connection);

  std::unique_ptr<detail::output_buffer> buffer_;
};

/** A connection as a `std::istream` and a `std::ostream`.

    Each is closed on its own, and the connection ends when both are. The input is tied to the
    output, as `std::cin` is to `std::cout`: before it reads, what was written is sent.

    @par Concurrency One thread may use `in` while another one uses `out`, once they are not tied:
    `in.tie(nullptr)`.
    @par Example
    @code
    auto [in, out] = cotls::blocking::ports(cotls::blocking::connect("example.org", 443));
    out << "GET / HTTP/1.0\r\nHost: example.org\r\n\r\n";
    for (std::string line; std::getline(in, line);) std::cout << line << "\n";
    if (in.bad()) std::cerr << in.error().what() << "\n";
    @endcode
*/
class ports {
 public:
  /** Takes over a stream whose handshake is done. */
  explicit ports(stream connection);

  ports(ports const&) = delete;
  ports& operator=(ports const&) = delete;

  input_port in;
  output_port out;

 private:
  explicit ports(std::shared_ptr<detail::ports_connection> const& connection);
};

}  // namespace cotls::blocking
