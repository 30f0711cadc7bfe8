#pragma once

#include <cotls/engine.hpp>

#include <array>
#include <string>

namespace cotls::test {

/** A client and a server with no socket between them. */
class engine_pair {
 public:
  engine client;
  engine server;
  error_code client_code;   // of the call that failed
  error_code server_code;

  engine_pair(client_context const& at_client, server_context const& at_server,
              client_options const& options)
      : client(at_client, options), server(at_server) {}

  /** Shakes hands, and lets the client read what a server says after that: its tickets, and that it
      refuses a certificate (T7). True when both are well. */
  bool connect() {
    do {
      if (!client_code) client_code = client.handshake().error;
      if (!server_code) server_code = server.handshake().error;
    } while (carry_both());
    std::array<char, 1> byte;
    if (!client_code) client_code = client.read(asio::buffer(byte)).error;
    return !client_code && !server_code;
  }

  /** Gives one end what the other has to say; true when that was anything. */
  static bool carry(engine& from, engine& to) {
    bool any = false;
    while (from.output().size() > 0) {
      std::size_t const size = from.output().size();
      to.input(from.output());
      from.consume_output(size);
      any = true;
    }
    return any;
  }

 private:
  bool carry_both() {
    bool const there = carry(client, server);
    bool const back = carry(server, client);
    return there || back;
  }
};

}  // namespace cotls::test
