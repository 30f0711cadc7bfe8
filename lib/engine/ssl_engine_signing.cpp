// Signatures that a handshake waits for:
//
//   perform -> signing_call::run -> want::signature -> signature_question::answer: the program's
//   perform -> signing_call::run, with the signature -> as ever

#include <cotls/detail/engine/question.hpp>
#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "signing/signing_call.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace cotls::detail {

namespace {

class signature_question final : public question {
 public:
  explicit signature_question(std::shared_ptr<awaited_signature> awaited) noexcept
      : awaited_(std::move(awaited)) {}

  // That it was cancelled is no answer.
  asio::awaitable<void> answer() override {
    std::exception_ptr failed;
    try {
      signer::signature made = co_await awaited_->by().async_sign(awaited_->request());
      awaited_->give(std::move(made));
    } catch (...) {
      failed = std::current_exception();
    }
    if (!failed) co_return;
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(failed);
    awaited_->fail(std::move(failed));
  }

 private:
  std::shared_ptr<awaited_signature> awaited_;
};

}  // namespace

// Here, for it may have to end a call of OpenSSL's that waits, while all of it is there.
ssl_engine::~ssl_engine() {
  if (!record_ || !record_->signing) return;
  channel_->mute();
  give_up_signature();
}

bool ssl_engine::may_wait_for_signer() const noexcept {
  return context_ && context_->may_wait_for_signer();
}

std::optional<int> ssl_engine::handshake_and_sign() {
  record& known = failures();
  if (!known.signing) known.signing = std::make_shared<signing_call>();
  signing_call& under_way = *known.signing;
  std::shared_ptr<awaited_signature> const before = under_way.awaited();
  std::optional<int> const done = under_way.run(ssl_.get());
  if (done) {
    give_up_signature();   // none is waited for
  } else if (under_way.awaited() != before) {
    known.asked = std::make_shared<signature_question>(under_way.awaited());
  }
  return done;
}

void ssl_engine::give_up_signature() noexcept {
  if (!record_ || !record_->signing) return;
  record_->asked.reset();
  record_->signing.reset();
}

}  // namespace cotls::detail
