#pragma once

#include "process.hpp"

#include <cstdint>
#include <string>

namespace bench {

/** How one implementation plays a scenario: a server that first tells its port, and a client, each
    in a process of its own. Both tell what they used, and are told in turn when both have. A `Case`
    has `settings tls`. */
template <class Case>
struct implementation {
  std::string name;
  bool tuned = false;  ///< asio::ssl, with what can be set by hand
  void (*serve)(line&, Case const&);
  void (*be_client)(line&, std::uint16_t, Case const&);
};

/** Makes an implementation of a scenario's ends, `Ends::serve` and `Ends::be_client`. */
template <class Ends, class Case>
implementation<Case> implemented(std::string name, bool tuned = false) {
  return {std::move(name), tuned, &Ends::serve, &Ends::be_client};
}

template <class Usage>
struct both {
  Usage server;
  Usage client;
};

/** Waits, in one end, until the other has come as far. */
inline void meet(line& control) {
  control.send(0);
  control.receive<int>();
}

/** Runs both ends, and returns what they used.
    @param meetings  How often they meet. */
template <class Usage, class Case>
both<Usage> run_both(implementation<Case> const& over, Case what, int meetings = 0) {
  what.tls.tuned = over.tuned;
  process server([&](line& control) { over.serve(control, what); });
  auto const port = server.control().template receive<std::uint16_t>();
  process client([&](line& control) { over.be_client(control, port, what); });
  for (int i = 0; i < meetings; ++i) {
    client.control().template receive<int>();
    server.control().template receive<int>();
    client.control().send(0);
    server.control().send(0);
  }
  both<Usage> used;
  used.client = client.control().template receive<Usage>();
  used.server = server.control().template receive<Usage>();
  client.control().send(0);
  server.control().send(0);
  client.join();
  server.join();
  return used;
}

}  // namespace bench
