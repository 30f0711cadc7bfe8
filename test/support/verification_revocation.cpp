// What revocation lists say of a chain (RFC 5280 section 6.3).

#include "verification_cases.hpp"

#include <openssl/x509_vfy.h>

#include <chrono>

namespace cotls::test {

namespace {

using namespace std::chrono_literals;

constexpr char host[] = "good.test";

struct revoking_hierarchy {
  authority root{"the revoking root"};
  authority between = root.make_intermediate("the revoking intermediate");
  authority stranger{"a stranger"};
  authority impostor{"the revoking intermediate"};   // of the same name
  issued leaf = between.issue(certificate_request({host}));
  std::string of_root = root.revocation_list({});
  std::string of_between = between.revocation_list({});

  verification_case looked_up(std::string topic, std::string what, std::string lists) const {
    return verification_case(std::move(topic), std::move(what), host)
        .shows(leaf.chain(), leaf.key, root.pem() + stranger.pem())
        .lists(std::move(lists));
  }
};

}  // namespace

void add_revocation_cases(verification_cases& to) {
  revoking_hierarchy const made;
  auto const& [root, between, stranger, impostor, leaf, of_root, of_between] = made;
  issued const another = between.issue(certificate_request({"another.test"}));
  std::string const leaf_revoked = between.revocation_list({leaf.leaf()});
  std::string const between_revoked = root.revocation_list({between.certificate()});

  to.push_back(made.looked_up("revoked", "nothing", of_root + of_between));
  to.push_back(made.looked_up("revoked", "another certificate",
                              of_root + between.revocation_list({another.leaf()})));
  to.push_back(made.looked_up("revoked", "the leaf", of_root + leaf_revoked)
                   .refused(X509_V_ERR_CERT_REVOKED, "the peer's certificate was revoked"));
  to.push_back(made.looked_up("revoked", "the intermediate", between_revoked + of_between)
                   .refused(X509_V_ERR_CERT_REVOKED, "of the peer's chain was revoked"));
  to.push_back(made.looked_up("whole chain", "nothing is revoked", of_root + of_between)
                   .whole_chain());
  to.push_back(made.looked_up("whole chain", "the intermediate is revoked",
                              between_revoked + of_between)
                   .whole_chain()
                   .refused(X509_V_ERR_CERT_REVOKED, "of the peer's chain was revoked"));
  to.push_back(made.looked_up("whole chain", "there is no list for the intermediate", of_between)
                   .whole_chain()
                   .refused(X509_V_ERR_UNABLE_TO_GET_CRL, "no revocation list was found"));
  to.push_back(made.looked_up("lists", "for the leaf alone", of_between));
  to.push_back(made.looked_up("lists", "of other authorities",
                              of_root + stranger.revocation_list({}))
                   .refused(X509_V_ERR_UNABLE_TO_GET_CRL, "no revocation list was found"));
  to.push_back(made.looked_up("lists", "of an impostor of the same name",
                              of_root + impostor.revocation_list({}))
                   .refused(X509_V_ERR_CRL_SIGNATURE_FAILURE, "CRL signature failure"));
  to.push_back(made.looked_up("lists", "expired", of_root + between.revocation_list({}, -1h))
                   .refused(X509_V_ERR_CRL_HAS_EXPIRED, "the revocation list for the peer's"));
  to.push_back(made.looked_up("lists", "expired, and the next one",
                              of_root + between.revocation_list({}, -1h) + of_between));
}

}  // namespace cotls::test
