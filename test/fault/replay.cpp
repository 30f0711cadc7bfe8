#include "replay.hpp"

#include "trial.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

namespace cotls::test {

namespace {

std::size_t runs = 0;
std::size_t descriptors = 0;

std::size_t open_descriptors() {
  namespace files = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(files::directory_iterator("/proc/self/fd"), files::directory_iterator()));
}

// A run has six descriptors at most; some are the process's own.
std::size_t most_runs_at_once() {
  ::rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::clamp<std::size_t>((limit.rlim_cur - 100) / 6, 1, 1000);
}

// Runs at a time that are not merely waiting for a deadline: few, so that none of them waits long
// for its turn.
constexpr std::size_t most_busy_runs = 8;

class replaying {
 public:
  replaying(scenario const& what, std::vector<plan> const& plans) : what_(what), plans_(plans) {}

  void run() {
    start_some();
    context_.run();
    BOOST_TEST(finished_ == plans_.size());
    auto const alive = std::count_if(cores_.begin(), cores_.end(), [](auto& is) { return is(); });
    BOOST_TEST(alive == 0);
    runs += finished_;
  }

  /** What the last run has measured. */
  measures const& at_opening() const noexcept { return at_opening_; }
  measures const& at_end() const noexcept { return at_end_; }

  std::size_t met() const noexcept { return met_; }

 private:
  void start_some() {
    while (next_ < plans_.size() && busy_ < most_busy_runs && next_ - finished_ < at_once_) {
      start(plans_[next_++]);
    }
  }

  void start(plan const& how) {
    ++busy_;
    auto const fresh = std::make_shared<trial>(context_, what_, how);
    auto const parked = std::make_shared<bool>(false);
    fresh->start(
        [this, parked] {
          *parked = true;
          --busy_;
          start_later();
        },
        // By reference to the plan, which outlives all: the trial itself holds this function.
        [this, parked, &how, one = fresh.get()] {
          if (!*parked) --busy_;
          finish(*one, how);
        });
  }

  void finish(trial const& one, plan const& how) {
    ++finished_;
    if (one.met_trouble()) ++met_;
    at_opening_ = one.at_opening();
    at_end_ = one.at_end();
    for (party const* each : {&one.near(), &one.far()}) {
      cores_.push_back(each->over().watch_core());
    }
    if (!one.complaints().empty()) {
      BOOST_ERROR(what_.name << ", " << how << "\n" << one.complaints());
    }
    start_later();
  }

  void start_later() {
    asio::post(context_, [this] { start_some(); });
  }

  scenario const& what_;
  std::vector<plan> const& plans_;
  std::size_t const at_once_ = most_runs_at_once();
  asio::io_context context_{1};
  std::vector<std::function<bool()>> cores_;
  measures at_opening_;
  measures at_end_;
  std::size_t next_ = 0;
  std::size_t busy_ = 0;
  std::size_t finished_ = 0;
  std::size_t met_ = 0;
};

void replay_bytes(scenario const& what, plan const& like, bool handshake_too) {
  std::vector<plan> const once(1, like);
  replaying good(what, once);
  good.run();
  measures const from = handshake_too ? measures() : good.at_opening();
  replay(what, at_every_byte(like, from, good.at_end()));
}

}  // namespace

void replay(scenario const& what, std::vector<plan> const& plans) {
  replaying all(what, plans);
  all.run();
  // Moments beyond the end are few: what was to happen has happened. Of three steps and one beyond
  // them, though, that is a quarter, and a cancellation that races with the last comes too late.
  BOOST_TEST(all.met() * 10 >= plans.size() * 6);
}

void replay_at_every_step(scenario const& what, plan const& like) {
  std::vector<plan> const once(1, like);
  replaying good(what, once);
  good.run();
  replay(what, at_every_step(like, good.at_end().steps, what.lanes));
}

void replay_at_every_byte(scenario const& what, plan const& like) {
  replay_bytes(what, like, true);
}

void replay_at_every_byte_behind_the_handshake(scenario const& what, plan const& like) {
  replay_bytes(what, like, false);
}

void counted_runs::setup() {
  runs = 0;
  descriptors = open_descriptors();
}

void counted_runs::teardown() {
  BOOST_TEST_MESSAGE(runs << " runs");
  BOOST_TEST(open_descriptors() == descriptors);
}

}  // namespace cotls::test
