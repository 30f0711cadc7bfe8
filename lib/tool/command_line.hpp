#pragma once

#include "exit_code.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::tool {

namespace options = boost::program_options;

using words = std::vector<std::string>;

/** A subcommand's options and its one argument, and what the user gave for them. */
class command_line {
 public:
  /** @param usage    Its first line of help: `"cotls connect [OPTION]... HOST[:PORT]"`.
      @param argument What its argument is called there. */
  command_line(std::string usage, std::string argument);

  /** Adds options under a heading. */
  options::options_description_easy_init add(std::string const& heading);

  /** Reads what the user gave.
      @return False when that was `--help`, which is printed.
      @par Errors `failure` with `exit_code::usage`, in one line. */
  bool parse(words const& given, std::string_view explanation);

  /** Returns the argument. */
  std::string argument() const { return *text("argument"); }

  bool has(char const* option) const { return given_.count(option) > 0; }
  std::optional<std::string> text(char const* option) const;
  std::vector<std::string> texts(char const* option) const;

  /** Returns a list whose elements were separated by commas. */
  std::vector<std::string> list(char const* option) const;

  /** Returns a number; a sign before it is refused. */
  std::optional<std::size_t> number(char const* option) const;

  /** Returns a number of seconds, which may have a fraction. */
  std::chrono::milliseconds seconds(char const* option) const;

  /** Ends the command because of how it was called. */
  [[noreturn]] void refuse(std::string const& why) const;

 private:
  std::string name() const { return usage_.substr(0, usage_.find(" [")); }

  std::string usage_;
  std::string argument_;
  std::vector<options::options_description> groups_;
  options::variables_map given_;
};

/** Returns the value of an option that is written `--option WHAT`. */
options::typed_value<std::string>* a_text(char const* what);
options::typed_value<std::vector<std::string>>* some_texts(char const* what);
options::typed_value<double>* a_time(double otherwise);
options::typed_value<std::string>* a_number();

}  // namespace cotls::tool
