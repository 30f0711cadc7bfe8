#pragma once

#include <cotls/detail/engine/ssl_engine.hpp>
#include <cotls/engine.hpp>

#include <boost/asio/buffer.hpp>

namespace cotls::test {

/** Shakes hands for a client that was made from an `SSL_CTX` as others do, without the context
    that it is of; returns its error. */
inline error_code shake_hands(detail::ssl_engine& client, detail::memory_channel& link,
                              engine& server) {
  step last;
  for (bool speaks = true; speaks;) {
    last = client.handshake();
    boost::asio::const_buffer const said = link.sending();
    speaks = said.size() > 0;
    server.input(said);
    link.sent(said.size());
    server.handshake();
    std::size_t const answered = server.output().size();
    speaks |= answered > 0;
    link.lend_input(server.output().data(), answered);
    link.keep_input();
    server.consume_output(answered);
  }
  return last.error;
}

}  // namespace cotls::test
