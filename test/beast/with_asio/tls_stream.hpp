#pragma once

#include "programs.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/beast/ssl.hpp>

namespace cotls::test {

inline constexpr implementation under_test = implementation::asio;

template <class Next>
using tls_stream = boost::beast::ssl_stream<Next>;
template <class Next>
using asio_tls_stream = boost::asio::ssl::stream<Next>;

}  // namespace cotls::test
