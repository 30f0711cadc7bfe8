#pragma once

#include <cotls/signer.hpp>

#include "system/side_stack.hpp"

#include <openssl/types.h>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace cotls::detail {

/** A signature that a handshake waits for. May be asked for more than once: the first answer counts.
    Whoever makes it may outlast the connection. */
class awaited_signature {
 public:
  awaited_signature(signer by, signature_request request)
      : by_(std::move(by)), request_(std::move(request)) {}

  signer const& by() const noexcept { return by_; }
  signature_request const& request() const noexcept { return request_; }

  void give(signer::signature made) noexcept;
  void fail(std::exception_ptr why) noexcept;
  bool is_here() const noexcept;

  /** Returns it once it is here. @par Errors What it has failed with */
  signer::signature take();

 private:
  signer const by_;
  signature_request const request_;
  mutable std::mutex mutex_;
  std::optional<signer::signature> made_;
  std::exception_ptr failed_;
};

/** A handshake's call of OpenSSL, which pauses where a signer is waited for:

        run -> SSL_do_handshake -> … -> await: pause -> run has no result
        run -> the signature is here: await returns it -> … -> run has OpenSSL's result

    So a call must not keep anything of its thread's while it waits, for another may go on with it.
    OpenSSL does not: it looks for its thread's errors, and for its random numbers, whenever it needs
    them. */
class signing_call {
 public:
  signing_call() = default;
  signing_call(signing_call const&) = delete;
  signing_call& operator=(signing_call const&) = delete;

  /** A call that waits ends here, without its signature. */
  ~signing_call();

  /** Calls OpenSSL, or goes on if the signature is here that is waited for.
      @return What OpenSSL has returned; nothing while a signature is waited for.
      @par Errors std::bad_alloc, before anything was called */
  std::optional<int> run(SSL* connection);

  /** Returns what is waited for; null when nothing is. */
  std::shared_ptr<awaited_signature> const& awaited() const noexcept { return awaited_; }

  /** Returns the call that is in progress on this stack; null when none is. */
  static signing_call* current() noexcept;

  /** Waits for a signature, within `run`. @par Errors Whatever the signer throws */
  signer::signature await(signer const& by, signature_request request);

 private:
  void go_on() noexcept;

  std::optional<side_stack> stack_;
  std::shared_ptr<awaited_signature> awaited_;
  SSL* connection_ = nullptr;
  int result_ = 0;
  bool is_given_up_ = false;
};

}  // namespace cotls::detail
