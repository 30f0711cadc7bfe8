#pragma once

#include <utility>

namespace cotls::detail {

/** A value that a program may have set. Equal are those with the same value, whenever it was set. */
template <class Value>
class setting {
 public:
  void set(Value value) {
    value_ = std::move(value);
    ++times_;
  }

  bool is_set() const noexcept { return times_ > 0; }
  Value const& value() const noexcept { return value_; }

  /** True when it was set since the copy was made; to the same value, too: what the copy was applied
      to may have been changed by others meanwhile. */
  bool set_since(setting const& copy) const noexcept { return times_ != copy.times_; }

  bool operator==(setting const& other) const {
    return is_set() == other.is_set() && value_ == other.value_;
  }

 private:
  Value value_{};
  unsigned times_ = 0;
};

}  // namespace cotls::detail
