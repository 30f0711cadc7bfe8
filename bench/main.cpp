// cotls-bench: each scenario, over each implementation, one beside the other in one run.
//
//   command line -> plan (jobs of the scenarios) -> results -> tables, JSON, charts, or a gate
//
// The jobs run round by round: within a round, the implementations of a case run one after the
// other, so that what the machine does meanwhile meets all of them.

#include "arguments.hpp"
#include "counted_pairs.hpp"
#include "gate_check.hpp"
#include "gates.hpp"
#include "growth.hpp"
#include "heap.hpp"
#include "json.hpp"
#include "output_file.hpp"
#include "payload.hpp"
#include "plan.hpp"
#include "plots.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "scenarios.hpp"
#include "settings.hpp"
#include "summary.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr std::array known_implementations{"cotls",    "cotls-token", "cotls-blocking",
                                           "asio-ssl", "openssl",     "tcp"};

struct options {
  effort how = effort::full;
  int repetitions = 0;
  std::vector<std::string> scenarios;
  std::vector<std::string> implementations;
  std::string json;
  std::string plots;
  std::string summary;
  std::string gate;
};

std::vector<std::string> split(std::string const& list) {
  std::vector<std::string> parts;
  std::istringstream rest(list);
  for (std::string part; std::getline(rest, part, ',');) parts.push_back(part);
  return parts;
}

template <class Known, class Name>
void check_known(std::vector<std::string> const& given, Known const& known, Name name_of) {
  for (std::string const& name : given) {
    std::string names;
    bool found = false;
    for (auto const& one : known) {
      found = found || name == name_of(one);
      names += std::string(names.empty() ? "" : ", ") + name_of(one);
    }
    if (!found) throw std::invalid_argument("there is no '" + name + "', but " + names);
  }
}

options read_options(arguments& given) {
  options read;
  if (given.flag("--quick", "a minute, instead of a quarter of an hour")) read.how = effort::quick;
  std::string const repetitions = given.text("--repetitions", "N", "rounds (default 7, or 3)");
  read.scenarios = split(given.text("--only", "SCENARIO,...", "measure these only"));
  read.implementations = split(given.text("--implementations", "NAME,...", "compare these only"));
  read.json = given.text("--json", "FILE", "write all figures");
  read.plots = given.text("--plot", "DIR", "write charts (SVG)");
  read.summary = given.text("--summary", "FILE", "write the summary as figures.md shows it");
  read.gate = given.text("--gate", "SCENARIO", "compare counts of cotls with bench/gates.hpp");
  if (given.hidden_flag("--smoke")) read.how = effort::smoke;
  spoil_payloads = given.hidden_flag("--spoil");
  read.repetitions = read.how == effort::smoke ? 1 : read.how == effort::quick ? 3 : 7;
  if (!repetitions.empty()) read.repetitions = arguments::to_number("--repetitions", repetitions);

  check_known(read.scenarios, scenarios, [](scenario const& one) { return one.name; });
  check_known(read.implementations, known_implementations, [](char const* one) { return one; });
  if (!read.gate.empty()) {
    check_known({read.gate}, gates::all, [](gates::gate const& one) { return one.scenario; });
  }
  return read;
}

void run(plan const& planned, progress& shown) {
  int rounds = 0;
  for (job const& one : planned.jobs()) rounds = std::max(rounds, one.repetitions);
  for (int round = 0; round < rounds; ++round) {
    for (job const& one : planned.jobs()) {
      if (round >= one.repetitions) continue;
      shown.next(one.what);
      one.measure();
    }
  }
}

std::size_t steps_of(plan const& planned) {
  std::size_t steps = 0;
  for (job const& one : planned.jobs()) steps += static_cast<std::size_t>(one.repetitions);
  return steps;
}

bool pass_gate(std::string const& name) {
  cotls::identity const own = make_identity();
  plan planned(effort::gate, 3, {"cotls", "openssl"}, own);
  results measured;
  for (scenario const& one : scenarios) {
    if (name == one.name) one.make(planned, measured);
  }
  progress shown(steps_of(planned));
  run(planned, shown);
  for (gates::gate const& one : gates::all) {
    if (name == one.scenario) return check(one, measured);
  }
  return false;
}

void measure(options const& given) {
  output_file json(given.json);
  output_file summary(given.summary);
  cotls::identity const own = make_identity();
  results measured;
  std::vector<plan> plans;
  std::vector<std::string> names;
  for (scenario const& one : scenarios) {
    bool const wanted = given.scenarios.empty() ||
                        std::count(given.scenarios.begin(), given.scenarios.end(), one.name) > 0;
    if (!wanted) continue;
    plans.emplace_back(given.how, given.repetitions, given.implementations, own);
    one.make(plans.back(), measured);
    names.emplace_back(one.name);
  }

  std::size_t steps = 0;
  for (plan const& one : plans) steps += steps_of(one);
  progress shown(steps);
  for (std::size_t i = 0; i < plans.size(); ++i) {
    run(plans[i], shown);
    shown.clear();
    print_scenario(measured, names[i]);
    print_scenario(growth_of(measured, names[i]), names[i]);
    if (names[i] == "handshake") print_scenario(measured, "first_byte");
    for (std::string const& note : plans[i].notes()) std::cout << note << "\n\n";
  }
  print_summary(measured);
  json.write([&](std::ostream& to) { write_json(to, measured); });
  summary.write([&](std::ostream& to) { goal_table(measured).write_markdown(to); });
  if (!given.plots.empty()) write_plots(given.plots, measured);
}

int run(int count, char** values) {
  count_openssl_apart();
  arguments given(
      count, values,
      "Compares cotls with asio::ssl, with OpenSSL by hand and with plain TCP, one "
      "beside the other.\n"
      "Medians of the rounds, how far a round lies from them, and ratios within rounds.\n"
      "Exits with non-zero when a byte or a count is wrong.");
  std::string const subject = given.hidden_text(subject_option);
  options const read = read_options(given);
  if (!given.complete()) return 0;
  if (!subject.empty()) {
    run_counted_subject(subject);
  } else if (!read.gate.empty()) {
    return pass_gate(read.gate) ? 0 : 1;
  } else {
    measure(read);
  }
  return 0;
}

}  // namespace

}  // namespace bench

int main(int count, char** values) {
  try {
    return bench::run(count, values);
  } catch (std::exception const& failed) {
    std::cerr << failed.what() << '\n';
    return 2;
  }
}
