#include "report.hpp"

#include "summary.hpp"
#include "table.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr std::array columns_in_order{"cotls",    "cotls-token",    "cotls-blocking",
                                      "asio-ssl", "asio-ssl tuned", "openssl",
                                      "tcp",      "limit"};
constexpr std::array compared_with{"asio-ssl", "openssl"};

// One figure of one case, by implementation.
struct row {
  std::string name;
  std::vector<result const*> values;

  result const* of(std::string_view column) const {
    for (result const* value : values) {
      if (value->of.column() == column) return value;
    }
    return nullptr;
  }
};

// The median, and how far the repetitions lie from it at the most.
std::string shown(result const& value) {
  double const median = value.values.median();
  std::string text = number(median, value.what.decimals);
  double const spread = std::max(value.values.highest() - median, median - value.values.lowest());
  if (median > 0 && spread / median >= 0.005) text += " ±" + number(100 * spread / median) + "%";
  return text;
}

std::string shown_ratio(result const* of, result const* to) {
  return of && to ? ratio_text(of->values.to(to->values)) : std::string();
}

// The columns that have anything, in their order.
template <class Columns>
std::vector<std::string_view> columns_of(std::vector<row> const& rows, Columns const& ordered) {
  std::vector<std::string_view> columns;
  for (std::string_view const column : ordered) {
    bool const there =
        std::any_of(rows.begin(), rows.end(), [&](row const& one) { return one.of(column); });
    if (there) columns.push_back(column);
  }
  return columns;
}

void print(std::string const& title, std::vector<row> const& rows) {
  std::vector<std::string_view> const columns = columns_of(rows, columns_in_order);
  std::vector<std::string_view> others;
  if (!columns.empty() && columns.front() == "cotls") others = columns_of(rows, compared_with);
  std::vector<std::string> heading{""};
  heading.insert(heading.end(), columns.begin(), columns.end());
  for (std::string_view const other : others) heading.push_back("cotls : " + std::string(other));

  table printed(std::move(heading));
  for (row const& one : rows) {
    std::vector<std::string> cells{one.name};
    for (std::string_view const column : columns) {
      result const* const value = one.of(column);
      cells.push_back(value ? shown(*value) : std::string());
    }
    for (std::string_view const other : others) {
      cells.push_back(shown_ratio(one.of("cotls"), one.of(other)));
    }
    printed.add(std::move(cells));
  }
  printed.print(title);
}

// How near each comes to the machine's limit: 100 % takes no more than that.
void print_nearness(std::vector<row> const& rows) {
  std::vector<std::string_view> columns = columns_of(rows, columns_in_order);
  if (columns.empty() || columns.back() != "limit") return;
  columns.pop_back();
  std::erase(columns, "tcp");
  std::vector<std::string> heading{""};
  heading.insert(heading.end(), columns.begin(), columns.end());
  table printed(std::move(heading));
  for (row const& one : rows) {
    std::vector<std::string> cells{one.name};
    result const* const limit = one.of("limit");
    for (std::string_view const column : columns) {
      result const* const value = one.of(column);
      bool const comparable = limit && value;
      cells.push_back(comparable ? number(100 * limit->values.to(value->values).median()) + "%"
                                 : std::string());
    }
    printed.add(std::move(cells));
  }
  printed.print("Of this machine's limit: plain TCP and the cipher alone");
}

std::vector<row> rows_of(results const& all, std::function<bool(result const&)> const& wanted,
                         std::function<std::string(result const&)> const& name_of) {
  std::vector<row> rows;
  for (result const& one : all.all()) {
    if (!wanted(one)) continue;
    std::string name = name_of(one);
    auto found = std::find_if(rows.begin(), rows.end(),
                              [&](row const& known) { return known.name == name; });
    if (found == rows.end()) found = rows.insert(found, row{std::move(name), {}});
    found->values.push_back(&one);
  }
  return rows;
}

std::string words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

void print_scenario(results const& all, std::string_view scenario) {
  std::vector<figure> printed;
  for (result const& first : all.all()) {
    bool const known = std::any_of(printed.begin(), printed.end(), [&](figure const& what) {
      return what.name == first.what.name;
    });
    if (first.of.scenario != scenario || known) continue;
    printed.push_back(first.what);
    auto const rows = rows_of(
        all,
        [&](result const& one) {
          return one.of.scenario == scenario && one.what.name == first.what.name &&
                 !is_part(one.of.given);
        },
        [](result const& one) { return describe(one.of.given); });
    print(words(std::string(scenario)) + ": " + std::string(first.what.title), rows);
    if (first.what.name == figures::cpu_seconds_per_gb.name) print_nearness(rows);
  }
}

void print_summary(results const& all) {
  table const printed = summary_table(all);
  if (!printed.empty()) printed.print("Summary: medians, and the range of the rounds' ratios");
}

}  // namespace bench
