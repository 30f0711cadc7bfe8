#include "command_line.hpp"

#include "printable.hpp"

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>

#include <charconv>
#include <iostream>
#include <system_error>

namespace cotls::tool {

namespace {

// For every subcommand's help; test/guide/command.md repeats it.
constexpr char exit_codes[] = R"(Exit codes:
  0  all went well; for 'inspect', the server was verified
  1  something here failed: a file, an address to listen on, standard output
  2  the command line is wrong, or the value of an option
  3  no connection: lookup, refused, unreachable, timed out
  4  the handshake failed: a certificate that is not verified, a peer that says no, a time-out or a
     reset before its end
  5  the connection was broken off: it ended without close_notify, with an error, or, where
     --half-close was given, without an answer
)";

// One letter stands for nothing but what it is documented for, and no option may be shortened: a
// script does not change its meaning when an option is added.
constexpr int style = options::command_line_style::unix_style &
                      ~options::command_line_style::allow_guessing;

}  // namespace

command_line::command_line(std::string usage, std::string argument)
    : usage_(std::move(usage)), argument_(std::move(argument)) {}

options::options_description_easy_init command_line::add(std::string const& heading) {
  return groups_.emplace_back(heading, 98).add_options();
}

bool command_line::parse(words const& given, std::string_view explanation) {
  add("Other options")("help,h", "print this and exit");
  options::options_description known;
  known.add_options()("argument", options::value<std::string>());
  options::positional_options_description places;
  places.add("argument", 1);
  for (auto const& group : groups_) known.add(group);
  try {
    options::store(
        options::command_line_parser(given).options(known).positional(places).style(style).run(),
        given_);
    options::notify(given_);
  } catch (options::too_many_positional_options_error const&) {
    refuse("there is more than one " + argument_);
  } catch (options::error const& wrong) {
    refuse(wrong.what());
  }
  if (has("help")) {
    std::cout << "Usage: " << usage_ << "\n" << explanation;
    for (auto const& group : groups_) std::cout << "\n" << group;
    std::cout << "\n" << exit_codes;
    return false;
  }
  if (!has("argument")) refuse(argument_ + " is missing");
  return true;
}

std::optional<std::string> command_line::text(char const* option) const {
  if (!has(option)) return std::nullopt;
  return given_[option].as<std::string>();
}

std::vector<std::string> command_line::texts(char const* option) const {
  if (!has(option)) return {};
  return given_[option].as<std::vector<std::string>>();
}

std::vector<std::string> command_line::list(char const* option) const {
  std::vector<std::string> elements;
  std::string const all = text(option).value_or("");
  if (all.empty()) return elements;
  for (std::size_t at = 0; at <= all.size();) {
    std::size_t const comma = std::min(all.find(',', at), all.size());
    elements.push_back(all.substr(at, comma - at));
    at = comma + 1;
  }
  return elements;
}

// Boost.ProgramOptions would read -1 as the greatest number that there is.
std::optional<std::size_t> command_line::number(char const* option) const {
  auto const written = text(option);
  if (!written) return std::nullopt;
  std::size_t value = 0;
  char const* const end = written->data() + written->size();
  auto const [stopped, failed] = std::from_chars(written->data(), end, value);
  if (failed != std::errc() || stopped != end) {
    refuse("--" + std::string(option) + " takes a number, not '" + *written + "'");
  }
  return value;
}

std::chrono::milliseconds command_line::seconds(char const* option) const {
  constexpr double a_year = 365.0 * 24 * 3600;
  double const asked = given_[option].as<double>();
  if (!(asked > 0 && asked <= a_year)) {
    refuse("--" + std::string(option) + " takes a number of seconds above 0");
  }
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(asked));
}

void command_line::refuse(std::string const& why) const {
  throw failure(exit_code::usage, why + " (see '" + name() + " --help')");
}

options::typed_value<std::string>* a_text(char const* what) {
  return options::value<std::string>()->value_name(what);
}

options::typed_value<std::vector<std::string>>* some_texts(char const* what) {
  return options::value<std::vector<std::string>>()->value_name(what);
}

options::typed_value<std::string>* a_number() { return a_text("N"); }

options::typed_value<double>* a_time(double otherwise) {
  return options::value<double>()->value_name("SECONDS")->default_value(otherwise);
}

}  // namespace cotls::tool
