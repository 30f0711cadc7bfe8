#pragma once

#include "server.hpp"

#include <filesystem>
#include <string>

namespace cotls::tool {

/** Sends back what comes. */
server::service echo_service();

/** Answers requests of HTTP/1.1 with the files of a directory, as `file_site` does.
    @par Errors The system's, when the directory cannot be opened. */
server::service file_service(std::filesystem::path const& directory);

/** Runs a command of the shell for each client, which is its standard input and output.

    The command is the server's owner's, and holds nothing that a client sent. The client's
    close_notify ends its input; its end, or that of its output, ends the connection; a client that
    goes away ends it.
*/
server::service command_service(boost::asio::io_context& context, std::string command);

}  // namespace cotls::tool
