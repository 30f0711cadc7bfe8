#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/** What the repetitions of one figure gave. */
class samples {
 public:
  void add(double value) {
    values_.insert(std::upper_bound(values_.begin(), values_.end(), value), value);
  }

  double median() const {
    std::size_t const half = values_.size() / 2;
    return values_.size() % 2 == 1 ? values_.at(half)
                                   : (values_.at(half) + values_.at(half - 1)) / 2;
  }
  double lowest() const { return values_.at(0); }
  double highest() const { return values_.at(values_.size() - 1); }

 private:
  std::vector<double> values_;  // sorted
};

}  // namespace bench
