#pragma once

#include <cotls/detail/system/owned_descriptor.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace cotls::detail {

/** As the `connect_to_first` of the coroutines, on the calling thread: attempts start in the order
    given, the next one when the latest has failed, or has had its head start; those before it go
    on. All sockets but the one it returns are closed. That one does not block.
    @par Errors `cotls::error`, with the same codes */
owned_descriptor connect_to_first(std::vector<boost::asio::ip::tcp::endpoint> const& addresses,
                                  std::chrono::steady_clock::duration delay,
                                  std::chrono::steady_clock::time_point until);

}  // namespace cotls::detail
