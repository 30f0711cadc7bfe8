#pragma once

#include <cotls/certificate_query.hpp>
#include <cotls/detail/engine/question.hpp>
#include <cotls/detail/session/session_storage.hpp>
#include <cotls/detail/support/hook.hpp>
#include <cotls/hello_answer.hpp>
#include <cotls/signer.hpp>
#include <cotls/want.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace cotls::detail {

/** A question with its answer.

        unasked -- look --> answered                               at once
                   look --> waiting -- the work ends --> answered  the program's coroutine
                               |   \-- give ----------> answered   the user of an engine
                               +-- abandon, or the work is destroyed --> abandoned
*/
template <class Answer>
class asked final : public question {
 public:
  /** @param ask  Asks the program, and owns all that it is shown: it lives as long as this. */
  explicit asked(std::function<reply<Answer>()> ask) : ask_(std::move(ask)) {}

  /** Asks, unless that was done, and says how far the program is. */
  progress look() {
    if (how_far() != progress::unasked) return how_far();
    wait();
    try {
      reply<Answer> said = ask_();
      if (auto* const at_once = std::get_if<0>(&said)) {
        answer_.emplace(std::move(*at_once));
      } else {
        work_.emplace(std::get<1>(std::move(said)));
        return progress::waiting;
      }
    } catch (...) {
      thrown_ = std::current_exception();
    }
    settle(progress::answered, [] {});
    return progress::answered;
  }

  asio::awaitable<void> answer() override {
    struct destroyed {
      asked* self;
      ~destroyed() { self->abandon(); }   // without effect on what was answered
    } const guard{this};
    std::optional<Answer> said;
    std::exception_ptr thrown;
    try {
      asio::awaitable<Answer> work = *std::exchange(work_, std::nullopt);
      said.emplace(co_await std::move(work));
    } catch (...) {
      thrown = std::current_exception();
    }
    store(std::move(said), thrown);
  }

  /** Answers in the place of the program's work. False when it is late. */
  bool give(Answer said) { return store(std::move(said), nullptr); }

  /** Returns the answer, or throws what the program has thrown. */
  Answer const& value() const {
    if (thrown_) std::rethrow_exception(thrown_);
    return *answer_;
  }

 private:
  // Two may answer: what the engine reads is what the first has said.
  bool store(std::optional<Answer> said, std::exception_ptr thrown) {
    return settle(progress::answered, [&] {
      answer_ = std::move(said);
      thrown_ = std::move(thrown);
    });
  }

  std::function<reply<Answer>()> ask_;
  std::optional<asio::awaitable<Answer>> work_;
  std::optional<Answer> answer_;
  std::exception_ptr thrown_;
};

/** Makes a question for a hook, which is shown the arguments. The question owns both, so that the
    program's work may use them for as long as it runs. */
template <class Answer, class... Args, class... Shown>
std::shared_ptr<asked<Answer>> question_for(
    std::shared_ptr<hook<Answer, Args...> const> const& by, Shown... shown) {
  auto const kept = std::make_shared<std::tuple<Shown...>>(std::move(shown)...);
  return std::make_shared<asked<Answer>>([by, kept] { return std::apply(*by, *kept); });
}

/** What the program has said by throwing; empty where that has no words. */
std::string text_of(std::exception_ptr const& thrown) noexcept;

using asked_hello = asked<hello_answer>;
using asked_certificate = asked<certificate_answer>;
using asked_verdict = asked<bool>;
using asked_sessions = asked<found_sessions>;
using asked_signature = asked<signer::signature>;

class signing_call;

/** What a connection has asked the program, whose context has hooks. */
struct dialogue {
  std::shared_ptr<asked_hello> hello;
  std::shared_ptr<asked_certificate> certificate;
  std::shared_ptr<asked_verdict> verification;
  std::shared_ptr<asked_verdict> established;
  std::shared_ptr<asked_sessions> sessions;
  std::shared_ptr<asked_signature> signature;
  std::shared_ptr<signing_call> signing;   // a handshake's, where a signer may be waited for

  std::shared_ptr<question> current;   // that the engine has stopped for
  want stopped_for = want::nothing;

  std::string host;                      // that the client has asked for
  bool chain_was_accepted = false;       // by OpenSSL: the one that `verification` is about
  std::vector<std::byte> withheld;       // what says that the handshake is done
};

}  // namespace cotls::detail
