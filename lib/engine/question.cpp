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

bool question::settle(progress ended) noexcept {
  std::vector<std::function<void()>> told;
  {
    std::scoped_lock const lock(mutex_);
    if (how_far() != progress::waiting) return false;
    progress_.store(ended, std::memory_order_release);
    told.swap(told_);
  }
  for (auto const& each : told) each();
  return true;
}

asio::awaitable<void> work_on(std::shared_ptr<question> asked) { co_await asked->answer(); }

}  // namespace cotls::detail
