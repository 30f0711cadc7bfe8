// start an attempt -> wait -+-> one has connected: it is returned
//        ^                  +-> the deadline, or a cancellation: error
//        |                  +-> all have failed: error
//        +------------------+-- the latest has failed, or its head start is over
//
// The coroutine waits on one timer, which the attempts cancel when they have news; what the news is
// stands in the race. The coroutine's frame owns the race, and the race the sockets: whatever ends
// the frame, be it a result, an exception or the end of the io_context, closes them. The attempts'
// handlers only ask whether the race is still there.

#include "connect/connect_race.hpp"

#include <cotls/detail/support/moment.hpp>
#include <cotls/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <list>
#include <memory>

namespace cotls::detail {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

class race : public std::enable_shared_from_this<race> {
 public:
  race(asio::any_io_executor strand, asio::any_io_executor streams)
      : strand_(std::move(strand)), streams_(std::move(streams)), news_(strand_) {}

  void start(tcp::endpoint const& address) {
    tcp::socket& attempt = attempts_.emplace_back(streams_);
    ++pending_;
    attempt.async_connect(
        address, asio::bind_executor(strand_, [weak = weak_from_this(), &attempt](error_code code) {
          if (auto const self = weak.lock()) self->ended(attempt, code);
        }));
  }

  auto async_wait_for_news(clock::time_point at_the_latest) {
    news_.expires_at(at_the_latest);
    return news_.async_wait(asio::as_tuple(asio::deferred));
  }

  bool pending() const noexcept { return pending_ > 0; }
  tcp::socket* winner() const noexcept { return winner_; }
  error_code failed() const noexcept { return failed_; }

 private:
  void ended(tcp::socket& attempt, error_code code) {
    --pending_;
    if (!code && !winner_) winner_ = &attempt;
    if (code && (!failed_ || telling(code) >= telling(failed_))) failed_ = code;
    if (winner_ || &attempt == &attempts_.back() || pending_ == 0) news_.cancel();
  }

  asio::any_io_executor strand_;
  asio::any_io_executor streams_;
  asio::steady_timer news_;
  std::list<tcp::socket> attempts_;   // they must not move while they connect
  tcp::socket* winner_ = nullptr;
  int pending_ = 0;
  error_code failed_;
};

}  // namespace

std::vector<tcp::endpoint> interleaved(std::vector<tcp::endpoint> const& addresses) {
  if (addresses.size() < 2) return addresses;
  std::vector<tcp::endpoint> ones;
  std::vector<tcp::endpoint> others;
  for (auto const& each : addresses) {
    bool const as_first = each.protocol() == addresses.front().protocol();
    (as_first ? ones : others).push_back(each);
  }
  std::vector<tcp::endpoint> all;
  for (std::size_t i = 0; all.size() < addresses.size(); ++i) {
    if (i < ones.size()) all.push_back(ones[i]);
    if (i < others.size()) all.push_back(others[i]);
  }
  return all;
}

int telling(error_code code) noexcept {
  namespace errc = boost::system::errc;
  if (code == errc::network_unreachable || code == errc::address_family_not_supported ||
      code == errc::address_not_available) {
    return 1;
  }
  if (code == errc::timed_out) return 2;
  return code == errc::connection_refused ? 4 : 3;
}

asio::awaitable<tcp::socket> connect_to_first(asio::any_io_executor streams,
                                              std::vector<tcp::endpoint> addresses,
                                              clock::duration delay, clock::time_point until) {
  if (addresses.empty()) throw error(asio::error::host_not_found);
  auto const racing = std::make_shared<race>(co_await asio::this_coro::executor, streams);
  for (auto next = addresses.begin(); clock::now() < until;) {
    if (next != addresses.end()) {
      racing->start(*next++);
    } else if (!racing->pending()) {
      throw error(racing->failed());
    }
    bool const last = next == addresses.end();
    co_await racing->async_wait_for_news(last ? until : std::min(until, moment_after(delay)));
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw error(asio::error::operation_aborted);
    }
    if (racing->winner()) co_return std::move(*racing->winner());
  }
  throw error(errc::connect_timeout);
}

}  // namespace cotls::detail
