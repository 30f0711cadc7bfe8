#pragma once

#include "connection.hpp"
#include "link.hpp"
#include "plan.hpp"
#include "script.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test {

class trial;

/** One end of the connection in a trial: its coroutines, and the account of its bytes. */
class party {
 public:
  party(trial& whole, end which);
  party(party const&) = delete;
  party& operator=(party const&) = delete;

  std::string offered;      ///< what it gave to writes
  std::size_t taken = 0;    ///< what the writes say that they took of it
  std::string received;
  std::string unheard;      ///< what came behind the end of TLS

  connection& over() const noexcept { return *over_; }
  std::deque<lane> const& lanes() const noexcept { return lanes_; }
  lane& lane_to_cancel(std::size_t number) { return lanes_[std::min(number, lanes_.size() - 1)]; }
  bool failed() const noexcept;
  bool running() const noexcept { return running_ > 0; }
  bool closed() const noexcept { return closed_; }

  void make_connection(link& through, connection_settings const& how);
  void begin(lane::script what);
  void give_up();
  void close();

  // What lanes say.
  void expect(bool holds, char const* claim);
  void receive(std::string_view bytes);
  void foresee(std::string_view bytes);
  void check_that_the_other_closed();
  void check_that_all_was_received();
  void check_that_the_transport_is_given_back(error_code failed);
  void operation_over(lane const& one);
  bool goes_on_after_cancelled(operation what) const;
  void note_opening();
  void note_opened();
  asio::awaitable<void> until_the_other_opens();
  asio::awaitable<void> until_one_lane_runs();

 private:
  void ended(lane const& one);
  party& other() const;

  trial& whole_;
  end const which_;
  std::unique_ptr<connection> over_;
  std::deque<lane> lanes_;   // a deque: they do not move
  asio::steady_timer opens_;        // expired, when it has
  asio::steady_timer lane_ended_;   // cancelled, when one has
  std::size_t running_ = 0;
  bool closed_ = false;
};

/** One run of a scenario, with what befalls it. */
class trial : public std::enable_shared_from_this<trial> {
 public:
  /// How long a trial may take; one that takes longer has failed, and is ended.
  static constexpr auto patience = std::chrono::seconds(30);

  trial(asio::io_context& context, scenario const& what, plan const& how);

  /** Begins. `parked` is called if the trial comes to where it only waits, `ended` at its end. */
  void start(std::function<void()> parked, std::function<void()> ended);

  /** What was wrong, a line each. */
  std::string const& complaints() const noexcept { return complaints_; }

  /** What the transport had seen when the handshake was done, and at the end. */
  measures const& at_opening() const noexcept { return at_opening_; }
  measures const& at_end() const noexcept { return at_end_; }

  /** True when the trouble has come. */
  bool met_trouble() const noexcept { return met_; }

  party const& near() const noexcept { return near_; }
  party const& far() const noexcept { return far_; }

 private:
  friend party;

  void met();
  void watch(std::chrono::steady_clock::duration limit);
  void watched();
  void stop_if_over();
  void check();
  void check(end which, party const& one, party const& other);
  void complain(end which, std::string const& what);

  asio::io_context& context_;
  scenario const& what_;
  plan const how_;
  std::shared_ptr<link> link_;
  party near_;
  party far_;
  asio::steady_timer watch_;
  std::function<void()> parked_;
  std::function<void()> ended_;
  std::string complaints_;
  measures at_opening_;
  measures at_end_;
  int rounds_ = 0;   // of giving up
  bool met_ = false;
  bool over_ = false;
};

}  // namespace cotls::test
