// What has ended a connection, and what is known of it: kept apart, for most connections end well.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"

#include <boost/asio/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <new>
#include <utility>

namespace cotls::detail {

namespace {

// Whether a callback of ours has refused, and has said why.
bool is_our_refusal(error_code code) {
  auto const packed = static_cast<unsigned long>(static_cast<unsigned>(code.value()));
  if (code.category() != openssl_category() || ERR_GET_LIB(packed) != ERR_LIB_SSL) return false;
  int const reason = ERR_GET_REASON(packed);
  return reason == SSL_R_CERTIFICATE_VERIFY_FAILED || reason == SSL_R_INVALID_STATUS_RESPONSE ||
         reason == SSL_R_CERT_CB_ERROR || reason == SSL_R_CALLBACK_FAILED;
}

}  // namespace

step ssl_engine::fail(error_code code, status classified, std::string stack) noexcept {
  fatal_ = code;
  phase_ = was_opened(phase_) ? phase::failed : phase::refused;
  try {
    failure& known = failures().fatal;
    if (!is_our_refusal(code)) forget_refused_certificate();
    if (record_->refused_as) fatal_ = code = record_->refused_as;
    known.status = classified;
    known.openssl_stack = std::move(stack);
    known.certificate_missed = missed_certificate(code);
    // Should the session that was offered be the reason, the next connection goes without.
    if (is_remembered() && phase_ == phase::refused) context_->sessions()->forget(session_key());
  } catch (std::bad_alloc const&) {
    // The code is reported; only what OpenSSL said of it is lost.
  }
  return {want::nothing, 0, code};
}

error_code ssl_engine::send_failure() noexcept {
  if (failed() || !channel_->send_error()) return failed() ? fatal_ : channel_->send_error();
  // A peer that refuses us says so by an alert before it closes. Data that is here stays: whoever
  // reads meets the alert behind it.
  channel_->set_dry(false);
  channel::use const looking(*channel_);
  std::byte one{};
  perform(call::peek, &one, 1);
  return failed() ? fatal_ : channel_->send_error();
}

void ssl_engine::note_failure(error_code code, char const* operation) noexcept {
  try {
    record& known = failures();
    known.last = code;
    known.last_operation = operation;
  } catch (std::bad_alloc const&) {
    // The operation reports its code; only last_error does not know of it.
  }
}

ssl_engine::record& ssl_engine::failures() {
  if (!record_) record_ = std::make_unique<record>();
  return *record_;
}

error ssl_engine::last_error() const {
  if (!record_ || !record_->last) return failure_of({}, "the connection");
  return failure_of(record_->last, record_->last_operation);
}

failure ssl_engine::failure_details(error_code code) const {
  if (record_ && code && code == fatal_) return record_->fatal;
  failure known;
  if (code == asio::error::eof) known.status = status::zero_return;
  if (code && (code == channel_->receive_error() || code == channel_->send_error())) {
    known.status = status::syscall;
  }
  return known;
}

error ssl_engine::failure_of(error_code code, char const* operation) const {
  failure known = failure_details(code);
  known.context = operation;
  if (std::string const name = host(); !name.empty()) known.context += " with " + name;
  return error(code, std::move(known));
}

error ssl_engine::handshake_failure(error_code code, std::string const& peer) const {
  failure known = failure_details(code);
  known.context = "handshake with " + peer;
  return error(code, std::move(known));
}

void ssl_engine::give_up_handshake(error_code why) {
  bool const known = failed();
  give_up_signature();   // by which the peer is told
  phase_ = phase::refused;
  if (!known) fail(why, failure_details(why).status);
}

}  // namespace cotls::detail
