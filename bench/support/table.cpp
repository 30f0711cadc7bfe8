#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <sstream>
#include <utility>

namespace bench {

std::string number(double value, int decimals) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << std::abs(value);
  std::string digits = text.str();
  auto const point = std::min(digits.find('.'), digits.size());
  for (auto at = static_cast<std::ptrdiff_t>(point) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return value < 0 ? "-" + digits : digits;
}

std::string ratio_text(samples const& ratios) {
  if (ratios.empty()) return {};
  std::string text = number(ratios.median(), 2);
  if (ratios.highest() - ratios.lowest() >= 0.01) {
    text += " (" + number(ratios.lowest(), 2) + "-" + number(ratios.highest(), 2) + ")";
  }
  return text;
}

table::table(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }

void table::add(std::vector<std::string> row) {
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

namespace {

// In columns of a terminal: a character of UTF-8 has one byte that is no continuation.
std::size_t width_of(std::string const& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool is_figure(std::string const& cell) {
  return !cell.empty() && cell.front() >= '0' && cell.front() <= '9';
}

// Says whether a column, but for its heading, holds texts.
bool holds_texts(std::vector<std::vector<std::string>> const& rows, std::size_t column) {
  return std::any_of(std::next(rows.begin()), rows.end(), [&](auto const& row) {
    return !row[column].empty() && !is_figure(row[column]);
  });
}

}  // namespace

void table::print(std::string const& title) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (auto const& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::cout << title << "\n\n";
  for (auto const& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string const space(widths[i] - width_of(row[i]), ' ');
      std::cout << "  " << (i == 0 ? row[i] + space : space + row[i]);
    }
    std::cout << '\n';
  }
  std::cout << std::endl;
}

void table::write_markdown(std::ostream& to) const {
  auto const write = [&](std::vector<std::string> const& row) {
    for (std::string const& cell : row) to << "| " << cell << ' ';
    to << "|\n";
  };
  std::vector<std::string> rule;
  for (std::size_t i = 0; i < rows_.front().size(); ++i) {
    rule.emplace_back(i == 0 || holds_texts(rows_, i) ? ":--" : "--:");
  }
  write(rows_.front());
  write(rule);
  for (std::size_t i = 1; i < rows_.size(); ++i) write(rows_[i]);
}

}  // namespace bench
