#pragma once

#include "certificates.hpp"
#include "process.hpp"

#include <boost/test/data/monomorphic.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test {

/** A command: a program's name and its arguments. */
using words = std::vector<std::string>;

words operator+(words left, words const& right);

/** `openssl s_client` to 127.0.0.1, which trusts the roots' file and no other, and ends with the
    connection's first failure. It asks for no name (SNI) unless it is told to.
    @param host  Whom it verifies. */
words s_client(int port, words const& more = {}, std::string const& host = "localhost",
               std::string const& roots = certificates::all().root_file);

/** `openssl s_server` on a port of the system's choice; `-rev` sends each line back in reverse. */
class s_server : public process {
 public:
  explicit s_server(words const& options = {},
                    entity const& who = certificates::all().localhost)
      : process(words{"openssl", "s_server", "-accept", "127.0.0.1:0", "-no-CApath", "-no-CAstore",
                      "-cert", who.files.certificate, "-key", who.files.key,
                      "-cert_chain", who.files.intermediates} + options,
                certificates::all().directory.path()),
        port_(accepting_port(*this)) {}

  int port() const noexcept { return port_; }

 private:
  int port_;
};

/** `curl`, which reads no .curlrc, uses no proxy, trusts the roots' file and no other, and connects
    to 127.0.0.1 for every host. */
words curl(words const& more, std::string const& roots = certificates::all().root_file);

/** Tells whether a program has printed the text, to either output. */
bool says(process const& program, std::string_view text);

/** A version of the protocol, as the programs call it. */
struct version {
  char const* option;       ///< of `openssl`, which then speaks no other
  char const* limit;        ///< of `curl --tls-max`
  char const* name;
};

inline std::ostream& operator<<(std::ostream& out, version const& one) { return out << one.name; }

inline auto const both_versions = boost::unit_test::data::make(
    {version{"-tls1_2", "1.2", "TLSv1.2"}, version{"-tls1_3", "1.3", "TLSv1.3"}});

}  // namespace cotls::test
