#pragma once

#include "host_port.hpp"

#include <stdexcept>
#include <string_view>

namespace cotls::tool {

/** A text that does not say where a server is; its words say why. */
class malformed_argument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/** Reads where a server is: `HOST[:PORT]` as `parse_host_port` does, or a URL of `https`, which
    stands for its host and port: no path is asked for.
    @par Errors `malformed_argument` */
host_port parse_server(std::string_view text);

}  // namespace cotls::tool
