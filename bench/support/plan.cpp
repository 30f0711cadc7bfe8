#include "plan.hpp"

#include <algorithm>

namespace bench {

plan::plan(effort how, int repetitions, std::vector<std::string> implementations,
           cotls::identity const& own)
    : how_(how),
      repetitions_(repetitions),
      implementations_(std::move(implementations)),
      identity_(&own) {}

bool plan::wants(std::string const& implementation) const {
  return implementations_.empty() || std::find(implementations_.begin(), implementations_.end(),
                                               implementation) != implementations_.end();
}

}  // namespace bench
