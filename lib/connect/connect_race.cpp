// The race of addresses, awaited. The coroutine waits on one timer, which the attempts cancel when
// they end. Its frame owns the attempts: whatever ends the frame, be it a result, an exception or the
// end of the io_context, closes their sockets. The attempts' handlers only ask whether they are
// still there.

#include "connect/connect_race.hpp"

#include "connect/address_race.hpp"

#include <cotls/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <iterator>
#include <list>
#include <memory>

namespace cotls::detail {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

class attempts : public std::enable_shared_from_this<attempts> {
 public:
  attempts(asio::any_io_executor strand, asio::any_io_executor streams, address_race& of)
      : strand_(std::move(strand)), streams_(std::move(streams)), race_(of), news_(strand_) {}

  void start(tcp::endpoint const& address) {
    std::size_t const number = sockets_.size();
    auto ended = [weak = weak_from_this(), number](error_code code) {
      if (auto const self = weak.lock()) self->ended(number, code);
    };
    sockets_.emplace_back(streams_).async_connect(address,
                                                  asio::bind_executor(strand_, std::move(ended)));
  }

  auto async_wait_for_news(clock::time_point at_the_latest) {
    news_.expires_at(at_the_latest);
    return news_.async_wait(asio::as_tuple(asio::deferred));
  }

  tcp::socket take(std::size_t number) {
    return std::move(*std::next(sockets_.begin(), static_cast<std::ptrdiff_t>(number)));
  }

 private:
  void ended(std::size_t number, error_code code) {
    race_.ended(number, code);
    news_.cancel();
  }

  asio::any_io_executor strand_;
  asio::any_io_executor streams_;
  address_race& race_;   // outlives us in the coroutine's frame
  asio::steady_timer news_;
  std::list<tcp::socket> sockets_;   // they must not move while they connect
};

}  // namespace

asio::awaitable<tcp::socket> connect_to_first(asio::any_io_executor streams,
                                              std::vector<tcp::endpoint> addresses,
                                              clock::duration head_start,
                                              clock::time_point until) {
  using turn = address_race::turn;
  address_race race(addresses.size(), head_start, until);
  auto const made = std::make_shared<attempts>(co_await asio::this_coro::executor, streams, race);
  turn next = race.next(clock::now());
  for (; next != turn::connected; next = race.next(clock::now())) {
    if (next == turn::failed) throw error(race.failure());
    if (next == turn::start) {
      made->start(addresses[race.latest()]);
      continue;
    }
    co_await made->async_wait_for_news(race.wait_ends());
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw error(asio::error::operation_aborted);
    }
  }
  co_return made->take(race.winner());
}

}  // namespace cotls::detail
