// Shows cotls at work with programs that nobody here wrote: `curl` and `openssl s_client` as its
// clients, `openssl s_server` as its server. Every line is checked at both ends; the program fails
// when one is not as it should be. Nothing leaves the machine, nothing stays on it.

#include "demo_peers.hpp"
#include "demo_report.hpp"
#include "temporary_directory.hpp"

#include <cotls/version.hpp>

#include <boost/version.hpp>

#include <openssl/crypto.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

namespace cotls::demo {

namespace {

std::string versions() {
  return "cotls " COTLS_VERSION_STRING " with OpenSSL " +
         std::string(OpenSSL_version(OPENSSL_VERSION_STRING)) + " and Boost " +
         std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000);
}

identity made_for_this_machine(self_signed_options const& options = self_signed_options()) {
  return make_self_signed({"localhost", "127.0.0.1", "::1"}, options);
}

// Set by a signal that asks us to end; the files are removed on the way out.
volatile std::sig_atomic_t ended_by = 0;

extern "C" void note_signal(int signal) { ended_by = signal; }

outcome attempt(outcome (*peer)(scenario const&), scenario const& planned) {
  try {
    return peer(planned);
  } catch (std::exception const& failure) {
    return {false, failure.what()};
  }
}

int demonstrate() {
  using std::chrono::hours;
  report told;
  told.title(versions());

  test::temporary_directory const directory;
  site valid(directory, "valid", made_for_this_machine());
  site stranger(directory, "stranger", made_for_this_machine());
  site expired(directory, "expired",
               made_for_this_machine(self_signed_options().valid(-hours(48), -hours(24))));

  std::array const scenarios{
      scenario{"TLS 1.3", flaw::none, "TLSv1.3", "localhost", valid, valid},
      scenario{"TLS 1.2", flaw::none, "TLSv1.2", "localhost", valid, valid},
      scenario{"by address", flaw::none, "TLSv1.3", "127.0.0.1", valid, valid},
      scenario{"wrong host name", flaw::wrong_host_name, "TLSv1.3", "wrong.example", valid, valid},
      scenario{"unknown authority", flaw::unknown_authority, "TLSv1.3", "localhost", stranger,
               valid},
      scenario{"expired", flaw::expired, "TLSv1.3", "localhost", expired, expired},
  };

  auto const meet = [&](char const* whom, outcome (*peer)(scenario const&)) {
    if (ended_by != 0) return;
    told.section(whom);
    for (auto const& one : scenarios) {
      outcome const came = attempt(peer, one);
      if (ended_by != 0) return;
      told.claim(one.name, came);
    }
  };
  meet("A cotls server, its certificate made on the spot, and curl", fetch_with_curl);
  meet("A cotls server and openssl s_client", fetch_with_s_client);
  meet("cotls::async_connect and openssl s_server", talk_to_s_server);

  if (ended_by != 0) return 128 + ended_by;
  return told.finish();
}

}  // namespace

}  // namespace cotls::demo

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  for (int const one : {SIGINT, SIGTERM, SIGHUP}) std::signal(one, cotls::demo::note_signal);
  try {
    return cotls::demo::demonstrate();
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "cotls_demo: %s\n", failure.what());
    return EXIT_FAILURE;
  }
}
