#pragma once

#include <cotls/detail/support/moment.hpp>

namespace cotls::detail {

/** As `farewell` does, on the calling thread: ends our direction, and discards what comes until the
    peer has ended its own, or the moment has passed, or enough has come (A25). */
void let_last_words_arrive(int descriptor, give_up_at until) noexcept;

}  // namespace cotls::detail
