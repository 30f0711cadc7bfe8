#pragma once

#include <cotls/detail/system/owned_descriptor.hpp>

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace cotls::detail {

/** A file to which lines are added, by several threads and programs: each at the end of whatever is
    there, and whole. */
class appended_file {
 public:
  /** Opens it, or makes one that its owner alone can read and write.
      @param doing  What the error says was tried.
      @par Errors The system's */
  appended_file(std::filesystem::path const& path, std::string const& doing);

  /** Adds a line, without its end; false when the system does not take it.
      @par Errors std::bad_alloc */
  bool add(std::string_view line);

 private:
  std::mutex one_at_a_time_;
  std::string line_;
  owned_descriptor file_;
};

/** Returns a variable of the environment; empty when it is not set, or when the program has more
    rights than who has started it, who could have set it to gain them. */
std::string trusted_variable(char const* name);

}  // namespace cotls::detail
