#pragma once

#include "demo_report.hpp"
#include "demo_server.hpp"
#include "temporary_directory.hpp"

#include <cotls/identity.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace cotls::demo {

/** A server's certificate and key, as a value and as files, and a cotls server that shows them. */
struct site {
  site(test::temporary_directory const& directory, std::string const& name, identity made)
      : who(std::move(made)),
        certificate_file(directory.write(name + ".pem", who.chain().leaf().pem())),
        key_file(directory.write(name + ".key", who.key().pem())),
        server(who) {}

  identity who;
  std::string certificate_file;
  std::string key_file;
  https_server server;
};

/** What a client is to find wrong. */
enum class flaw : std::uint8_t { none, wrong_host_name, unknown_authority, expired };

/** One connection, and what is to come of it. */
struct scenario {
  char const* name;
  flaw expected;
  char const* version;   ///< as OpenSSL calls it: one peer speaks nothing newer
  char const* host;      ///< whom the client asks for, and verifies
  site& shown;           ///< whose certificate the server shows
  site const& trusted;   ///< whose certificate is the client's only root
};

/** `curl` fetches a page from a cotls server. */
outcome fetch_with_curl(scenario const& planned);

/** `openssl s_client` fetches a page from a cotls server. */
outcome fetch_with_s_client(scenario const& planned);

/** `cotls::async_connect` talks to an `openssl s_server` that sends each line back in reverse. */
outcome talk_to_s_server(scenario const& planned);

}  // namespace cotls::demo
