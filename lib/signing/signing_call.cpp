#include "signing/signing_call.hpp"

#include "openssl/openssl_error.hpp"

#include <openssl/ssl.h>

#include <stdexcept>

namespace cotls::detail {

namespace {

thread_local constinit signing_call* running_call = nullptr;

}  // namespace

void awaited_signature::give(signer::signature made) noexcept {
  std::scoped_lock const lock(mutex_);
  if (!made_ && !failed_) made_ = std::move(made);
}

void awaited_signature::fail(std::exception_ptr why) noexcept {
  std::scoped_lock const lock(mutex_);
  if (!made_ && !failed_) failed_ = std::move(why);
}

bool awaited_signature::is_here() const noexcept {
  std::scoped_lock const lock(mutex_);
  return made_ || failed_;
}

signer::signature awaited_signature::take() {
  std::scoped_lock const lock(mutex_);
  if (failed_) std::rethrow_exception(failed_);
  return std::move(made_.value());
}

signing_call::~signing_call() {
  if (!stack_ || !stack_->paused()) return;
  is_given_up_ = true;
  go_on();
  clear_openssl_errors();
}

std::optional<int> signing_call::run(SSL* connection) {
  if (awaited_ && !awaited_->is_here()) return std::nullopt;
  connection_ = connection;
  if (!stack_) stack_.emplace();
  go_on();
  if (stack_->paused()) return std::nullopt;
  stack_.reset();   // between two calls a peer may be silent for long
  return result_;
}

// No address of a thread's own is kept from before a pause to behind it: compilers may.
[[gnu::noinline]] signing_call* signing_call::current() noexcept { return running_call; }

void signing_call::go_on() noexcept {
  signing_call* const outer = std::exchange(running_call, this);
  stack_->run(
      [](void* it) {
        auto& self = *static_cast<signing_call*>(it);
        self.result_ = SSL_do_handshake(self.connection_);
      },
      this);
  running_call = outer;
}

signer::signature signing_call::await(signer const& by, signature_request request) {
  awaited_ = std::make_shared<awaited_signature>(by, std::move(request));
  stack_->pause();
  std::shared_ptr<awaited_signature> const answered = std::exchange(awaited_, nullptr);
  if (is_given_up_) throw std::runtime_error("the handshake was given up");
  return answered->take();
}

}  // namespace cotls::detail
