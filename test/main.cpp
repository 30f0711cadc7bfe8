// The entry point of every Boost.Test executable here. It is written out, and not made by
// BOOST_TEST_MODULE, because the macro has no effect behind a precompiled <boost/test/unit_test.hpp>.

#include <boost/test/unit_test.hpp>

int main(int argc, char* argv[]) {
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
