// What a certificate may be used for, what its authorities may vouch for (RFC 5280 section 4.2.1),
// and extensions that nobody knows.

#include "good_server.hpp"

#include <openssl/x509_vfy.h>

namespace cotls::test {

namespace {

blueprint authority_between() { return blueprint::authority("the authority in question"); }

constexpr char purpose_words[] = "is not meant for this purpose";

// A leaf of an authority of the plain root's.
verification_case signed_by(blueprint const& issuer, std::string topic, std::string what,
                            std::string const& asked = host, blueprint const& leaf = server()) {
  crafted const& root = plain_hierarchy::get().root;
  crafted const between = root.sign(issuer);
  return shown(std::move(topic), std::move(what), asked, {between.sign(leaf), between}, {root});
}

void add_purposes(verification_cases& to) {
  auto const used_for = [](char const* uses) {
    return server().extension("extendedKeyUsage", uses);
  };
  constexpr int refusal = X509_V_ERR_INVALID_PURPOSE;
  to.push_back(shown("purpose of a server's", "servers", host, used_for("serverAuth")));
  to.push_back(shown("purpose of a server's", "both", host, used_for("clientAuth,serverAuth")));
  to.push_back(shown("purpose of a server's", "none is named", host, used_for("")));
  to.push_back(shown("purpose of a server's", "clients", host, used_for("clientAuth"))
                   .refused(refusal, purpose_words));
  to.push_back(shown("purpose of a server's", "any", host, used_for("anyExtendedKeyUsage"))
                   .refused(refusal, purpose_words));
  to.push_back(signed_by(authority_between().extension("extendedKeyUsage", "clientAuth"),
                         "purpose of a server's", "its authority is for clients")
                   .refused(refusal, purpose_words));
  to.push_back(shown("purpose of a client's", "clients", host, used_for("clientAuth"))
                   .shown_to_a_server());
  to.push_back(shown("purpose of a client's", "servers", host, used_for("serverAuth"))
                   .shown_to_a_server()
                   .refused(refusal, purpose_words));
}

void add_authorities(verification_cases& to) {
  auto const may = [](char const* constraints, char const* usage) {
    return authority_between()
        .extension("basicConstraints", constraints)
        .extension("keyUsage", usage);
  };
  constexpr char signs[] = "critical,keyCertSign,cRLSign";
  to.push_back(signed_by(may("critical,CA:TRUE", signs), "authority", "CA:TRUE, keyCertSign"));
  to.push_back(signed_by(may("critical,CA:FALSE", "critical,digitalSignature"), "authority",
                         "a server's certificate")
                   .refused(X509_V_ERR_INVALID_CA, "is not an authority's"));
  to.push_back(signed_by(may("critical,CA:FALSE", signs), "authority", "CA:FALSE, keyCertSign")
                   .refused(X509_V_ERR_INVALID_CA, "is not an authority's"));
  to.push_back(signed_by(may("", signs), "authority", "keyCertSign alone")
                   .refused(X509_V_ERR_INVALID_CA, "is not an authority's"));
  to.push_back(signed_by(may("critical,CA:TRUE", "critical,cRLSign"), "authority",
                         "CA:TRUE without keyCertSign")
                   .refused(X509_V_ERR_INVALID_CA, "is not an authority's"));
  to.push_back(signed_by(may("critical,CA:TRUE", ""), "authority", "CA:TRUE, no key usage"));
}

void add_path_lengths(verification_cases& to) {
  crafted const& root = plain_hierarchy::get().root;
  auto const below = [&](char const* constraints) {
    crafted const upper =
        root.sign(authority_between().extension("basicConstraints", constraints));
    crafted const lower = upper.sign(blueprint::authority("the authority below"));
    return std::vector<crafted>{lower.sign(server()), lower, upper};
  };
  to.push_back(shown("path length", "1, one below", host, below("critical,CA:TRUE,pathlen:1"),
                     {root}));
  to.push_back(shown("path length", "0, one below", host, below("critical,CA:TRUE,pathlen:0"),
                     {root})
                   .refused(X509_V_ERR_PATH_LENGTH_EXCEEDED, "the peer's chain is too long"));
  to.push_back(signed_by(authority_between().extension("basicConstraints",
                                                       "critical,CA:TRUE,pathlen:0"),
                         "path length", "0, none below"));
}

void add_name_constraints(verification_cases& to) {
  struct row {
    char const* what;
    char const* constraints;
    char const* name;
    int result;
  };
  constexpr int outside = X509_V_ERR_PERMITTED_VIOLATION;
  constexpr int within = X509_V_ERR_EXCLUDED_VIOLATION;
  for (row const& each : {
           row{"within what is permitted", "permitted;DNS:good.test", "a.good.test", 0},
           row{"outside of what is permitted", "permitted;DNS:good.test", "bad.test", outside},
           row{"only its text ends so", "permitted;DNS:good.test", "notgood.test", outside},
           row{"in what is excluded", "excluded;DNS:bad.test", "a.bad.test", within},
           row{"beside what is excluded", "excluded;DNS:bad.test", "good.test", 0},
           row{"in an excluded part of what is permitted",
               "permitted;DNS:test,excluded;DNS:bad.test", "bad.test", within},
           row{"a permitted address", "permitted;IP:192.0.2.0/255.255.255.0", "192.0.2.1", 0},
           row{"an address that is not permitted", "permitted;IP:192.0.2.0/255.255.255.0",
               "198.51.100.1", outside},
           row{"an excluded address", "excluded;IP:192.0.2.0/255.255.255.0", "192.0.2.1", within},
           row{"an address, and names alone are constrained", "permitted;DNS:good.test",
               "192.0.2.1", 0},
       }) {
    blueprint const issuer = authority_between().extension(
        "nameConstraints", std::string("critical,") + each.constraints);
    verification_case made = signed_by(issuer, "name constraints", each.what, each.name,
                                       blueprint::server({each.name}));
    if (each.result == outside) made.refused(outside, "permitted subtree violation");
    if (each.result == within) made.refused(within, "excluded subtree violation");
    to.push_back(std::move(made));
  }
}

void add_unknown_extensions(verification_cases& to) {
  constexpr char unknown[] = "1.3.6.1.4.1.99999.1";
  to.push_back(shown("unknown extension", "not critical", host,
                     server().extension(unknown, "DER:05:00")));
  to.push_back(shown("unknown extension", "critical", host,
                     server().extension(unknown, "critical,DER:05:00"))
                   .refused(X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
                            "unhandled critical extension"));
  to.push_back(signed_by(authority_between().extension(unknown, "critical,DER:05:00"),
                         "unknown extension", "critical, of an intermediate")
                   .refused(X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
                            "unhandled critical extension"));
}

}  // namespace

void add_constraint_cases(verification_cases& to) {
  add_purposes(to);
  add_authorities(to);
  add_path_lengths(to);
  add_name_constraints(to);
  add_unknown_extensions(to);
}

}  // namespace cotls::test
