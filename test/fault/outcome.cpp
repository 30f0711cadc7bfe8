#include "outcome.hpp"

#include <boost/asio/error.hpp>

namespace cotls::test {

namespace {

// What a transport says of a connection that is gone. (Never that it has ended: that is TLS's to
// judge.)
bool is_lost_transport(error_code const& code) {
  return code == asio::error::connection_reset || code == asio::error::broken_pipe;
}

bool is_truncation(error_code const& code) {
  return code == errc::handshake_truncated || code == errc::stream_truncated;
}

bool is_deadline(error_code const& code) {
  return code == errc::handshake_timeout || code == errc::shutdown_timeout;
}

}  // namespace

bool is_documented(operation what, error_code const& code) {
  if (code == asio::error::operation_aborted || is_lost_transport(code)) return true;
  switch (what) {
    case operation::handshake:
    case operation::connect:
    case operation::accept:
    case operation::read_early:
      return code == errc::handshake_timeout || code == errc::handshake_truncated;
    case operation::shutdown:
      return code == errc::shutdown_timeout || code == errc::stream_truncated;
    case operation::request_certificate:
      return code == errc::handshake_timeout || code == errc::stream_truncated;
    case operation::read:
    case operation::peek: return code == errc::stream_truncated;
    case operation::write:
    case operation::update_key:
    case operation::close_write: return false;
    case operation::say:
    case operation::hear: return code == asio::error::eof;
  }
  return false;
}

bool is_explained(plan const& how, end which, lane::failure const& failure, bool other_failed) {
  error_code const& code = failure.code;
  if (code == asio::error::operation_aborted && failure.was_closed) return true;
  // Without TLS an end is no more than that.
  bool const ended = is_truncation(code) || code == asio::error::eof;
  bool const gone = is_lost_transport(code) || ended;
  if (which == end::far && other_failed && gone) return true;
  // One direction may have stalled, and the other not: the far end gives up first.
  if (how.kind == trouble::stall && other_failed && gone) return true;
  switch (how.kind) {
    case trouble::none: return false;
    case trouble::failure: return is_lost_transport(code) || (which == end::far && gone);
    case trouble::end: return gone;
    case trouble::stall: return is_deadline(code) || code == asio::error::operation_aborted;
    case trouble::deadline: return which == end::near && is_deadline(code);
    case trouble::cancel:
    case trouble::race:
      return failure.what == operation::connect && code == asio::error::operation_aborted;
  }
  return false;
}

char const* name(operation what) {
  switch (what) {
    case operation::handshake: return "handshake";
    case operation::connect: return "connect";
    case operation::accept: return "accept";
    case operation::read_early: return "read_early";
    case operation::read: return "read";
    case operation::peek: return "peek";
    case operation::write: return "write";
    case operation::update_key: return "update_key";
    case operation::request_certificate: return "request_certificate";
    case operation::close_write: return "close_write";
    case operation::shutdown: return "shutdown";
    case operation::say: return "say";
    case operation::hear: return "hear";
  }
  return "?";
}

}  // namespace cotls::test
