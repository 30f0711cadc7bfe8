#pragma once

#include "process.hpp"
#include "temporary_directory.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

/** Returns the words that run the `cotls` command which was built. */
inline std::vector<std::string> tool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), COTLS_TOOL);
  return arguments;
}

/** A `cotls serve` on 127.0.0.1, at a port that the system chose, with a certificate of its own
    unless the arguments give it one. */
class serving_tool {
 public:
  explicit serving_tool(std::vector<std::string> arguments)
      : process_(tool(completed(std::move(arguments), root_file()))),
        port_(std::stoi(process_.line_after("listening on 127.0.0.1:"))) {}

  process& program() noexcept { return process_; }
  int port() const noexcept { return port_; }
  std::string address() const { return "localhost:" + std::to_string(port_); }
  std::string url(std::string const& path) const { return "https://" + address() + path; }

  /** The file of the certificate that it made, for clients to trust. */
  std::string root_file() const { return (directory_.path() / "own.pem").string(); }

 private:
  static std::vector<std::string> completed(std::vector<std::string> arguments,
                                            std::string const& file) {
    std::vector<std::string> command{"serve", "0"};
    bool given = false;
    for (auto& each : arguments) {
      given = given || each == "--cert" || each == "--pkcs12";
      command.push_back(std::move(each));
    }
    if (!given) command.insert(command.end(), {"--write-cert", file});
    return command;
  }

  temporary_directory directory_;
  process process_;
  int port_;
};

}  // namespace cotls::test
