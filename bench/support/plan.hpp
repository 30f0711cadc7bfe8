#pragma once

#include <cotls/identity.hpp>

#include "results.hpp"
#include "two_ends.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/** How much of everything is measured. */
enum class effort {
  smoke,  ///< As little as shows that it works.
  gate,   ///< What counts need, which do not vary.
  quick,  ///< A minute.
  full,
};

/** One measurement, to be repeated. */
struct job {
  std::string what;  ///< whom and what, while it runs
  int repetitions;
  std::function<void()> measure;
};

/** What a scenario plans with: it adds jobs, an implementation beside the other, which are then run
    round by round. */
class plan {
 public:
  /** @param implementations  Those that take part; empty means all
      @param own  The certificate and key of every server; must outlive the plan */
  plan(effort how, int repetitions, std::vector<std::string> implementations,
       cotls::identity const& own);

  effort how() const noexcept { return how_; }

  template <class T>
  T pick(T smoke, T gate, T quick, T full) const {
    switch (how_) {
      case effort::smoke:
        return smoke;
      case effort::gate:
        return gate;
      case effort::quick:
        return quick;
      case effort::full:
        return full;
    }
    return full;
  }

  /** The repetitions of an ordinary job. */
  int repetitions() const noexcept { return repetitions_; }

  /** Says whether an implementation takes part. */
  bool wants(std::string const& implementation) const;

  cotls::identity const& identity() const noexcept { return *identity_; }

  /** Plans a case for each of its implementations that takes part: `measure(implementation, case,
      subject)`, called at each repetition. */
  template <class Case, class Measure>
  void compare(std::vector<implementation<Case>> const& all, Case const& what,
               subject const& measured, int repetitions, Measure measure);

  void add(job planned) { jobs_.push_back(std::move(planned)); }
  std::vector<job> const& jobs() const noexcept { return jobs_; }

  /** Says, below the tables, what was not measured as planned, and why. */
  void note(std::string const& text) { notes_.push_back(text); }
  std::vector<std::string> const& notes() const noexcept { return notes_; }

 private:
  effort how_;
  int repetitions_;
  std::vector<std::string> implementations_;
  cotls::identity const* identity_;
  std::vector<job> jobs_;
  std::vector<std::string> notes_;
};

template <class Case, class Measure>
void plan::compare(std::vector<implementation<Case>> const& all, Case const& what,
                   subject const& measured, int repetitions, Measure measure) {
  for (implementation<Case> const& over : all) {
    if (!wants(over.name)) continue;
    subject of = measured;
    of.implementation = over.name;
    of.tuned = over.tuned;
    std::string shown = of.scenario + ", " + of.column() + ", " + describe(of.given);
    add({std::move(shown), repetitions, [=] { measure(over, what, of); }});
  }
}

}  // namespace bench
