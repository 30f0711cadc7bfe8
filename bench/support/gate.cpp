#include "gate.hpp"

#include "table.hpp"

#include <iostream>

namespace bench {

void gate::at_most(std::string const& figure, double value, double limit) {
  compare(figure, value, "<=", limit, value <= limit);
}

void gate::at_least(std::string const& figure, double value, double limit) {
  compare(figure, value, ">=", limit, value >= limit);
}

void gate::compare(std::string const& figure, double value, char const* relation, double limit,
                   bool holds) {
  std::cout << (holds ? "ok    " : "FAIL  ") << figure << ": " << number(value, 3) << " "
            << relation << " " << number(limit, 3) << std::endl;
  passed_ = passed_ && holds;
}

}  // namespace bench
