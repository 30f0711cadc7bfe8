#include <cotls/detail/engine/question.hpp>

#include <utility>

namespace cotls::detail {

void question::when_ended(std::function<void()> told) {
  {
    std::scoped_lock const lock(mutex_);
    if (how_far() == progress::waiting) return told_.push_back(std::move(told));
  }
  told();
}

asio::awaitable<void> work_on(std::shared_ptr<question> asked) { co_await asked->answer(); }

}  // namespace cotls::detail
