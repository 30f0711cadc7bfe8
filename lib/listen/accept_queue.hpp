#pragma once

#include <cotls/listener.hpp>

#include <cotls/detail/support/waiting_list.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>

namespace cotls::detail {

template <class... Values>
void end_all(waiting_list<error_code, Values...>& list, error_code code) {
  while (!list.empty()) list.complete_first(code, Values()...);
}

/** Who waits at a listener for what, first come, first served. Behind the listener's lock. */
template <class Protocol>
class accept_queue {
 public:
  explicit accept_queue(asio::any_io_executor const& executor)
      : streams(executor, &last_ticket_),
        incomings(executor, &last_ticket_),
        events(executor),
        stops(executor) {}

  /** True when a connection that comes is for the first who wants an incoming one: as soon as each
      accept that was asked before has one that shakes hands.
      @param shaking  How many do. */
  bool incoming_is_next(std::size_t shaking) const {
    return !incomings.empty() && streams.count_before(incomings.first()) <= shaking;
  }

  /** True when somebody wants connections to shake hands, or the latest to ask has. */
  bool streams_wanted() const noexcept {
    return runs_ahead || !streams.empty() || !events.empty();
  }

  void end_accepts(error_code reason) {
    end_all(streams, reason);
    end_all(incomings, reason);
    end_all(events, reason);
  }

 private:
  std::uint64_t last_ticket_ = 0;

 public:
  stream_waiters<Protocol> streams;
  incoming_waiters<Protocol> incomings;
  event_waiters events;   // for a stream to be ready
  event_waiters stops;    // for the end of what is in progress
  bool runs_ahead = false;   // the latest to ask wants streams
};

}  // namespace cotls::detail
