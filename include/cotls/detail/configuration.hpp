#pragma once

#include <boost/asio/detail/config.hpp>

namespace cotls::detail {

/** Ties a program to a library that was built with the same configuration of Asio.

    The macros below change the layout or the behaviour of Asio's types. The library defines the
    tag for its own configuration alone, so that a program with another one does not link, instead
    of running with two ideas of what a socket is.
*/
constexpr unsigned asio_configuration = 0
#if defined(BOOST_ASIO_ENABLE_BUFFER_DEBUGGING)
    | 1u
#endif
#if defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)
    | 2u
#endif
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
    | 4u
#endif
#if defined(BOOST_ASIO_DISABLE_EPOLL)
    | 8u
#endif
#if defined(BOOST_ASIO_DISABLE_THREADS)
    | 16u
#endif
#if defined(BOOST_ASIO_NO_TS_EXECUTORS)
    | 32u
#endif
#if defined(BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT)
    | 64u
#endif
    ;

template <unsigned Configuration>
struct built_with_asio_configuration {
  static int const tag;
};

extern template struct built_with_asio_configuration<asio_configuration>;

namespace {
// Read by every program that includes this header; at no cost beside an unused pointer.
[[gnu::used]] int const* const same_asio_configuration =
    &built_with_asio_configuration<asio_configuration>::tag;
}  // namespace

}  // namespace cotls::detail
