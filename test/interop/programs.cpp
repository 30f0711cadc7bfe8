#include "programs.hpp"

namespace cotls::test {

words operator+(words left, words const& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

words s_client(int port, words const& more, std::string const& host, std::string const& roots) {
  words const command{"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port),
                      "-CAfile", roots, "-no-CApath", "-no-CAstore", "-verify_return_error",
                      "-verify_hostname", host, "-brief"};
  return command + more;
}

words curl(words const& more, std::string const& roots) {
  words const command{"curl", "-q", "--noproxy", "*", "--silent", "--show-error", "--verbose",
                      "--max-time", "20", "--cacert", roots, "--capath",
                      certificates::all().directory.path().string(),
                      "--connect-to", "::127.0.0.1:"};
  return command + more;
}

bool says(process const& program, std::string_view text) {
  return program.errors().find(text) != std::string::npos ||
         program.output().find(text) != std::string::npos;
}

}  // namespace cotls::test
