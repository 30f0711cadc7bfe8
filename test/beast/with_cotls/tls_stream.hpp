#pragma once

#include "programs.hpp"

#include <cotls/ssl_stream.hpp>

namespace cotls::test {

inline constexpr implementation under_test = implementation::cotls;

template <class Next>
using tls_stream = ssl_stream<Next>;
template <class Next>
using asio_tls_stream = ssl_stream<Next>;

}  // namespace cotls::test
