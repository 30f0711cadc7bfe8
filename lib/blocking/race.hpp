#pragma once

#include <cotls/detail/system/owned_descriptor.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace cotls::detail {

/** Connects to the first of the addresses that can be connected to (`address_race`), on the calling
    thread. All sockets but the one it returns are closed. That one does not block.
    @par Errors `cotls::error`, with the race's failure */
owned_descriptor connect_to_first(std::vector<boost::asio::ip::tcp::endpoint> const& addresses,
                                  std::chrono::steady_clock::duration head_start,
                                  std::chrono::steady_clock::time_point until);

}  // namespace cotls::detail
