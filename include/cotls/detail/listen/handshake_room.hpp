#pragma once

#include <cotls/detail/channel/hello_framing.hpp>
#include <cotls/detail/operation/operation.hpp>
#include <cotls/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace cotls::detail {

/** The connections of a listener that have not shaken hands, and who of them gives way to others.

    No connection is known here, only what each has come to. First those give way that were
    refused, and have only to hear of it; then those that have sent nothing, the oldest first; then
    those that have sent the least of a hello; then those that were answered long ago. Never one
    that makes progress, nor one that waits for the program. A newcomer, whose hello may be on its
    way, gives way after the older ones that have sent none or a part: or it would be the next
    newcomer's victim, and those that drip would stay. Thread-safe.
*/
class handshake_room : public std::enable_shared_from_this<handshake_room> {
 public:
  using clock = std::chrono::steady_clock;
  class seat;

  /** @param seats     How many there are.
      @param patience  How long a client that was answered may take and keep its seat.
      @param grace     How long a hello may be on its way.
      @param now       Tells the time. */
  handshake_room(std::size_t seats, clock::duration patience,
                 clock::duration grace = std::chrono::milliseconds(100),
                 clock::time_point (*now)() noexcept = &clock::now) noexcept;

  /** Takes a seat, whether one is free or not.
      @param cut  Ends the connection's transport, so that its operation looks up. Called with the
                  room locked; must not throw. */
  std::unique_ptr<seat> enter(std::function<void()> cut);

  enum class mercy : std::uint8_t {
    all_but_refused,   ///< None gives way but those that were refused.
    progress,          ///< Those that make no progress do.
  };

  /** Says whether a seat is free, or else frees one; false when nobody gives way.
      @param report  Then called, once, when somebody leaves, or may have to give way: from the
                     thread that does so; it must not throw. */
  bool make_room(mercy shown, std::function<void()> report = nullptr);

  /** Frees a seat, be there free ones or not; false when nobody gives way. */
  bool displace(mercy shown);

  /** Cuts off those that were refused. */
  void cut_refused();

  /** The moment at which a client that was answered will have taken too long. */
  clock::time_point next_out_of_patience() const;

 private:
  enum class stage : std::uint8_t { held, awaited, answered, refused };
  struct occupant;
  using occupants = std::list<occupant>;
  struct occupant {
    std::function<void()> cut;
    occupants* in = nullptr;
    stage at = stage::held;
    std::size_t sent = 0;
    clock::time_point since{};   // at this stage
    bool exposed = false;
  };

  bool cut_one(mercy shown);
  occupants::iterator next_to_go(mercy shown);
  void move(occupants::iterator one, occupants& to) noexcept;

  std::size_t const seats_;
  clock::duration const patience_;
  clock::duration const grace_;
  clock::time_point (*const now_)() noexcept;
  mutable std::mutex mutex_;
  occupants seated_;      // the oldest first, but for those that
  occupants refused_;     // were refused, and only have to hear of it
  occupants displaced_;   // and not yet gone
  std::function<void()> report_;
};

/** One connection's seat; left when it is destroyed, at the latest.

    What is said of it is answered by whether it still is the connection's: once the room has
    displaced it, the operation in progress is to end with `errc::displaced`. */
class handshake_room::seat {
 public:
  seat(std::shared_ptr<handshake_room> room, occupants::iterator self) noexcept
      : room_(std::move(room)), self_(self) {}
  seat(seat const&) = delete;
  seat& operator=(seat const&) = delete;
  ~seat() { leave(); }

  /** The client is to send its hello, of which so much is here. */
  bool awaits(std::size_t hello_bytes) noexcept { return move_to(stage::awaited, hello_bytes); }

  /** The client's hello is whole, and what it says next is awaited. */
  bool answers() noexcept { return move_to(stage::answered, 0); }

  /** Nothing is asked of the client. */
  bool holds() noexcept { return move_to(stage::held, 0); }

  /** The client was refused, and only has to hear of it. */
  bool refuses() noexcept { return move_to(stage::refused, 0); }

  /** The program has the transport, too: nothing of ours may cut it from here on. */
  void expose() noexcept;

  /** Leaves the room, before the transport is closed or somebody else's. */
  void leave() noexcept;

 private:
  bool move_to(stage at, std::size_t sent) noexcept;

  std::shared_ptr<handshake_room> const room_;
  occupants::iterator const self_;
  bool left_ = false;
};

/** A handshake, or the part of it that reads a hello, which says in a listener's room how far its
    client has come. It says so before the work is done that a whole hello makes. */
template <class Operation>
class seated : public Operation {
 public:
  template <class Connection>
  seated(Connection* connection, handshake_room::seat* seat) noexcept
      : Operation(connection), seat_(seat) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!waited && by == interruption::none && !comes_on()) {
      return this->finish(errc::displaced);
    }
    return Operation::advance(waited, by);
  }

 private:
  bool comes_on() {
    if (!seat_) return true;
    if (this->waited_for_input()) this->engine().input_arrived();
    bool const here = this->engine().await_hello() != hello_arrival::awaited;
    return here ? seat_->answers() : seat_->awaits(this->engine().hello_bytes());
  }

  handshake_room::seat* seat_;   // null: the connection is in nobody's room
};

}  // namespace cotls::detail
