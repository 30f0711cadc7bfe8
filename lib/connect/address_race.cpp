#include "connect/address_race.hpp"

#include <cotls/error.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>

namespace cotls::detail {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

// How much a failed attempt says of why a host cannot be reached: more, the greater.
int rank(error_code code) noexcept {
  namespace errc = boost::system::errc;
  if (code == errc::network_unreachable || code == errc::address_family_not_supported ||
      code == errc::address_not_available) {
    return 1;
  }
  if (code == errc::timed_out) return 2;
  return code == errc::connection_refused ? 4 : 3;
}

clock::time_point later(clock::time_point now, clock::duration by) noexcept {
  return by < clock::time_point::max() - now ? now + by : clock::time_point::max();
}

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

address_race::turn address_race::next(clock::time_point now) noexcept {
  if (winner_) return turn::connected;
  if (addresses_ == 0) failure_ = asio::error::host_not_found;
  bool const none_left = all_begun() && pending_ == 0;
  if (!none_left && now >= until_) failure_ = errc::connect_timeout;
  if (none_left || now >= until_) return turn::failed;
  if (all_begun() || now < next_begins_) return turn::wait;
  ++begun_;
  ++pending_;
  next_begins_ = later(now, head_start_);
  return turn::start;
}

void address_race::ended(std::size_t attempt, error_code code) noexcept {
  --pending_;
  if (!code && !winner_) winner_ = attempt;
  if (code && (!failure_ || rank(code) >= rank(failure_))) failure_ = code;
  if (attempt == latest()) next_begins_ = {};
}

clock::time_point address_race::wait_ends() const noexcept {
  return all_begun() ? until_ : std::min(until_, next_begins_);
}

}  // namespace cotls::detail
