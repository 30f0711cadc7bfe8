// The life of a trial:
//
//   start -> both ends follow their scripts -> the trouble comes (met) -> ... -> both have ended
//                                                     |
//          stall: after a while, what has no deadline is given up by its user, again and again
//          deadline, cancel: the link goes on when the near end's operation is over

#include "trial.hpp"

#include "outcome.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace cotls::test {

namespace {

// Operations that are to meet their deadline have this one. Trials that wait for it cost nothing
// and overlap; it is long enough for the work of all that runs beside.
constexpr auto short_deadline = std::chrono::milliseconds(300);

// When the user of an operation without a deadline loses patience.
constexpr auto short_patience = std::chrono::milliseconds(100);

std::shared_ptr<link> make_link(asio::io_context& context, scenario const& what, plan const& how) {
  link_settings settings;
  settings.begins = what.begins;
  settings.capacity = what.capacity;
  return how.channel == channel_kind::memory ? make_memory_link(context, how, settings)
                                             : make_native_link(context, how, settings);
}

}  // namespace

party::party(trial& whole, end which)
    : whole_(whole),
      which_(which),
      opens_(whole.context_, asio::steady_timer::time_point::max()),
      lane_ended_(whole.context_, asio::steady_timer::time_point::max()) {}

party& party::other() const { return which_ == end::near ? whole_.far_ : whole_.near_; }

bool party::failed() const noexcept {
  return std::any_of(lanes_.begin(), lanes_.end(), [](lane const& one) { return one.failed(); });
}

void party::make_connection(link& through, connection_settings const& how) {
  over_ = through.make(which_, how);
}

void party::begin(lane::script what) {
  lane& fresh = lanes_.emplace_back(*this);
  ++running_;
  asio::co_spawn(whole_.context_, fresh.follow(what),
                 asio::bind_cancellation_slot(
                     fresh.slot(), [this, &fresh, alive = whole_.shared_from_this()](
                                       std::exception_ptr const& thrown) {
                       if (thrown) std::rethrow_exception(thrown);
                       ended(fresh);
                     }));
}

void party::ended(lane const& one) {
  --running_;
  lane_ended_.cancel();
  if (one.failed()) close();
  whole_.stop_if_over();
}

void party::give_up() {
  for (lane& each : lanes_) each.give_up();
}

void party::close() {
  if (std::exchange(closed_, true)) return;
  over_->close();
  whole_.link_->dropped(which_);
  note_opening();   // it will not open any more
}

void party::expect(bool holds, char const* claim) {
  if (!holds) whole_.complain(which_, std::string("not so: ") + claim);
}

void party::receive(std::string_view bytes) {
  std::string_view const sent = other().offered;
  received.reserve(sent.size());   // of a run's time, growing step by step takes a tenth
  received += bytes;
  expect(sent.substr(0, received.size()) == received, "what is received is what was sent");
}

void party::foresee(std::string_view bytes) {
  std::string_view const sent = other().offered;
  expect(sent.substr(received.size(), bytes.size()) == bytes, "what is peeked is what is next");
}

// close_notify is the last thing that an end sends: whoever has seen it has received all that the
// other has sent.
void party::check_that_the_other_closed() {
  wire const theirs = other().over().counted();
  expect(theirs.closed, "the other end has sent close_notify");
  expect(over_->counted().received == theirs.sent, "close_notify has arrived");
}

void party::check_that_all_was_received() {
  expect(received.size() == other().taken, "what came before close_notify was delivered");
}

// After a failed handshake, that is; one that was only cancelled could go on.
void party::check_that_the_transport_is_given_back(error_code failed) {
  if (!whole_.what_.upgrades || closed_) return;
  try {
    std::string const unread = over_->release();
    constexpr char handshake_record = 22;
    expect(unread.empty() || unread.front() == handshake_record,
           "behind a handshake that has failed there is no more than a hello that was cut");
    expect(failed != asio::error::operation_aborted, "a cancelled handshake keeps its transport");
  } catch (error const& refused) {
    expect(refused.code() == errc::not_over, "release says why it does not");
    expect(failed == asio::error::operation_aborted || over_->unsent() > 0,
           "a failed handshake gives its transport back when all has left");
  }
}

void party::operation_over(lane const& one) {
  bool const held = whole_.how_.kind == trouble::deadline || whole_.how_.kind == trouble::cancel;
  if (whole_.met_ && held && &one == &lane_to_cancel(whole_.how_.lane)) whole_.link_->lift();
}

// Connecting leaves nothing behind that could go on.
bool party::goes_on_after_cancelled(operation what) const {
  return which_ == end::near && whole_.how_.harmless() && what != operation::connect;
}

void party::note_opening() { opens_.expires_at(asio::steady_timer::clock_type::now()); }

void party::note_opened() {
  if (which_ == end::near) whole_.at_opening_ = whole_.link_->measured();
}

asio::awaitable<void> party::until_the_other_opens() {
  co_await other().opens_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> party::until_one_lane_runs() {
  while (running_ > 1) co_await lane_ended_.async_wait(asio::as_tuple(asio::use_awaitable));
}

trial::trial(asio::io_context& context, scenario const& what, plan const& how)
    : context_(context),
      what_(what),
      how_(how),
      link_(make_link(context, what, how)),
      near_(*this, end::near),
      far_(*this, end::far),
      watch_(context) {
  connection_settings settings;
  settings.version = how.version;
  settings.late = what.late;
  settings.early = what.early;
  settings.read_ahead = !what.upgrades;
  settings.serves = !how.near_serves;
  if (how.kind == trouble::stall) settings.deadline = short_deadline;
  far_.make_connection(*link_, settings);
  settings.serves = how.near_serves;
  settings.composed = how.composed;
  if (how.hurries()) settings.deadline = short_deadline;
  near_.make_connection(*link_, settings);
}

void trial::start(std::function<void()> parked, std::function<void()> ended) {
  parked_ = std::move(parked);
  ended_ = std::move(ended);
  watch(patience);
  link_->start([weak = weak_from_this()] {
    if (auto const self = weak.lock()) self->met();
  });
  far_.begin(what_.far);
  near_.begin(what_.near);
}

void trial::met() {
  if (over_) return;
  met_ = true;
  lane& target = near_.lane_to_cancel(how_.lane);
  switch (how_.kind) {
    case trouble::none:
    case trouble::failure:
    case trouble::end: break;
    case trouble::stall:
      watch(short_patience);
      parked_();
      break;
    case trouble::deadline:
      if (!target.has_deadline()) return link_->lift();
      parked_();
      break;
    case trouble::cancel:
    case trouble::race:
      if (!target.in_progress()) return link_->lift();
      target.cancel(how_.type);
      break;
  }
}

void trial::watch(std::chrono::steady_clock::duration limit) {
  watch_.expires_after(limit);
  watch_.async_wait([self = shared_from_this()](error_code code) {
    if (!code && !self->over_) self->watched();
  });
}

void trial::watched() {
  if (how_.kind == trouble::stall && met_ && ++rounds_ < 50) {
    near_.give_up();
    far_.give_up();
    return watch(short_patience);
  }
  for (party* each : {&near_, &far_}) {
    for (lane const& one : each->lanes()) {
      if (auto const current = one.in_progress()) {
        complain(each == &near_ ? end::near : end::far,
                 std::string("did not end: ") + name(*current));
      }
    }
  }
  near_.close();
  far_.close();
}

void trial::stop_if_over() {
  if (near_.running() || far_.running() || over_) return;
  over_ = true;
  watch_.cancel();
  at_end_ = link_->measured();
  check();
  near_.close();
  far_.close();
  link_->close();
  ended_();
}

void trial::check() {
  check(end::near, near_, far_);
  check(end::far, far_, near_);
}

void trial::check(end which, party const& one, party const& other) {
  int refused = 0;
  for (lane const& each : one.lanes()) {
    if (!each.failed()) continue;
    lane::failure const& failure = *each.failed();
    std::string const text = std::string(name(failure.what)) + ": " + failure.code.message();
    if (!is_documented(failure.what, failure.code)) complain(which, "undocumented: " + text);
    if (!is_explained(how_, which, failure, other.failed())) complain(which, "why? " + text);
    if (failure.what == operation::accept) ++refused;
  }
  if (one.received.size() > other.taken) complain(which, "received more than was taken");
  if (!one.over().idle()) complain(which, "an operation that is over holds its direction");
  if (one.over().refusals() != refused) complain(which, "the observer was told something else");
}

void trial::complain(end which, std::string const& what) {
  complaints_ += std::string(which == end::near ? "near: " : "far: ") + what + "\n";
}

}  // namespace cotls::test
