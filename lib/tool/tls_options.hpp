#pragma once

#include "command_line.hpp"
#include "host_port.hpp"

#include <cotls/connect.hpp>
#include <cotls/context.hpp>

#include <optional>
#include <string>

namespace cotls::tool {

/** Adds the options of `connect` and `inspect` that say how TLS is spoken. */
void add_client_options(command_line& to);

/** Adds those of `serve`. */
void add_server_options(command_line& to);

/** Returns where a client is to connect to.
    @par Errors `failure` for an argument that `parse_server` does not take */
host_port find_server(command_line const& given);

/** Returns what is to be connected to for a server: the address that `--resolve` gives for it, or
    its host.
    @par Errors `failure` for a malformed `--resolve` */
std::string find_address(command_line const& given, host_port const& server);

/** Returns how a client connects: within `--timeout`, to the addresses that are allowed, and
    verifying the server as its host, or as `--servername` says.
    @par Errors `failure` for options that contradict each other */
connect_options make_connect_options(command_line const& given, host_port const& server);

/** Makes the context that the options ask for.
    @par Errors `failure` for options that contradict each other, and for a value that OpenSSL does
    not know; `cotls::error` for a file. */
client_context make_client_context(command_line const& given);

/** The same for a server.
    @param own  What it shows when it was given no certificate. */
server_context make_server_context(command_line const& given, std::optional<identity> const& own);

}  // namespace cotls::tool
