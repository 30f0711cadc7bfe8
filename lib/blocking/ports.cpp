//   std::istream -> input_buffer  -+                 std::ostream -> output_buffer -+
//                                  |                                                |
//                                  +-> ports_connection: the stream, whose end is <-+
//                                      the end of both
//
// The buffers set badbit and throw a cotls::error for a failure, which the streams above let
// through when `exceptions` asks for it. So the state is right also when a buffer is used without
// its stream.

#include <cotls/blocking/ports.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <ios>
#include <streambuf>
#include <utility>

namespace cotls {

namespace detail {

namespace {

constexpr std::size_t record_size = 16 * 1024;   // RFC 8446 section 5.1: the plaintext of a record

}  // namespace

class ports_connection {
 public:
  explicit ports_connection(blocking::stream connection) : stream_(std::move(connection)) {}

  blocking::stream& stream() noexcept { return stream_; }

  /** Says that one of the ports is closed; ends the connection after the second.
      @param whole  False when the peer must not take what it got for all. */
  void close_one(bool whole) noexcept {
    if (!whole) whole_ = false;
    if (++closed_ < 2) return;
    error_code ignored;   // what we sent has left; the peer need not answer
    if (whole_) stream_.shutdown(ignored);
    stream_ = blocking::stream();
  }

 private:
  blocking::stream stream_;
  std::atomic<int> closed_ = 0;
  bool whole_ = true;
};

// What both buffers are: open until they are closed, with the failure that is behind a badbit.
class port_buffer : public std::streambuf {
 public:
  port_buffer(std::shared_ptr<ports_connection> connection, std::ios& port)
      : connection_(std::move(connection)), port_(port) {}

  blocking::stream& stream() const noexcept { return connection_->stream(); }
  cotls::error const& error() const noexcept { return error_; }

 protected:
  // Remembers a failure; false when it is to be thrown, too.
  bool note(cotls::error const& failed) {
    error_ = failed;
    try {
      port_.setstate(std::ios_base::badbit);
    } catch (std::ios_base::failure const&) {
      return false;   // what is thrown instead says more
    }
    return true;
  }

  [[noreturn]] void fail(cotls::error const& failed) {
    note(failed);
    throw failed;
  }

  bool open() const noexcept { return open_; }
  void close(bool whole) noexcept {
    if (std::exchange(open_, false)) connection_->close_one(whole);
  }

 private:
  std::shared_ptr<ports_connection> connection_;
  std::ios& port_;
  cotls::error error_{error_code()};
  bool open_ = true;
};

class input_buffer final : public port_buffer {
 public:
  using port_buffer::port_buffer;

  void close() noexcept {
    setg(nullptr, nullptr, nullptr);
    port_buffer::close(true);
  }

 protected:
  int_type underflow() override {
    if (gptr() == egptr()) fill();
    return gptr() == egptr() ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

  // Bytes first: those that came before a failure are counted, unless it must be thrown.
  std::streamsize xsgetn(char* to, std::streamsize count) override {
    std::streamsize done = 0;
    try {
      get(to, count, done);
    } catch (cotls::error const& failed) {
      if (done == 0 || !note(failed)) throw;
    }
    return done;
  }

  // What can be had without waiting, so that `readsome` is of use.
  std::streamsize showmanyc() override {
    if (!open()) return -1;
    auto const usual = stream().read_timeout();
    stream().set_read_timeout(blocking::stream::duration::zero());
    error_code code;
    std::size_t const got = stream().read_some(place(), code);
    stream().set_read_timeout(usual);
    setg(eback(), gptr(), gptr() + got);
    if (code == asio::error::eof) return -1;
    return static_cast<std::streamsize>(got);   // of another failure the read that follows tells
  }

 private:
  static constexpr std::size_t put_back = 8;   // characters that can be put back after a read

  void get(char* to, std::streamsize count, std::streamsize& done) {
    while (done < count) {
      std::streamsize const rest = count - done;
      std::streamsize const here = std::min<std::streamsize>(egptr() - gptr(), rest);
      if (here > 0) {
        std::memcpy(to + done, gptr(), static_cast<std::size_t>(here));
        gbump(static_cast<int>(here));
        done += here;
      } else if (rest < static_cast<std::streamsize>(record_size)) {
        if (traits_type::eq_int_type(underflow(), traits_type::eof())) break;
      } else {
        std::size_t const got = receive({to + done, static_cast<std::size_t>(rest)});
        if (got == 0) break;
        done += static_cast<std::streamsize>(got);
        put_back_from(to + done, got);
      }
    }
  }

  void fill() {
    asio::mutable_buffer const into = place();
    std::size_t const got = receive(into);
    setg(eback(), gptr(), gptr() + got);
  }

  // Makes room for what is to be read: all but what can be put back.
  asio::mutable_buffer place() noexcept {
    put_back_from(gptr(), static_cast<std::size_t>(gptr() - eback()));
    return {gptr(), record_size};
  }

  // Keeps the last of the characters before `end`, and nothing to read.
  void put_back_from(char const* end, std::size_t count) noexcept {
    char* const begin = characters_.data() + put_back;
    std::size_t const kept = std::min(count, put_back);
    if (kept > 0) std::memmove(begin - kept, end - kept, kept);
    setg(begin - kept, begin, begin);
  }

  // Returns 0 at the end.
  std::size_t receive(asio::mutable_buffer into) {
    error_code code;
    std::size_t const got = open() ? stream().read_some(into, code) : 0;
    if (code && code != asio::error::eof) fail(stream().failure(code, "read"));
    return got;
  }

  std::array<char, put_back + record_size> characters_;
};

class output_buffer final : public port_buffer {
 public:
  output_buffer(std::shared_ptr<ports_connection> connection, std::ios& port)
      : port_buffer(std::move(connection), port) {
    keep_buffered(0);
  }

  /** Sends all and close_notify, unless what was written is not whole; closes in any case. */
  void close(bool whole) {
    if (!open()) return;
    error_code code;
    if (whole) send({}, code);
    if (whole && !code) stream().close_write(code);
    cotls::error const failed = stream().failure(code, "closing the output");   // while it is there
    setp(nullptr, nullptr);
    port_buffer::close(whole && !code);
    if (code) fail(failed);
  }

 protected:
  // The put area leaves one place free, so that this is called with the character that fills the
  // buffer, and not only with the one behind it.
  int_type overflow(int_type character) override {
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      if (free() == 0) flush();   // what a failure has left
      append(traits_type::to_char_type(character));
    }
    flush();
    return traits_type::not_eof(character);
  }

  std::streamsize xsputn(char const* from, std::streamsize count) override {
    auto const size = static_cast<std::size_t>(count);
    if (size >= record_size) {
      flush({from, size});
      return count;
    }
    if (size > free()) flush();   // what failures have left
    std::memcpy(pptr(), from, size);
    keep_buffered(buffered() + size);
    if (buffered() >= record_size) flush();
    return count;
  }

  int sync() override {
    if (pptr() > pbase()) flush();
    return 0;
  }

 private:
  std::size_t buffered() const noexcept { return static_cast<std::size_t>(pptr() - pbase()); }
  std::size_t free() const noexcept { return open() ? characters_.size() - buffered() : 0; }

  void append(char last) noexcept {
    *pptr() = last;
    keep_buffered(buffered() + 1);
  }

  // Goes on behind what is buffered.
  void keep_buffered(std::size_t size) noexcept {
    setp(characters_.data(), characters_.data() + std::max(size, record_size - 1));
    pbump(static_cast<int>(size));
  }

  void flush(asio::const_buffer more = {}) {
    error_code code;
    if (!open()) code = errc::write_after_close;
    if (!code) send(more, code);
    if (code) fail(stream().failure(code, "write"));
  }

  // Sends what is buffered, and more behind it. What of it was not sent is kept.
  void send(asio::const_buffer more, error_code& code) {
    std::size_t const size = buffered();
    std::array<asio::const_buffer, 2> const all{asio::buffer(pbase(), size), more};
    std::size_t const sent = std::min(stream().write(all, code), size);
    std::memmove(characters_.data(), characters_.data() + sent, size - sent);
    keep_buffered(size - sent);
  }

  std::array<char, 2 * record_size> characters_;   // what a failure has left, and a text behind it
};

}  // namespace detail

namespace blocking {

input_port::input_port(std::shared_ptr<detail::ports_connection> const& connection)
    : std::istream(nullptr), buffer_(std::make_unique<detail::input_buffer>(connection, *this)) {
  rdbuf(buffer_.get());
}

input_port::~input_port() { close(); }

void input_port::close() noexcept { buffer_->close(); }

cotls::error const& input_port::error() const noexcept { return buffer_->error(); }

stream& input_port::connection() const noexcept { return buffer_->stream(); }

output_port::output_port(std::shared_ptr<detail::ports_connection> const& connection)
    : std::ostream(nullptr), buffer_(std::make_unique<detail::output_buffer>(connection, *this)) {
  rdbuf(buffer_.get());
}

output_port::~output_port() {
  stream& beneath = connection();
  beneath.set_write_timeout(std::min(beneath.write_timeout(), beneath.shutdown_timeout()));
  try {
    close();
  } catch (...) {
    // The peer sees a truncated stream.
  }
}

void output_port::close() {
  try {
    buffer_->close(!bad());
  } catch (...) {
    try {
      setstate(std::ios_base::badbit);
    } catch (std::ios_base::failure const&) {
      // What the buffer threw says more.
    }
    if (exceptions() & std::ios_base::badbit) throw;
  }
}

cotls::error const& output_port::error() const noexcept { return buffer_->error(); }

stream& output_port::connection() const noexcept { return buffer_->stream(); }

ports::ports(stream connection)
    : ports(std::make_shared<detail::ports_connection>(std::move(connection))) {}

ports::ports(std::shared_ptr<detail::ports_connection> const& connection)
    : in(connection), out(connection) {
  in.tie(&out);
}

}  // namespace blocking

}  // namespace cotls
