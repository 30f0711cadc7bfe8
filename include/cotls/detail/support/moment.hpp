#pragma once

#include <chrono>
#include <optional>

namespace cotls::detail {

/** The moment after a time, which may be as long as a duration can say: then it is never. */
inline std::chrono::steady_clock::time_point moment_after(
    std::chrono::steady_clock::duration limit) {
  using clock = std::chrono::steady_clock;
  auto const now = clock::now();
  return limit < clock::time_point::max() - now ? now + limit : clock::time_point::max();
}

/** The moment at which a call gives up; none: it waits as long as it takes. */
using give_up_at = std::optional<std::chrono::steady_clock::time_point>;

/** The moment after a time; none for the longest time that there is. */
inline give_up_at give_up_after(std::chrono::steady_clock::duration limit) {
  if (limit == std::chrono::steady_clock::duration::max()) return std::nullopt;
  return moment_after(limit);
}

}  // namespace cotls::detail
