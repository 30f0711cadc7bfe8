#include "certificates.hpp"

namespace cotls::test {

namespace {

certificate_request local() { return certificate_request({"localhost", "127.0.0.1", "::1"}); }

certificate_request client_named(std::string const& name) {
  return certificate_request({name}).use(purpose::client);
}

}  // namespace

certificates::certificates()
    : localhost(directory, "localhost", intermediate.issue(local())),
      localhost_rsa(directory, "localhost_rsa",
                    intermediate.issue(local().key(key_kind::rsa_2048))),
      expired(directory, "expired",
              intermediate.issue(local().valid(-std::chrono::hours(48), -std::chrono::hours(24)))),
      elsewhere(directory, "elsewhere",
                intermediate.issue(certificate_request({"elsewhere.example", "192.0.2.1"}))),
      client(directory, "client", intermediate.issue(client_named("client.example"))),
      stranger(directory, "stranger_client",
               strangers_root.make_intermediate("a stranger").issue(
                   client_named("stranger.example"))) {}

certificates const& certificates::all() {
  static certificates const made;
  return made;
}

server_context certificates::serve(entity const& who, protocol versions) {
  server_context made(versions);
  made.use(who.pem.identity());
  return made;
}

client_context certificates::trust(authority const& root, protocol versions) {
  client_context made(versions);
  made.add_root(root.certificate());
  return made;
}

}  // namespace cotls::test
