#pragma once

#include <cotls/detail/listen/handshake_room.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

namespace cotls::detail {

/** A listener's connections from their seat to their stream: those that shake hands, and those that
    have done so and that nobody has asked for yet. Knows neither sockets nor time. Behind the
    listener's lock. */
template <class Connection, class Stream>
class handshakes {
 public:
  using number = std::uint64_t;

  number begin(Connection one) {
    shaking_.emplace(++last_, std::move(one));
    return last_;
  }
  void end(number which) noexcept { shaking_.erase(which); }
  std::size_t in_progress() const noexcept { return shaking_.size(); }

  /** Those in progress, the oldest first. */
  auto const& all() const noexcept { return shaking_; }

  void arrived(Stream stream, std::unique_ptr<handshake_room::seat> seat) {
    ready_.push_back({std::move(stream), std::move(seat)});
  }
  bool ready() const noexcept { return !ready_.empty(); }

  /** Takes the stream that has been ready longest, whose seat is free then. */
  Stream take() {
    Stream first = std::move(ready_.front().stream);
    ready_.pop_front();
    return first;
  }
  void drop_ready() noexcept { ready_.clear(); }

  /** A client that was refused is being told; its end may come before its beginning. */
  void farewell_began() noexcept { ++farewells_; }
  void farewell_ended() noexcept { --farewells_; }

  /** True when there is nothing to be waited for. */
  bool none() const noexcept { return shaking_.empty() && ready_.empty() && farewells_ == 0; }

 private:
  struct arrival {
    Stream stream;
    std::unique_ptr<handshake_room::seat> seat;
  };

  std::map<number, Connection> shaking_;
  std::deque<arrival> ready_;
  number last_ = 0;
  int farewells_ = 0;
};

}  // namespace cotls::detail
