// start an attempt -> poll -+-> one has connected: it is returned
//        ^                  +-> the deadline: error
//        |                  +-> all have failed: error
//        +------------------+-- the latest has failed, or its head start is over

#include "blocking/race.hpp"

#include "connect/connect_race.hpp"
#include "system/socket.hpp"
#include "system/system_error.hpp"

#include <cotls/detail/support/moment.hpp>
#include <cotls/detail/system/poll.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
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

class race {
 public:
  // Returns false when the attempt has ended at once.
  bool start(tcp::endpoint const& address) {
    error_code failed;
    owned_descriptor socket = make_socket(address.protocol().family(), failed);
    if (!failed && ::connect(socket.get(), address.data(),
                             static_cast<socklen_t>(address.size())) != 0) {
      failed = last_system_error();
    }
    bool const under_way = failed == boost::system::errc::operation_in_progress;
    if (under_way) {
      polled_.push_back({socket.get(), POLLOUT, 0});
      attempts_.push_back(std::move(socket));
    } else if (failed) {
      note(failed);
    } else {
      winner_ = std::move(socket);
    }
    return under_way;
  }

  // Waits until one has connected, or the latest has failed.
  void news(clock::time_point at_the_latest) {
    do {
      error_code failed;
      if (poll_until(polled_, at_the_latest, failed) == 0) {
        if (failed) throw error(failed);
        return;
      }
      look();
    } while (!won() && polled_.back().fd >= 0);
  }

  bool won() const noexcept { return winner_.get() >= 0; }
  owned_descriptor take_winner() noexcept { return std::move(winner_); }
  error_code failed() const noexcept { return failed_; }

  bool pending() const noexcept {
    return std::any_of(polled_.begin(), polled_.end(), [](pollfd one) { return one.fd >= 0; });
  }

 private:
  void look() {
    for (std::size_t i = 0; i < polled_.size() && !won(); ++i) {
      if (polled_[i].revents == 0) continue;
      owned_descriptor ended = std::move(attempts_[i]);
      error_code const failed = result_of_connect(ended.get());
      if (failed) {
        note(failed);
      } else {
        winner_ = std::move(ended);
      }
      polled_[i] = {-1, 0, 0};   // poll looks past it
    }
  }

  void note(error_code failed) noexcept {
    if (!failed_ || telling(failed) >= telling(failed_)) failed_ = failed;
  }

  std::vector<pollfd> polled_;   // of the attempts, in their order
  std::vector<owned_descriptor> attempts_;
  owned_descriptor winner_;
  error_code failed_;
};

}  // namespace

owned_descriptor connect_to_first(std::vector<tcp::endpoint> const& addresses,
                                  clock::duration delay,
                                  clock::time_point until) {
  if (addresses.empty()) throw error(asio::error::host_not_found);
  race racing;
  for (auto next = addresses.begin(); clock::now() < until;) {
    bool waits = true;
    if (next != addresses.end()) {
      waits = racing.start(*next++);
    } else if (!racing.pending()) {
      throw error(racing.failed());
    }
    if (waits) racing.news(next == addresses.end() ? until : std::min(until, moment_after(delay)));
    if (racing.won()) return racing.take_winner();
  }
  throw error(errc::connect_timeout);
}

}  // namespace cotls::detail
