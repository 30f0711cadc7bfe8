#pragma once

#include "exit_code.hpp"

#include <fstream>
#include <iterator>
#include <string>

namespace cotls::tool {

/** Returns what is in a file.
    @param doing  Begins the message of a failure: "reading the secret".
    @par Errors `failure`, which names the file */
inline std::string read_whole(std::string const& file, std::string const& doing) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw failure(exit_code::failed, doing + " from " + file + " failed");
  return text;
}

}  // namespace cotls::tool
