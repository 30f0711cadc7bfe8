#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/** What the repetitions of one figure gave, in their order. */
class samples {
 public:
  void add(double value) { values_.push_back(value); }

  double median() const {
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    std::size_t const half = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted.at(half) : (sorted.at(half) + sorted.at(half - 1)) / 2;
  }
  double last() const { return values_.at(values_.size() - 1); }
  double lowest() const { return *std::min_element(values_.begin(), values_.end()); }
  double highest() const { return *std::max_element(values_.begin(), values_.end()); }

  /** The ratio of each repetition to the other's that ran beside it. */
  samples to(samples const& other) const {
    samples ratios;
    std::size_t const pairs = std::min(values_.size(), other.values_.size());
    for (std::size_t i = 0; i < pairs; ++i) {
      if (other.values_[i] > 0) ratios.add(values_[i] / other.values_[i]);
    }
    return ratios;
  }

  std::vector<double> const& all() const noexcept { return values_; }

  bool empty() const noexcept { return values_.empty(); }

 private:
  std::vector<double> values_;
};

}  // namespace bench
