#pragma once

#include <memory>
#include <utility>

namespace cotls::detail {

/** A function of the program's; none where it has given none. Equal are copies of one. */
template <class Function>
class program_function {
 public:
  void set(Function function) {
    function_ = function ? std::make_shared<Function const>(std::move(function)) : nullptr;
  }

  Function const* get() const noexcept { return function_.get(); }

  /** The same, for what outlives the context. */
  std::shared_ptr<Function const> const& shared() const noexcept { return function_; }

  bool operator==(program_function const&) const = default;

 private:
  std::shared_ptr<Function const> function_;
};

}  // namespace cotls::detail
