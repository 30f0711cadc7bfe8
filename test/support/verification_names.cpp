// For whom a certificate is, by the names of subjectAltName alone (RFC 9525 section 6).

#include "plain_hierarchy.hpp"

#include <openssl/x509_vfy.h>

namespace cotls::test {

namespace {

using names = std::vector<alternative_name>;

constexpr int wrong_name = X509_V_ERR_HOSTNAME_MISMATCH;
constexpr int wrong_address = X509_V_ERR_IP_ADDRESS_MISMATCH;
constexpr char name_words[] = "is for another host name";
constexpr char address_words[] = "is for another IP address";

blueprint having(names all) { return blueprint::server({}).names(std::move(all)); }

void add_plain_names(verification_cases& to) {
  to.push_back(shown("name", "the host's", "good.test", blueprint::server({"good.test"})));
  to.push_back(shown("name", "another host's", "good.test", blueprint::server({"bad.test"}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("name", "one that the host's ends with", "good.test",
                     blueprint::server({"d.test"}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("case of letters", "other letters", "GOOD.test",
                     blueprint::server({"good.TEST"})));
  to.push_back(shown("case of letters", "letters that differ by more", "GOOD.test",
                     blueprint::server({"gooD@test"}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("final dot", "of the host", "good.test.", blueprint::server({"good.test"})));
  to.push_back(shown("final dot", "of the certificate", "good.test",
                     blueprint::server({"good.test."}))
                   .refused(wrong_name, name_words));
  std::vector<std::string> many;
  for (int i = 1; i <= 2000; ++i) many.push_back("n" + std::to_string(i) + ".test");
  to.push_back(shown("2,000 names", "the last", "n2000.test", blueprint::server(many)));
  to.push_back(shown("2,000 names", "none of them", "n2001.test", blueprint::server(many))
                   .refused(wrong_name, name_words));
}

void add_common_names(verification_cases& to) {
  auto const named = [](names beside) { return having(std::move(beside)).subject("good.test"); };
  to.push_back(shown("common name", "beside the same name", "good.test",
                     named({alternative_name::dns("good.test")})));
  to.push_back(shown("common name", "alone", "good.test", named({}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("common name", "beside another name", "good.test",
                     named({alternative_name::dns("bad.test")}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("common name", "beside an address", "good.test",
                     named({alternative_name::of("192.0.2.1")}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("common name", "an address", "192.0.2.1",
                     blueprint::server({}).subject("192.0.2.1"))
                   .refused(wrong_address, address_words));
}

void add_nul_names(verification_cases& to) {
  auto const cut = alternative_name::dns(std::string("good.test\0.evil.test", 20));
  to.push_back(shown("NUL in a name", "behind the host's", "good.test", having({cut}))
                   .refused(wrong_name, name_words));
  to.push_back(shown("NUL in a name", "beside the host's", "good.test",
                     having({cut, alternative_name::dns("good.test")})));
}

void add_international_names(verification_cases& to) {
  constexpr char host[] = "xn--bcher-kva.test";
  to.push_back(shown("A-label", "the host's", host, blueprint::server({host})));
  to.push_back(shown("A-label", "as a U-label", host,
                     having({alternative_name::dns("b\xc3\xbc" "cher.test")}))
                   .refused(wrong_name, name_words));
}

void add_addresses(verification_cases& to) {
  auto const octets = alternative_name::address("a.io");   // those of 97.46.105.111
  to.push_back(shown("address", "the host's", "192.0.2.1", blueprint::server({"192.0.2.1"})));
  to.push_back(shown("address", "another", "192.0.2.1", blueprint::server({"192.0.2.2"}))
                   .refused(wrong_address, address_words));
  to.push_back(shown("address", "in a DNS name", "192.0.2.1",
                     having({alternative_name::dns("192.0.2.1")}))
                   .refused(wrong_address, address_words));
  to.push_back(shown("address", "by a DNS name's wildcard", "192.0.2.1",
                     having({alternative_name::dns("*.0.2.1")}))
                   .refused(wrong_address, address_words));
  to.push_back(shown("address", "of IPv6, written at length", "2001:db8:0:0:0:0:0:1",
                     blueprint::server({"2001:db8::1"})));
  to.push_back(shown("address", "another of IPv6", "2001:db8::1",
                     blueprint::server({"2001:db8::2"}))
                   .refused(wrong_address, address_words));
  to.push_back(shown("address", "of IPv4 in IPv6", "192.0.2.1",
                     blueprint::server({"::ffff:192.0.2.1"}))
                   .refused(wrong_address, address_words));
  to.push_back(shown("text of a name as an address", "asked for as the address", "97.46.105.111",
                     having({octets})));
  to.push_back(shown("text of a name as an address", "asked for as the name", "a.io",
                     having({octets}))
                   .refused(wrong_name, name_words));
}

}  // namespace

void add_name_cases(verification_cases& to) {
  add_plain_names(to);
  add_common_names(to);
  add_nul_names(to);
  add_international_names(to);
  add_addresses(to);
}

// RFC 9525 section 6.3: a wildcard is the whole leftmost label, and stands for one.
void add_wildcard_cases(verification_cases& to) {
  struct row {
    char const* what;
    char const* pattern;
    char const* host;
    bool accepted;
  };
  for (row const& each : {
           row{"for one label", "*.wild.test", "a.wild.test", true},
           row{"for an A-label", "*.wild.test", "xn--bcher-kva.wild.test", true},
           row{"for two labels", "*.wild.test", "b.a.wild.test", false},
           row{"for no label", "*.wild.test", "wild.test", false},
           row{"at the end of a label", "a*.wild.test", "ab.wild.test", false},
           row{"at the beginning of a label", "*b.wild.test", "ab.wild.test", false},
           row{"within an A-label", "xn--*.wild.test", "xn--bcher-kva.wild.test", false},
           row{"in the second label", "a.*.test", "a.wild.test", false},
           row{"twice", "*.*.test", "a.wild.test", false},
           row{"alone", "*", "a.wild.test", false},
           row{"over a top-level domain", "*.com", "good.com", false},
           row{"over a public suffix", "*.co.uk", "good.co.uk", true},
       }) {
    verification_case made = shown("wildcard", each.what, each.host,
                                   blueprint::server({each.pattern}));
    if (!each.accepted) made.refused(wrong_name, name_words);
    to.push_back(std::move(made));
  }
}

}  // namespace cotls::test
