#pragma once

#include "ssl_streams.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

namespace cotls::test {

/// What tests of the drop-in begin with.
struct ssl_stream_fixture {
  using stream_type = ssl_stream<tcp::socket>;

  asio::io_context context;
  asio::ssl::context client_side = localhost_ssl_client();
  asio::ssl::context server_side = localhost_ssl_server();
  std::array<char, 4> text{};

  ssl_stream_pair make_pair() { return ssl_stream_pair(context, client_side, server_side); }

  ssl_stream_pair make_connected_pair() {
    ssl_stream_pair made = make_pair();
    auto const [at_client, at_server] = made.handshake(context);
    BOOST_TEST_REQUIRE(!at_client);
    BOOST_TEST_REQUIRE(!at_server);
    return made;
  }
};

}  // namespace cotls::test
