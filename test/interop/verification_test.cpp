// The chains of test/support/verification_cases.hpp, shown to programs of others: what they make of
// each is what we do, or stands in a table here with its reason.

#include "verification_programs.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace cotls::test::verification_test {
namespace {

/** A case of which others think otherwise. */
struct difference {
  std::string name;
  std::set<std::string> programs;   ///< that differ
  std::string reason;
  std::set<std::string> sometimes{};   ///< that differ in some versions, for this reason
};

std::vector<difference> const& differences() {
  static std::vector<difference> const all{
      {"final dot: of the host", {"certtool", "openssl"}, "they compare it, too"},
      {"final dot: of the certificate", {"curl", "node"}, "they take it away"},
      {"common name: alone", {"certtool", "curl", "node", "openssl"},
       "it counts where there are no alternative names"},
      {"common name: beside an address", {"node", "openssl"},
       "it counts where there is no DNS name"},
      {"common name: an address", {"curl"}, "it counts where there are no alternative names"},
      {"address: of IPv6, written at length", {}, "node 20.19 compares addresses as texts", {"node"}},
      {"wildcard: at the end of a label", {"node", "openssl"}, "it may be part of a label"},
      {"wildcard: at the beginning of a label", {"certtool", "node", "openssl"},
       "it may be part of a label"},
      {"self-signed: trusted", {"certtool"}, "what is trusted must be an authority's"},
      {"trusted without its issuer: the leaf", {"curl"}, "a chain may end below its root"},
      {"trusted without its issuer: the intermediate", {"certtool", "curl"},
       "a chain may end below its root"},
      {"cross-signed: the expired certificate comes first", {"certtool"},
       "no other way is looked for than the first"},
      {"length: 101 intermediates", {"certtool"}, "it has no such limit"},
      {"depth limit: 12 intermediates, 11 may be", {"certtool", "curl", "node"},
       "they cannot be told one"},
      {"purpose of a server's: any", {"certtool"}, "any purpose is a server's, too"},
      {"name constraints: an address, and names alone are constrained", {"certtool"},
       "the common name is compared where there is no DNS name"},
      {"revoked: the intermediate", {"openssl"}, "`-crl_check` is of the leaf alone"},
      {"whole chain: there is no list for the intermediate", {"certtool"},
       "a list may be missing"},
      {"lists: for the leaf alone", {"curl", "node"}, "each certificate must have one"},
      {"lists: of other authorities", {"certtool"}, "a list may be missing"},
      {"lists: of an impostor of the same name", {"certtool"}, "lists are not verified"},
      {"lists: expired", {"certtool"}, "lists are not verified"},
  };
  return all;
}

/** What each program says of each case. */
struct answers_of_all {
  written_cases cases;
  std::map<std::string, verdicts> by_program{{"certtool", ask_certtool(cases)},
                                             {"curl", ask_curl(cases)},
                                             {"node", ask_node(cases)},
                                             {"openssl", ask_openssl(cases)}};

  static answers_of_all const& get() {
    static answers_of_all const asked;
    return asked;
  }
};

std::string join(std::set<std::string> const& several) {
  std::string text;
  for (std::string const& each : several) text += (text.empty() ? "" : ", ") + each;
  return text;
}

difference const* difference_of(std::string const& name) {
  for (difference const& each : differences()) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::string said_of(difference const& one) {
  return one.programs.empty() ? one.reason : join(one.programs) + ": " + one.reason;
}

// The table as the guide has it.
std::string make_page_table() {
  std::string table = "| chain | cotls | who differs, and why |\n| :-- | :-- | :-- |\n";
  for (verification_case const& one : all_verification_cases()) {
    difference const* const differs = difference_of(one.name());
    table += "| " + one.name() + " | " +
             (one.accepted() ? "accepted" : "refused, " + std::to_string(one.result())) + " | " +
             (differs ? said_of(*differs) + ' ' : "") + "|\n";
  }
  return table;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(verification)

BOOST_AUTO_TEST_CASE(others_give_the_same_answer_but_where_it_is_known_why_not) {
  auto const& asked = answers_of_all::get();
  for (std::size_t i = 0; i < asked.cases.all().size(); ++i) {
    verification_case const& one = *asked.cases.all()[i].one;
    difference const* const known = difference_of(one.name());
    std::set<std::string> differing;
    for (auto const& [program, answers] : asked.by_program) {
      bool const counts = !known || known->sometimes.count(program) == 0;
      if (counts && answers[i] && *answers[i] != one.accepted()) differing.insert(program);
    }
    std::string const expected = known ? join(known->programs) : "";
    BOOST_TEST(join(differing) == expected,
               one.name() << ": " << join(differing) << " instead of " << expected);
  }
}

BOOST_AUTO_TEST_CASE(each_difference_is_of_a_chain_that_there_is) {
  std::set<std::string> names;
  for (verification_case const& one : all_verification_cases()) names.insert(one.name());
  for (difference const& each : differences()) {
    BOOST_TEST(names.count(each.name) == 1u, each.name);
    BOOST_TEST(each.programs.empty() != each.sometimes.empty(), each.name);
    BOOST_TEST(!each.reason.empty(), each.name);
  }
}

BOOST_AUTO_TEST_CASE(the_guides_page_has_the_same_table) {
  std::ifstream page(COTLS_VERIFICATION_PAGE);
  std::ostringstream text;
  text << page.rdbuf();
  std::string const table = make_page_table();
  BOOST_TEST(text.str().find(table) != std::string::npos, "it must be\n" << table);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::verification_test
