#pragma once

#include <string>

namespace bench {

/** Compares counts with what is committed in gates.hpp. */
class gate {
 public:
  /** Each prints the comparison. What must be there is checked, too: a gate that counts nothing
      would always be passed. */
  void at_most(std::string const& figure, double value, double limit);
  void at_least(std::string const& figure, double value, double limit);

  bool passed() const noexcept { return passed_; }

 private:
  void compare(std::string const& figure, double value, char const* relation, double limit,
               bool holds);

  bool passed_ = true;
};

}  // namespace bench
