#pragma once

#include <cstdint>

namespace cotls::detail {

/** What a connection has come to. It goes down this list and never up, but for a question, after
    which the handshake goes on, and for a handshake that is given up once OpenSSL is done: it was
    none.

    Its directions end apart: what a read says when nothing more comes, close_notify or the
    transport's end, is no phase. */
enum class phase : std::uint8_t {
  fresh,      ///< Nothing was said or heard.
  hello,      ///< A server awaits the rest of a hello, of which OpenSSL knows nothing yet.
  handshake,  ///< OpenSSL shakes hands.
  question,   ///< It has stopped for the program's answer (`want::certificate` and the like).
  open,       ///< The handshake is done.
  closing,    ///< Our close_notify is asked for, and the transport has not taken it.
  closed,     ///< It has left. Reading goes on.
  refused,    ///< The handshake has failed: there is no connection.
  failed,     ///< The connection has failed.
};

/** Returns whether the connection has come into being. */
constexpr bool was_opened(phase at) noexcept {
  switch (at) {
    case phase::fresh:
    case phase::hello:
    case phase::handshake:
    case phase::question:
    case phase::refused: return false;
    case phase::open:
    case phase::closing:
    case phase::closed:
    case phase::failed: return true;
  }
  return false;
}

/** Returns whether nothing has passed between OpenSSL and the transport. */
constexpr bool has_not_begun(phase at) noexcept {
  return at == phase::fresh || at == phase::hello;
}

/** The calls whose answer depends on the phase. */
enum class request : std::uint8_t { handshake, read, write, close_write };

/** What an engine does with a request. */
enum class answer : std::uint8_t {
  goes_on,       ///< OpenSSL is asked.
  done,          ///< Nothing: there is nothing to do.
  write_closed,  ///< `errc::write_after_close`
  failure,       ///< The failure that has ended the connection; of a read, behind what is here.
};

/** The legal calls of each phase (`unit/phase` walks through them):

        phase              handshake   read       write          close_write
        fresh .. question  goes on     goes on    goes on        done: nothing is open
        open               goes on     goes on    goes on        goes on
        closing            goes on     goes on    write_closed   goes on
        closed             goes on     goes on    write_closed   done
        refused, failed    failure     failure    failure        failure

    A read or a write before the handshake is done goes on with it first. */
constexpr answer answer_to(request asked, phase at) noexcept {
  switch (at) {
    case phase::fresh:
    case phase::hello:
    case phase::handshake:
    case phase::question: return asked == request::close_write ? answer::done : answer::goes_on;
    case phase::open: return answer::goes_on;
    case phase::closing: return asked == request::write ? answer::write_closed : answer::goes_on;
    case phase::closed:
      if (asked == request::write) return answer::write_closed;
      return asked == request::close_write ? answer::done : answer::goes_on;
    case phase::refused:
    case phase::failed: return answer::failure;
  }
  return answer::failure;
}

}  // namespace cotls::detail
