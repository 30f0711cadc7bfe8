#include "results.hpp"

#include "table.hpp"

#include <algorithm>

namespace bench {

namespace {

bool ends_with_bytes(std::string_view name) noexcept { return name.ends_with("bytes"); }

std::string describe_one(std::string const& name, parameter const& value) {
  if (auto const* text = std::get_if<std::string>(&value)) return *text;
  std::int64_t const count = std::get<std::int64_t>(value);
  if (ends_with_bytes(name)) return size_name(count);
  return number(static_cast<double>(count)) + " " + name;
}

}  // namespace

std::string size_name(std::int64_t bytes) {
  constexpr std::int64_t kib = 1024;
  if (bytes >= kib * kib && bytes % (kib * kib) == 0) {
    return number(static_cast<double>(bytes / kib / kib)) + " MiB";
  }
  if (bytes >= kib && bytes % kib == 0) return number(static_cast<double>(bytes / kib)) + " KiB";
  return number(static_cast<double>(bytes)) + " B";
}

std::string describe(parameters const& given) {
  std::string text;
  for (auto const& [name, value] : given) {
    if (!text.empty()) text += ", ";
    text += describe_one(name, value);
  }
  return text;
}

subject subject::with(std::string name, parameter value) const {
  subject made = *this;
  made.given.emplace_back(std::move(name), std::move(value));
  return made;
}

void results::add(subject const& of, figure const& what, double value) {
  auto found = std::find_if(all_.begin(), all_.end(), [&](result const& known) {
    return known.what.name == what.name && known.of.scenario == of.scenario &&
           known.of.column() == of.column() && known.of.given == of.given;
  });
  if (found == all_.end()) found = all_.insert(found, result{of, what, {}});
  found->values.add(value);
}

result const* results::find(result const& like, std::string_view column) const {
  for (result const& known : all_) {
    if (known.what.name == like.what.name && known.of.scenario == like.of.scenario &&
        known.of.column() == column && known.of.given == like.of.given) {
      return &known;
    }
  }
  return nullptr;
}

bool is_part(parameters const& given) {
  parameter const* const kind = find(given, "kind");
  return kind && *kind != parameter("all") && *kind != parameter("beside epoll_wait") &&
         *kind != parameter("own") && *kind != parameter("OpenSSL's");
}

parameter const* find(parameters const& given, std::string_view name) {
  for (auto const& [known, value] : given) {
    if (known == name) return &value;
  }
  return nullptr;
}

parameters joined(parameters first, parameters const& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

bool selection::holds(result const& one) const {
  return one.of.scenario == scenario && one.what.name == what.name &&
         std::all_of(with.begin(), with.end(), [&](auto const& wanted) {
           parameter const* const value = find(one.of.given, wanted.first);
           return value && *value == wanted.second;
         });
}

}  // namespace bench
