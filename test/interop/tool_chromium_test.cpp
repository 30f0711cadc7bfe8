// A page of `cotls serve --www` in a browser that trusts the tests' root, and in one that does not.

#include "tool_peers.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

namespace cotls::test::tool_chromium_test {
namespace {

certificates const& pki() { return certificates::all(); }

constexpr char page[] = R"(<!doctype html>
<title>cotls</title>
<p id="said">nothing yet</p>
<script src="script.js"></script>
)";

constexpr char script[] =
    "document.getElementById('said').textContent = 'the script was run';\n";

/** A headless Chromium with a home of its own. It exits with 0 even when a page is not loaded. */
class chromium {
 public:
  /** Adds an authority to those that it trusts. */
  void trust(std::string const& root_file) const {
    std::filesystem::create_directories(home_.path() / ".pki" / "nssdb");
    std::string const store = "sql:" + (home_.path() / ".pki" / "nssdb").string();
    process made({"certutil", "-N", "-d", store, "--empty-password"});
    BOOST_TEST_REQUIRE(made.wait() == 0, made.errors());
    process added({"certutil", "-A", "-d", store, "-n", "root", "-t", "C,,", "-i", root_file});
    BOOST_TEST_REQUIRE(added.wait() == 0, added.errors());
  }

  /** Returns the page as it is once its scripts have been run. */
  std::string load(std::string const& url) {
    process browser({"env", "HOME=" + home_.path().string(), "chromium", "--headless",
                     "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync",
                     "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
                     "--user-data-dir=" + (home_.path() / "profile").string(),
                     "--virtual-time-budget=8000", "--dump-dom", url});
    BOOST_TEST_REQUIRE(browser.wait(std::chrono::seconds(120)) == 0, browser.errors());
    return browser.output();
  }


 private:
  temporary_directory home_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_chromium)

BOOST_AUTO_TEST_CASE(a_browser_shows_the_page_of_a_trusted_server_alone) {
  temporary_directory const files;
  files.write("index.html", page);
  files.write("script.js", script);
  tool_server server({"--www", files.path().string(), "-v"});

  chromium trusting;
  trusting.trust(pki().root_file);
  std::string const shown = trusting.load(server.url("/"));
  BOOST_TEST(shown.find("<p id=\"said\">the script was run</p>") != std::string::npos, shown);
  BOOST_TEST(server.program().prints("200 GET /script.js"));

  chromium distrusting;
  distrusting.trust(pki().strangers_root_file);
  std::string const refused = distrusting.load(server.url("/"));
  BOOST_TEST(refused.find("<p id=\"said\">") == std::string::npos, refused);
  // Not by what the browser writes, which it may end before: by its alert.
  BOOST_TEST(server.program().prints("handshake failed: the peer does not"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tool_chromium_test
