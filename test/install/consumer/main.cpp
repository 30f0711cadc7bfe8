// What every way of using the package must be able to compile, link and run.

#include <cotls/cotls.hpp>

#include <iostream>

int main() {
  cotls::identity const identity = cotls::make_self_signed({"localhost"});

  cotls::server_context server;
  server.use(identity);

  cotls::client_context client;
  client.add_root(identity.chain().leaf());

  std::cout << "cotls " << COTLS_VERSION_STRING << '\n';
  return identity.chain().leaf().matches("localhost") ? 0 : 1;
}
