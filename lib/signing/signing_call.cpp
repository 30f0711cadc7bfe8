#include "signing/signing_call.hpp"

#include "openssl/openssl_error.hpp"

#include <stdexcept>

namespace cotls::detail {

namespace {

thread_local constinit signing_call* running_call = nullptr;

}  // namespace

signing_call::~signing_call() {
  if (!stack_ || !stack_->paused()) return;
  made_.reset();
  failed_ = nullptr;
  go_on();
  clear_openssl_errors();
}

std::optional<int> signing_call::run(std::function<int()> const& call) {
  if (!stack_) {
    call_ = call;
    stack_.emplace();
  }
  go_on();
  if (stack_->paused()) return std::nullopt;
  stack_.reset();   // between two calls a peer may be silent for long
  return result_;
}

// No address of a thread's own may be kept from before a pause to behind it, as compilers do.
[[gnu::noinline]] signing_call* signing_call::current() noexcept { return running_call; }

void signing_call::go_on() noexcept {
  signing_call* const outer = std::exchange(running_call, this);
  stack_->run(
      [](void* it) {
        auto& self = *static_cast<signing_call*>(it);
        self.result_ = self.call_();
      },
      this);
  running_call = outer;
}

signer::signature signing_call::await(signer const& by, signature_request request) {
  awaited_.emplace(by, std::move(request));
  stack_->pause();
  awaited_.reset();
  if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
  if (!made_) throw std::runtime_error("the handshake was given up");
  return *std::exchange(made_, std::nullopt);
}

}  // namespace cotls::detail
