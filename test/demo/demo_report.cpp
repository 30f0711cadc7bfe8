#include "demo_report.hpp"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace cotls::demo {

namespace {

constexpr auto green = "32";
constexpr auto red = "31";
constexpr auto bold = "1";

// https://no-color.org: any value but an empty one means no.
bool wants_colour() {
  char const* const no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (!no_colour || *no_colour == '\0');
}

// What programs said, below the line that it belongs to.
std::string indented(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    text.insert(at + 1, "      ");
  }
  return text;
}

void print_line(std::string const& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

}  // namespace

report::report() : colour_(wants_colour()) {}

void report::title(std::string_view text) const { print_line(in_colour(text, bold)); }

void report::section(std::string_view text) const {
  print_line("");
  print_line(in_colour(text, bold));
}

void report::claim(std::string_view what, outcome const& came) {
  ++claims_;
  if (!came.as_claimed) ++failed_;
  std::string name(what);
  name.resize(19, ' ');
  std::string const mark = came.as_claimed ? in_colour("✓", green) : in_colour("✗", red);
  print_line("  " + mark + " " + name + indented(came.text));
}

int report::finish() const {
  std::chrono::duration<double> const taken = std::chrono::steady_clock::now() - begun_;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", taken.count());
  bool const good = claims_ > 0 && failed_ == 0;
  std::string const summary =
      good ? "All " + std::to_string(claims_) + " as they should be"
           : std::to_string(failed_) + " of " + std::to_string(claims_) + " not as they should be";
  print_line("");
  print_line(in_colour(summary, good ? green : red) + ", in " + seconds + ".");
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

std::string report::in_colour(std::string_view text, char const* code) const {
  if (!colour_) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace cotls::demo
