// Whether a chain is valid today, leads to a trusted root, and is signed strongly enough.

#include "good_server.hpp"

#include <openssl/x509_vfy.h>

#include <chrono>

namespace cotls::test {

namespace {

using namespace std::chrono_literals;

void add_dates(verification_cases& to) {
  auto const& [root, between] = plain_hierarchy::get();
  blueprint const old = blueprint::authority("an old authority").valid(-48h, -1h);
  blueprint const early = blueprint::authority("an early authority").valid(1h, 48h);
  to.push_back(shown("dates", "all are valid", host, server()));
  to.push_back(shown("dates", "the leaf has expired", host, server().valid(-48h, -1h))
                   .refused(X509_V_ERR_CERT_HAS_EXPIRED, "the peer's certificate has expired"));
  to.push_back(shown("dates", "the leaf is not valid yet", host, server().valid(1h, 48h))
                   .refused(X509_V_ERR_CERT_NOT_YET_VALID, "the peer's certificate is not valid"));
  crafted const old_between = root.sign(old);
  to.push_back(case_of("dates", "the intermediate has expired",
                       {old_between.sign(server()), old_between}, {root})
                   .refused(X509_V_ERR_CERT_HAS_EXPIRED, "of the peer's chain has expired"));
  crafted const early_between = root.sign(early);
  to.push_back(case_of("dates", "the intermediate is not valid yet",
                       {early_between.sign(server()), early_between}, {root})
                   .refused(X509_V_ERR_CERT_NOT_YET_VALID, "of the peer's chain is not valid"));
  crafted const old_root = crafted::self_signed(old);
  to.push_back(case_of("dates", "the root has expired", {old_root.sign(server())}, {old_root})
                   .refused(X509_V_ERR_CERT_HAS_EXPIRED, "of the peer's chain has expired"));
}

void add_roots(verification_cases& to) {
  auto const& [root, between] = plain_hierarchy::get();
  crafted const leaf = between.sign(server());
  crafted const stranger = crafted::self_signed(blueprint::authority("a stranger"));
  crafted const impostor = crafted::self_signed(blueprint::authority("the root"));
  crafted const self = crafted::self_signed(server());
  constexpr int unknown = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
  to.push_back(case_of("root", "known", {leaf, between}, {root}));
  to.push_back(case_of("root", "among others", {leaf, between}, {stranger, impostor, root}));
  to.push_back(case_of("root", "unknown", {leaf, between}, {stranger})
                   .refused(unknown, unknown_words));
  to.push_back(case_of("root", "of the same name, of another key", {leaf, between}, {impostor})
                   .refused(unknown, unknown_words));
  to.push_back(case_of("root", "sent, too", {leaf, between, root}, {root}));
  to.push_back(case_of("root", "sent twice", {leaf, between, root, root}, {root}));
  to.push_back(case_of("root", "sent and unknown", {leaf, between, root}, {stranger})
                   .refused(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "leads to a root that is not"));
  to.push_back(case_of("self-signed", "trusted", {self}, {self}));
  to.push_back(case_of("self-signed", "unknown", {self}, {root})
                   .refused(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is self-signed and not"));
  to.push_back(case_of("trusted without its issuer", "and with it", {leaf, between}, {leaf, root}));
  to.push_back(case_of("trusted without its issuer", "the leaf", {leaf}, {leaf})
                   .refused(unknown, unknown_words));
  to.push_back(case_of("trusted without its issuer", "the intermediate", {leaf, between}, {between})
                   .refused(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, unknown_words));
}

void add_signatures(verification_cases& to) {
  auto const& [root, between] = plain_hierarchy::get();
  crafted const leaf = between.sign(server());
  to.push_back(case_of("signature", "right", {leaf, between}, {root}));
  to.push_back(case_of("signature", "wrong on the leaf", {leaf.with_wrong_signature(), between},
                       {root})
                   .refused(X509_V_ERR_CERT_SIGNATURE_FAILURE, "has a wrong signature"));
  to.push_back(case_of("signature", "wrong on the intermediate",
                       {leaf, between.with_wrong_signature()}, {root})
                   .refused(X509_V_ERR_CERT_SIGNATURE_FAILURE, "has a wrong signature"));
}

// By OpenSSL's security level 2, the default of Debian and of OpenSSL 3.2.
void add_strength(verification_cases& to) {
  auto const& [root, between] = plain_hierarchy::get();
  auto const of_authority_of = [&](unsigned bits, blueprint const& leaf) {
    crafted const signs = root.sign(blueprint::authority("an RSA authority").rsa(bits));
    return std::vector<crafted>{signs.sign(leaf), signs};
  };
  constexpr char weak[] = "is signed with too weak a digest";
  to.push_back(shown("key", "RSA of 2048 bits", host, server().rsa(2048)));
  to.push_back(shown("key", "RSA of 1024 bits", host, server().rsa(1024))
                   .refused(X509_V_ERR_EE_KEY_TOO_SMALL, "has too small a key"));
  to.push_back(case_of("key", "RSA of 1024 bits, an intermediate's",
                       of_authority_of(1024, server()), {root})
                   .refused(X509_V_ERR_CA_KEY_TOO_SMALL, "has too small a key"));
  to.push_back(case_of("digest", "SHA-256", of_authority_of(2048, server()), {root}));
  to.push_back(case_of("digest", "SHA-1", of_authority_of(2048, server().digest("SHA1")), {root})
                   .refused(X509_V_ERR_CA_MD_TOO_WEAK, weak));
  to.push_back(case_of("digest", "MD5", of_authority_of(2048, server().digest("MD5")), {root})
                   .refused(X509_V_ERR_CA_MD_TOO_WEAK, weak));
  crafted const sha1_root =
      crafted::self_signed(blueprint::authority("a SHA-1 root").rsa(2048).digest("SHA1"));
  to.push_back(case_of("digest", "SHA-1, a trusted root's", {sha1_root.sign(server())},
                       {sha1_root}));
}

}  // namespace

void add_trust_cases(verification_cases& to) {
  add_dates(to);
  add_roots(to);
  add_signatures(to);
  add_strength(to);
}

}  // namespace cotls::test
