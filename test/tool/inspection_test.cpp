// What `cotls inspect` makes of what it saw.

#include "inspection.hpp"

#include "pki.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace cotls::tool {
namespace {

using test::authority;

// A chain of three: the end entity, an intermediate, its root.
struct issuers {
  authority root{"a root"};
  authority intermediate = root.make_intermediate("an intermediate");
  certificate leaf = certificate::from_pem(
      intermediate.issue(test::certificate_request({"localhost"})).certificate);
  certificate stranger = authority("a stranger").certificate();

  std::vector<certificate> in_order{leaf, intermediate.certificate(), root.certificate()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(inspections, issuers)

BOOST_AUTO_TEST_CASE(a_chain_in_order_is_nothing_to_speak_of) {
  BOOST_TEST(!find_disorder(in_order).has_value());
  BOOST_TEST(!find_disorder({leaf}).has_value());
  BOOST_TEST(!find_disorder({}).has_value());
}

BOOST_AUTO_TEST_CASE(the_place_of_disorder_is_named) {
  BOOST_TEST(find_disorder({in_order[0], in_order[2], in_order[1]}).value() == 0u);
  BOOST_TEST(find_disorder({in_order[0], in_order[1], stranger}).value() == 1u);
  inspection seen;
  seen.chain = {in_order[0], in_order[1], stranger};
  std::string const said = "  chain order WRONG: certificate 1 is not issued by certificate 2\n";
  BOOST_TEST(to_text(seen).find(said) != std::string::npos);
  BOOST_TEST(!to_json(seen).at("chain_in_order").as_bool());
}

BOOST_AUTO_TEST_CASE(what_was_not_seen_is_not_made_up) {
  inspection nothing;
  nothing.host = "localhost";
  nothing.port = 443;
  nothing.refusal = "the peer does not speak TLS here";
  std::string const text = to_text(nothing);
  BOOST_TEST(text.starts_with("localhost:443\n  verified    NO: no certificate came\n"), text);
  boost::json::object const json = to_json(nothing);
  for (char const* member : {"address", "reason", "version", "suite", "group", "alpn",
                             "resumption"}) {
    BOOST_TEST(json.at(member).is_null(), member);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
