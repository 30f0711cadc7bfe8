#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

/** A command line: `--name`, and `--name text`. Each is declared by asking for it; what is hidden
    is not in the help. */
class arguments {
 public:
  arguments(int count, char const* const* values, std::string_view about);

  bool flag(std::string_view name, std::string_view meaning);

  bool hidden_flag(std::string_view name);

  /** A text, which may not begin with a dash; empty when it is not given. `form` is what the help
      calls it. @par Errors `std::invalid_argument` when it is missing */
  std::string text(std::string_view name, std::string_view form, std::string_view meaning);

  std::string hidden_text(std::string_view name);

  /** Reads the number that an argument was given.
      @par Errors `std::invalid_argument` when it is no number from 1 to 1,000,000 */
  static int to_number(std::string_view name, std::string const& text);

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
