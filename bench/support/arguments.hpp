#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

/** A scenario's command line: `--name`, and `--name number`. Each is declared by asking for it. */
class arguments {
 public:
  arguments(int count, char const* const* values, std::string_view about);

  bool flag(std::string_view name, std::string_view meaning);

  /** @par Errors `std::invalid_argument` when it is no number from 1 to 1,000,000 */
  int number(std::string_view name, int otherwise, std::string_view meaning);

  /** Ends the declarations: answers `--help`, and refuses what was not declared.
      @return false when there is nothing more to do
      @par Errors `std::invalid_argument` */
  bool complete() const;

 private:
  void declare(std::string_view form, std::string_view meaning);

  std::vector<std::string> given_;
  std::string help_;
};

}  // namespace bench
