#pragma once

#include "temporary_directory.hpp"
#include "verification_cases.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cotls::test {

/** A case as programs want it: as files, and behind a port where its chain is shown. */
struct written_case {
  verification_case const* one = nullptr;
  std::string leaf;    ///< the end entity's certificate
  std::string rest;    ///< those that are sent behind it; empty when there is none
  std::string chain;   ///< both
  std::string roots;
  std::string lists;   ///< empty when there is none
  int port = 0;        ///< of 127.0.0.1; 0 for a chain that is shown to a server
};

/** All cases, written to a directory and served by cotls, each at a port of its own, over HTTP. */
class written_cases {
 public:
  written_cases();
  ~written_cases();

  std::vector<written_case> const& all() const noexcept { return all_; }
  temporary_directory const& directory() const noexcept { return directory_; }

 private:
  class servers;

  void write(verification_case const& one);

  temporary_directory directory_;
  std::vector<written_case> all_;
  std::unique_ptr<servers> servers_;
};

}  // namespace cotls::test
