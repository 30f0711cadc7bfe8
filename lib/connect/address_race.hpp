#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace cotls::detail {

namespace asio = boost::asio;

/** Alternates the address families, the first address's first; within one the order stays
    (RFC 8305 section 4, with a First Address Family Count of 1). */
std::vector<asio::ip::tcp::endpoint> interleaved(
    std::vector<asio::ip::tcp::endpoint> const& addresses);

/** Which of a host's addresses is tried when, and how the race of them ends (RFC 8305 section 5).

    Attempts start in the order of the addresses. The next one starts when the latest has failed, or
    has had its head start; those before it go on. No socket and no clock of its own: a driver does
    what `next` says, and says what the attempts came to.

    When all have failed, the failure is the most telling one: a refusal, in which a host has
    answered, before others, those before a time-out, and last what is this machine's own affair (no
    route to a network, no address of a family); of equals the last. At the deadline it is
    `errc::connect_timeout`; without any address, `asio::error::host_not_found`.
*/
class address_race {
  using clock = std::chrono::steady_clock;

 public:
  enum class turn : std::uint8_t {
    start,      ///< Try the address `latest()`.
    wait,       ///< Wait until an attempt has ended, at the longest until `wait_ends()`.
    connected,  ///< Take the connection of `winner()`; the others are of no use.
    failed,     ///< Report `failure()`.
  };

  /** @param head_start  Of an attempt before the next one.
      @param until       The deadline of all. */
  address_race(std::size_t addresses, clock::duration head_start, clock::time_point until) noexcept
      : addresses_(addresses), head_start_(head_start), until_(until) {}

  /** Says what to do now, and takes it for done. */
  turn next(clock::time_point now) noexcept;

  /** An attempt has connected, or failed. */
  void ended(std::size_t attempt, boost::system::error_code code) noexcept;

  std::size_t latest() const noexcept { return begun_ - 1; }
  std::size_t winner() const noexcept { return *winner_; }
  clock::time_point wait_ends() const noexcept;
  boost::system::error_code failure() const noexcept { return failure_; }

 private:
  bool all_begun() const noexcept { return begun_ == addresses_; }

  std::size_t const addresses_;
  clock::duration const head_start_;
  clock::time_point const until_;
  clock::time_point next_begins_{};   // at the latest
  std::size_t begun_ = 0;
  std::size_t pending_ = 0;
  std::optional<std::size_t> winner_;
  boost::system::error_code failure_;
};

}  // namespace cotls::detail
