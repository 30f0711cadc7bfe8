// The race of addresses on the calling thread, which polls the attempts.

#include "blocking/race.hpp"

#include "connect/address_race.hpp"
#include "system/socket.hpp"
#include "system/system_error.hpp"

#include <cotls/detail/system/poll.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <utility>

namespace cotls::detail {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

error_code result_of_connect(int descriptor) noexcept {
  int failed = 0;
  socklen_t size = sizeof failed;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) {
    return last_system_error();
  }
  return error_code(failed, boost::system::system_category());
}

class attempts {
 public:
  explicit attempts(address_race& of) noexcept : race_(of) {}

  void start(tcp::endpoint const& address) {
    error_code failed;
    owned_descriptor socket = make_socket(address.protocol().family(), failed);
    if (!failed && ::connect(socket.get(), address.data(),
                             static_cast<socklen_t>(address.size())) != 0) {
      failed = last_system_error();
    }
    bool const under_way = failed == boost::system::errc::operation_in_progress;
    polled_.push_back({under_way ? socket.get() : -1, POLLOUT, 0});
    sockets_.push_back(std::move(socket));
    if (!under_way) ended(sockets_.size() - 1, failed);
  }

  // Until one has ended.
  void wait(clock::time_point at_the_latest) {
    error_code failed;
    poll_until(polled_, at_the_latest, failed);
    if (failed) throw error(failed);
    for (std::size_t i = 0; i < polled_.size(); ++i) {
      if (polled_[i].fd >= 0 && polled_[i].revents != 0) {
        ended(i, result_of_connect(sockets_[i].get()));
      }
    }
  }

  owned_descriptor take(std::size_t number) noexcept { return std::move(sockets_[number]); }

 private:
  void ended(std::size_t number, error_code code) {
    polled_[number] = {-1, 0, 0};   // poll looks past it
    if (code) sockets_[number] = {};
    race_.ended(number, code);
  }

  address_race& race_;
  std::vector<pollfd> polled_;   // as the sockets
  std::vector<owned_descriptor> sockets_;
};

}  // namespace

owned_descriptor connect_to_first(std::vector<tcp::endpoint> const& addresses,
                                  clock::duration head_start, clock::time_point until) {
  using turn = address_race::turn;
  address_race race(addresses.size(), head_start, until);
  attempts made(race);
  turn next = race.next(clock::now());
  for (; next != turn::connected; next = race.next(clock::now())) {
    if (next == turn::failed) throw error(race.failure());
    if (next == turn::start) made.start(addresses[race.latest()]);
    if (next == turn::wait) made.wait(race.wait_ends());
  }
  return made.take(race.winner());
}

}  // namespace cotls::detail
