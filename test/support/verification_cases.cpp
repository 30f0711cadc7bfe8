#include "verification_cases.hpp"

#include <openssl/ssl.h>

namespace cotls::test {

namespace {

// A context of ours would not show what it would refuse itself.
template <class Context>
Context without_security_level(protocol versions) {
  Context made(versions);
  SSL_CTX_set_security_level(made.native_handle(), 0);
  return made;
}

identity identity_of(verification_case const& one) {
  return identity(certificate_chain::from_pem(one.chain()), private_key::from_memory(one.key()));
}

}  // namespace

server_context verification_case::showing_server(protocol versions) const {
  return without_security_level<server_context>(versions).use(identity_of(*this));
}

client_context verification_case::showing_client(protocol versions) const {
  return without_security_level<client_context>(versions)
      .use(identity_of(*this))
      .set_verify(verify::none);
}

verification_cases const& all_verification_cases() {
  static verification_cases const made = [] {
    verification_cases all;
    add_name_cases(all);
    add_wildcard_cases(all);
    add_trust_cases(all);
    add_path_cases(all);
    add_constraint_cases(all);
    add_revocation_cases(all);
    return all;
  }();
  return made;
}

}  // namespace cotls::test
