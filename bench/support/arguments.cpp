#include "arguments.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace bench {

arguments::arguments(int count, char const* const* values, std::string_view about)
    : given_(values + 1, values + count), help_(about) {
  help_ += "\n\n";
}

bool arguments::flag(std::string_view name, std::string_view meaning) {
  declare(name, meaning);
  return hidden_flag(name);
}

bool arguments::hidden_flag(std::string_view name) { return std::erase(given_, name) > 0; }

int arguments::to_number(std::string_view name, std::string const& text) {
  int value = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1 || value > 1'000'000) {
    throw std::invalid_argument(std::string(name) + " takes a number from 1 to 1000000");
  }
  return value;
}

std::string arguments::text(std::string_view name, std::string_view form,
                            std::string_view meaning) {
  declare(std::string(name) + " " + std::string(form), meaning);
  return hidden_text(name);
}

std::string arguments::hidden_text(std::string_view name) {
  auto const found = std::find(given_.begin(), given_.end(), name);
  if (found == given_.end()) return {};
  std::string const value = std::next(found) == given_.end() ? std::string() : *std::next(found);
  if (value.empty() || value.front() == '-') {
    throw std::invalid_argument(std::string(name) + " takes a text");
  }
  given_.erase(found, found + 2);
  return value;
}

bool arguments::complete() const {
  if (given_.empty()) return true;
  if (given_.front() != "--help") {
    throw std::invalid_argument("unknown argument " + given_.front() + "; try --help");
  }
  std::cout << help_;
  return false;
}

void arguments::declare(std::string_view form, std::string_view meaning) {
  std::string line = "  " + std::string(form);
  line.resize(std::max<std::size_t>(line.size() + 2, 32), ' ');
  help_.append(line).append(meaning) += '\n';
}

}  // namespace bench
