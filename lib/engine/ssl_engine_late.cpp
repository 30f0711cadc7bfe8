// What TLS 1.3 lets be said once a handshake is done (RFC 8446 section 4.6):
//
//   update_key           SSL_key_update -> SSL_do_handshake sends it; or, in time, the next write
//   request_certificate  SSL_verify_client_post_handshake -> SSL_do_handshake sends it
//                        -> reads peek until the client's Finished is another one: it has answered,
//                           and the program's last word is asked for once more

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "openssl/openssl_error.hpp"

#include <boost/asio/error.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace cotls::detail {

// Whether a message of this kind can be sent. Before it, a message of the peer's that is half here
// must be whole (T28).
step ssl_engine::ready_to_say_more() {
  if (failed()) return settled(answer::failure);
  if (!was_opened(phase_)) return {want::nothing, 0, errc::handshake_not_done};
  if (phase_ != phase::open) return {want::nothing, 0, errc::write_after_close};
  if (SSL_version(ssl_.get()) < TLS1_3_VERSION) return {want::nothing, 0, errc::needs_tls_1_3};
  // OpenSSL has begun a record, which only the same write can finish.
  if (write_waits_) return {want::output, 0, {}};
  return SSL_in_init(ssl_.get()) == 1 ? perform(call::handshake) : step{};
}

step ssl_engine::update_key(key_update asked) {
  channel::use const use(*channel_);
  bool const begun = SSL_get_key_update_type(ssl_.get()) != SSL_KEY_UPDATE_NONE;
  if (!begun || phase_ != phase::open) {
    step const ready = ready_to_say_more();
    if (ready.want == want::input) return needs_input(use.why());
    if (ready.error || ready.want != want::nothing) return ready;
    clear_openssl_errors();
    int const type = asked == key_update::requested ? SSL_KEY_UPDATE_REQUESTED
                                                    : SSL_KEY_UPDATE_NOT_REQUESTED;
    if (int const result = SSL_key_update(ssl_.get(), type); result != 1) {
      openssl_error said = take_openssl_error(ssl_.get(), result);
      return fail(to_error_code(said.code), said.status, std::move(said.stack));
    }
  }
  step const sent = perform(call::handshake);
  if (!sent.error && sent.want == want::nothing) begin_new_key();
  return sent;
}

// The write that comes next has OpenSSL send it first. What stands against it, a write that is to
// be made again or a message that is half here, does so until a later one. TLS 1.2 has nothing of
// the kind.
void ssl_engine::update_key_in_time() {
  SSL* const ssl = ssl_.get();
  if (!was_opened(phase_) || write_waits_ || SSL_in_init(ssl) == 1) return;
  if (SSL_version(ssl) >= TLS1_3_VERSION) {
    clear_openssl_errors();
    if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) clear_openssl_errors();
  }
  begin_new_key();
}

void ssl_engine::begin_new_key() noexcept {
  std::uint64_t const bytes = context_ ? context_->settings().records.key_update_after() : 0;
  key_room_ = bytes > 0 ? bytes : std::numeric_limits<std::uint64_t>::max();
  key_records_ = 0;
}

std::size_t ssl_engine::peer_finished(std::span<unsigned char> into) const noexcept {
  return SSL_get_peer_finished(ssl_.get(), into.data(), into.size());
}

// OpenSSL does not tell. The answer ends with a Finished, which is of the whole of it, also of one
// without a certificate, and another one than that before it. Within whichever call it has come,
// the program has its word before anything more is read or written: it was never asked about whom
// the answer is of.
step ssl_engine::heed_late_answer() noexcept {
  std::array<unsigned char, EVP_MAX_MD_SIZE> now;
  std::size_t const size = peer_finished(now);
  std::vector<unsigned char>& before = record_->finished;
  if (std::equal(before.begin(), before.end(), now.begin(), now.begin() + size)) return {};
  before.clear();
  record_->judges_late = true;
  if (record_->dialogue) record_->dialogue->established.reset();   // it is another question
  return judge_late_answer();
}

step ssl_engine::judge_late_answer() noexcept {
  if (has_last_word()) {
    step const judged = conclude();
    if (judged.error || judged.want != want::nothing) return judged;
  }
  record_->judges_late = false;
  record_->answered = true;
  return {};
}

// What has come behind the answer stays with OpenSSL while the program is being asked: whoever reads
// looks first, in which the answer is found.
step ssl_engine::go_on_with_late_answer(call what) {
  if (judges_late_answer()) return judge_late_answer();
  if (what != call::read) return {};
  std::byte one{};
  return perform(call::peek, &one, 1);
}

step ssl_engine::request_certificate() {
  if (!is_server()) return {want::nothing, 0, asio::error::operation_not_supported};
  channel::use const use(*channel_);
  bool const asked = record_ && (record_->answered || !record_->finished.empty());
  step const ready = ready_to_say_more();
  if (ready.error || (ready.want != want::nothing && ready.want != want::input)) return ready;
  if (!asked) {
    if (ready.want == want::input) return needs_input(use.why());
    try {
      std::array<unsigned char, EVP_MAX_MD_SIZE> now;
      std::size_t const size = peer_finished(now);
      failures().finished.assign(now.begin(), now.begin() + size);
    } catch (std::bad_alloc const&) {
      return {want::nothing, 0, make_error_code(boost::system::errc::not_enough_memory)};
    }
    clear_openssl_errors();
    if (int const result = SSL_verify_client_post_handshake(ssl_.get()); result != 1) {
      // The connection goes on.
      record_->finished.clear();
      return {want::nothing, 0, to_error_code(take_openssl_error(ssl_.get(), result).code)};
    }
    if (step const sent = perform(call::handshake); sent.error || sent.want != want::nothing) {
      return sent;
    }
  }
  return await_certificate(use);
}

// Data that has come before the answer is for a read.
step ssl_engine::await_certificate(channel::use const& use) {
  step seen;
  if (!record_->answered) {
    if (kept() > 0) return {want::nothing, 0, errc::unread_data};
    std::byte one{};
    seen = perform(call::peek, &one, 1);
    if (failed()) return settled(answer::failure);
  }
  if (std::exchange(record_->answered, false)) return {};
  if (seen.bytes > 0) return {want::nothing, 0, errc::unread_data};
  return seen.want == want::input ? needs_input(use.why()) : seen;
}

}  // namespace cotls::detail
