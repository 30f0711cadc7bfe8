#pragma once

#include "tls.hpp"

namespace cotls::test {

/// Lets little be on its way from one stream to the other, so that a writer soon waits. Not below
/// loopback's segments, which would make every one wait for a delayed acknowledgement.
inline void use_small_buffers(tcp_stream& from, tcp_stream& to) {
  from.next_layer().set_option(asio::socket_base::send_buffer_size(100'000));
  to.next_layer().set_option(asio::socket_base::receive_buffer_size(200'000));
}

}  // namespace cotls::test
