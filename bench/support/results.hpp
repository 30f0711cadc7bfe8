#pragma once

#include "figure.hpp"
#include "samples.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bench {

/** A case's parameters, in the order in which a person reads them. Numbers of bytes have names that
    end in `_bytes`. */
using parameter = std::variant<std::string, std::int64_t>;
using parameters = std::vector<std::pair<std::string, parameter>>;

/** As a row of a table is called: "TLSv1.3 AES-256-GCM down 64 KiB". */
std::string describe(parameters const& given);

/** A number of bytes for people: "64 KiB". */
std::string size_name(std::int64_t bytes);

/** Whom a figure is of. */
struct subject {
  std::string scenario;
  std::string implementation;
  bool tuned = false;
  parameters given;

  /** The same with one more parameter. */
  subject with(std::string name, parameter value) const;

  /** What a column of a table is called. */
  std::string column() const { return tuned ? implementation + " tuned" : implementation; }
};

struct result {
  subject of;
  figure what;
  samples values;
};

/** All that was measured, in the order in which it first was. */
class results {
 public:
  void add(subject const& of, figure const& what, double value);

  std::vector<result> const& all() const noexcept { return all_; }

  /** Finds the same figure of the same case, of another implementation; null when there is none. */
  result const* find(result const& like, std::string_view column) const;

 private:
  std::vector<result> all_;
};

/** Says whether a figure is a part of another, such as one kind of system calls: tables leave it to
    the JSON. */
bool is_part(parameters const& given);

/** Finds a parameter; null when the case has none of this name. */
parameter const* find(parameters const& given, std::string_view name);

/** Returns the parameters of both. */
parameters joined(parameters first, parameters const& second);

/** Which results are meant: one figure of one scenario, in cases that have these parameters. */
struct selection {
  std::string_view scenario;
  figure what;
  parameters with;

  bool holds(result const& one) const;
};

}  // namespace bench
