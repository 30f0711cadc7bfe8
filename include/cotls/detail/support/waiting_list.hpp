#pragma once

#include <cotls/detail/support/carried_handler.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <tuple>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/** Something that holds handlers which belong to an execution context.

    When the context is destroyed, so are they, as those of Asio's own operations are: a coroutine
    that waits here may own the very object that it waits on, and nothing else would ever end it.
*/
class handler_holder {
 public:
  explicit handler_holder(asio::execution_context& context);
  handler_holder(handler_holder const&) = delete;
  handler_holder& operator=(handler_holder const&) = delete;

  /** Destroys the handlers, uncalled. */
  virtual void drop() = 0;

 protected:
  ~handler_holder();

 private:
  class registry;
  registry* registry_;
  handler_holder* before_ = nullptr;   // in the registry's list
  handler_holder* after_ = nullptr;
};

/** Completion handlers that wait for an event, first come first served.

    Handlers are completed by a post, and from there on their associated executor (which itself
    need not be one that can be posted to, A19), so that they may be completed under a lock. The
    list itself is not synchronised.
*/
template <class... Args>
class waiting_list final : private handler_holder {
 public:
  using ticket = std::uint64_t;

  /** @param tickets  The last ticket that was given out; lists that share it can tell who of their
                      handlers came first. By default the list counts its own. */
  template <class Executor>
  explicit waiting_list(Executor const& executor, ticket* tickets = nullptr)
      : handler_holder(asio::query(executor, asio::execution::context)),
        last_(tickets ? tickets : &own_last_) {}

  bool empty() const noexcept { return waiting_.empty(); }

  /** The ticket of the one that came first. */
  ticket first() const noexcept { return waiting_.front().first; }

  /** How many came before another list's ticket. */
  std::size_t count_before(ticket other) const noexcept {
    auto const end = std::partition_point(waiting_.begin(), waiting_.end(),
                                          [&](auto const& one) { return one.first < other; });
    return static_cast<std::size_t>(end - waiting_.begin());
  }

  /** Adds a handler; `executor` is the default of its associated executor. */
  template <class Handler, class Executor>
  ticket add(Handler handler, Executor const& executor) {
    waiting_.emplace_back(
        ++*last_, std::make_unique<entry_for<Handler, Executor>>(std::move(handler), executor));
    return *last_;
  }

  /** Completes the one that came first. */
  void complete_first(Args... args) {
    std::unique_ptr<entry> const first = std::move(waiting_.front().second);
    waiting_.pop_front();
    first->complete(std::move(args)...);
  }

  /** Completes one; nothing happens when it was completed before. */
  void complete(ticket which, Args... args) {
    for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
      if (it->first != which) continue;
      std::unique_ptr<entry> const found = std::move(it->second);
      waiting_.erase(it);
      return found->complete(std::move(args)...);
    }
  }

 private:
  struct entry {
    virtual ~entry() = default;
    virtual void complete(Args... args) = 0;
  };

  // The handler's slot is its owner's again.
  template <class Handler>
  struct ended : bound_handler<Handler, Args...> {
    void operator()() {
      asio::get_associated_cancellation_slot(this->carried).clear();
      bound_handler<Handler, Args...>::operator()();
    }
  };

  template <class Handler, class Executor>
  struct entry_for final : entry {
    entry_for(Handler&& taken, Executor const& executor)
        : handler(std::move(taken)),
          ours(executor),
          theirs(asio::get_associated_executor(handler, executor)) {}

    void complete(Args... args) override {
      asio::post(ours.get_executor(),
                 ended<Handler>{{{std::move(handler)}, {std::move(args)...}}});
    }

    Handler handler;
    asio::executor_work_guard<Executor> ours;
    asio::executor_work_guard<asio::associated_executor_t<Handler, Executor>> theirs;
  };

  // What a handler owns may come back to this list while it is destroyed.
  void drop() override { auto const dropped = std::exchange(waiting_, {}); }

  std::deque<std::pair<ticket, std::unique_ptr<entry>>> waiting_;
  ticket own_last_ = 0;
  ticket* last_;
};

}  // namespace cotls::detail
