#pragma once

#include <boost/asio/detail/config.hpp>
#include <boost/version.hpp>
#include <openssl/opensslv.h>

namespace cotls::detail {

/** The macros that change the layout or the behaviour of the types that a program and the library
    share: those of Asio, and the standard library's checked containers. */
constexpr unsigned configuration = 0
#if defined(BOOST_ASIO_ENABLE_BUFFER_DEBUGGING)
    | 1u
#endif
#if defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)
    | 2u
#endif
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
    | 4u
#endif
#if defined(BOOST_ASIO_HAS_EPOLL)
    | 8u
#endif
#if defined(BOOST_ASIO_HAS_THREADS)
    | 16u
#endif
#if defined(BOOST_ASIO_NO_TS_EXECUTORS)
    | 32u
#endif
#if defined(BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT)
    | 64u
#endif
#if defined(BOOST_ASIO_HAS_EVENTFD)
    | 128u
#endif
#if defined(BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
    | 256u
#endif
#if defined(_GLIBCXX_DEBUG)
    | 512u
#endif
    ;

/** Ties a program to a library that was built with the same Boost, the same major version of
    OpenSSL and the same configuration.

    Boost promises no layout from one version to the next. The library defines the tag for what it
    was built with alone, so that a program with something else does not link, instead of running
    with two ideas of what a socket is.
*/
template <unsigned Boost, unsigned OpenSSL, unsigned Configuration>
struct built_with {
  static int const tag;
};

using built_with_these = built_with<BOOST_VERSION, OPENSSL_VERSION_MAJOR, configuration>;

extern template struct built_with<BOOST_VERSION, OPENSSL_VERSION_MAJOR, configuration>;

namespace {
// Read by every program that includes this header; at no cost beside an unused pointer.
[[gnu::used]] int const* const same_configuration = &built_with_these::tag;
}  // namespace

}  // namespace cotls::detail
