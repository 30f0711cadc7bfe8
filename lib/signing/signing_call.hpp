#pragma once

#include <cotls/signer.hpp>

#include "system/side_stack.hpp"

#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace cotls::detail {

/** A handshake's call of OpenSSL, which pauses where a signer is waited for:

        run -> a call of OpenSSL's -> ... -> await: pause -> run has no result
        give; run -> await returns the signature -> ... -> run has OpenSSL's result

    While it waits it must keep nothing of its thread's, for another may go on with it. OpenSSL does
    not: it looks for its thread's errors, and for its random numbers, whenever it needs them. */
class signing_call {
 public:
  /// What is to be signed, and by whom.
  struct wanted {
    wanted(signer who, signature_request what) : by(std::move(who)), request(std::move(what)) {}
    signer by;
    signature_request request;
  };

  signing_call() = default;
  signing_call(signing_call const&) = delete;
  signing_call& operator=(signing_call const&) = delete;

  /** A call that waits ends here, without its signature. */
  ~signing_call();

  /** Calls OpenSSL, or goes on with the call that is in progress, whichever it is.
      @return What OpenSSL has returned; nothing while a signature is waited for.
      @par Errors std::bad_alloc, before anything was called */
  std::optional<int> run(std::function<int()> const& call);

  /** Returns what is waited for. */
  wanted const& awaited() const noexcept { return *awaited_; }

  /** Gives what is waited for, or why there is none. */
  void give(signer::signature made) noexcept { made_ = std::move(made); }
  void fail(std::exception_ptr why) noexcept { failed_ = std::move(why); }

  /** Returns the call that is in progress on this stack; null when none is. */
  static signing_call* current() noexcept;

  /** Waits for a signature, within `run`. @par Errors Why there is none */
  signer::signature await(signer const& by, signature_request request);

 private:
  void go_on() noexcept;

  std::optional<side_stack> stack_;
  std::optional<wanted> awaited_;
  std::optional<signer::signature> made_;
  std::exception_ptr failed_;
  std::function<int()> call_;
  int result_ = 0;
};

}  // namespace cotls::detail
