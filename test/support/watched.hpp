#pragma once

#include <functional>
#include <utility>

namespace cotls::test {

/** A transport inside of a type of its own, which makes it an AsyncStream like any other. Calls a
    function whenever something is asked of it. */
template <class Next>
class watched {
 public:
  using executor_type = typename Next::executor_type;
  using lowest_layer_type = typename Next::lowest_layer_type;

  explicit watched(Next next, std::function<void()> watcher = [] {})
      : next_(std::move(next)), watcher_(std::move(watcher)) {}

  executor_type get_executor() { return next_.get_executor(); }
  lowest_layer_type& lowest_layer() { return next_.lowest_layer(); }
  void cancel() { next_.cancel(); }

  template <class Buffers, class Token>
  auto async_read_some(Buffers const& buffers, Token&& token) {
    watcher_();
    return next_.async_read_some(buffers, std::forward<Token>(token));
  }

  template <class Buffers, class Token>
  auto async_write_some(Buffers const& buffers, Token&& token) {
    watcher_();
    return next_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  Next next_;
  std::function<void()> watcher_;
};

}  // namespace cotls::test
