// Signatures that a handshake waits for:
//
//   perform -> shake_hands_and_sign -> signing_call::run -> a question like a hook's: want::signature
//   perform -> shake_hands_and_sign -> signing_call::run, with the answer -> as ever

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "signing/signing_call.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace cotls::detail {

namespace {

std::shared_ptr<asked_signature> question_about(signing_call::wanted const& signature) {
  auto const kept = std::make_shared<signing_call::wanted const>(signature);
  return std::make_shared<asked_signature>([kept] {
    return reply<signer::signature>(std::in_place_index<1>, kept->by.async_sign(kept->request));
  });
}

void give_answer(asked_signature const& of, signing_call& to) noexcept {
  try {
    to.give(of.value());
  } catch (...) {
    to.fail(std::current_exception());
  }
}

}  // namespace

// Here, for it may have to end a call of OpenSSL's that waits, while all of it is there.
ssl_engine::~ssl_engine() {
  if (!record_ || !record_->dialogue || !record_->dialogue->signing) return;
  channel_->mute();
  give_up_signature();
}

bool ssl_engine::may_wait_for_signer() const noexcept {
  return context_ && context_->may_wait_for_signer();
}

std::optional<int> ssl_engine::shake_hands_and_sign(call what) {
  dialogue& with = talk();
  if (!with.signing) with.signing = std::make_shared<signing_call>();
  for (;;) {
    if (with.signature) give_answer(*std::exchange(with.signature, nullptr), *with.signing);
    std::optional<int> const done = with.signing->run([this, what] { return shake_hands(what); });
    if (done) {
      with.signing.reset();
      return done;
    }
    with.signature = question_about(with.signing->awaited());
    if (with.signature->look() != progress::waiting) continue;   // it has thrown
    with.current = with.signature;
    with.stopped_for = want::signature;
    return std::nullopt;
  }
}

void ssl_engine::give_up_signature() noexcept {
  if (record_ && record_->dialogue) record_->dialogue->signing.reset();
}

}  // namespace cotls::detail
