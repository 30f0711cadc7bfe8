// The way from a certificate to a root: which one is found where there are several, and how long it
// may be.

#include "good_server.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <chrono>

namespace cotls::test {

namespace {

using namespace std::chrono_literals;

void add_orders(verification_cases& to) {
  crafted const root = crafted::self_signed(blueprint::authority("the root"));
  crafted const upper = root.sign(blueprint::authority("the upper intermediate"));
  crafted const lower = upper.sign(blueprint::authority("the lower intermediate"));
  crafted const leaf = lower.sign(server());
  crafted const other = root.sign(blueprint::authority("an intermediate of others"));
  to.push_back(case_of("intermediates", "in their order", {leaf, lower, upper}, {root}));
  to.push_back(case_of("intermediates", "in another order", {leaf, upper, lower}, {root}));
  to.push_back(case_of("intermediates", "with one that has nothing to do with it",
                       {leaf, other, lower, upper}, {root}));
  to.push_back(case_of("intermediates", "one is missing", {leaf, lower}, {root})
                   .refused(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, unknown_words));
  to.push_back(case_of("intermediates", "none is sent", {leaf}, {root})
                   .refused(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, unknown_words));
}

// The intermediate has a certificate of each of two authorities, one of which has expired.
void add_cross_signed(verification_cases& to) {
  crafted const old_root = crafted::self_signed(blueprint::authority("the old root"));
  crafted const new_root = crafted::self_signed(blueprint::authority("the new root"));
  blueprint const between = blueprint::authority("the intermediate");
  crafted const valid = new_root.sign(between);
  crafted const expired = old_root.sign(blueprint(between).valid(-48h, -1h), valid);
  crafted const leaf = valid.sign(server());
  std::vector<crafted> const both{old_root, new_root};
  to.push_back(case_of("cross-signed", "the expired certificate comes first",
                       {leaf, expired, valid}, both));
  to.push_back(case_of("cross-signed", "the expired certificate comes last",
                       {leaf, valid, expired}, both));
  to.push_back(case_of("cross-signed", "the expired certificate alone", {leaf, expired}, both)
                   .refused(X509_V_ERR_CERT_HAS_EXPIRED, "of the peer's chain has expired"));

  // A root that others know by the certificate of an older one, which has expired.
  crafted const oldest =
      crafted::self_signed(blueprint::authority("the oldest root").valid(-48h, -1h));
  crafted const crossed = oldest.sign(blueprint::authority("the new root"), new_root);
  to.push_back(case_of("cross-signed root", "the root and the expired one are trusted",
                       {leaf, valid, crossed}, {oldest, new_root}));
  to.push_back(case_of("cross-signed root", "the same in the other order",
                       {leaf, valid, crossed}, {new_root, oldest}));
  to.push_back(case_of("cross-signed root", "the expired one alone is trusted",
                       {leaf, valid, crossed}, {oldest})
                   .refused(X509_V_ERR_CERT_HAS_EXPIRED, "of the peer's chain has expired"));
}

// A root, and below it this many authorities: the lowest one first, and the end entity's before it.
struct ladder {
  crafted root = crafted::self_signed(blueprint::authority("the top"));
  std::vector<crafted> chain;

  explicit ladder(int intermediates) {
    crafted last = root;
    for (int i = 1; i <= intermediates; ++i) {
      last = last.sign(blueprint::authority("step " + std::to_string(i)));
      chain.push_back(last);
    }
    chain.push_back(last.sign(server()));
    std::reverse(chain.begin(), chain.end());
  }
};

void add_lengths(verification_cases& to) {
  ladder const twelve(12);
  ladder const hundred_and_one(101);
  constexpr char words[] = "the peer's chain is too long";
  to.push_back(case_of("length", "12 intermediates", twelve.chain, {twelve.root}));
  to.push_back(case_of("length", "101 intermediates", hundred_and_one.chain,
                       {hundred_and_one.root})
                   .refused(X509_V_ERR_CERT_CHAIN_TOO_LONG, words));
  to.push_back(case_of("depth limit", "12 intermediates, 12 may be", twelve.chain, {twelve.root})
                   .depth(12));
  to.push_back(case_of("depth limit", "12 intermediates, 11 may be", twelve.chain, {twelve.root})
                   .depth(11)
                   .refused(X509_V_ERR_CERT_CHAIN_TOO_LONG, words));
}

}  // namespace

void add_path_cases(verification_cases& to) {
  add_orders(to);
  add_cross_signed(to);
  add_lengths(to);
}

}  // namespace cotls::test
