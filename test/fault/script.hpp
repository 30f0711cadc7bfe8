#pragma once

#include "connection.hpp"
#include "link.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cotls::test {

class party;

/** One coroutine of one end: what it does, in the words of a script, and how it ended.

    Each operation is checked as it ends. One that was only cancelled is started again, from where
    it was; one that failed ends the script, and the end's connection with it.
*/
class lane {
 public:
  using script = asio::awaitable<void> (*)(lane&);

  /// What ended a script before its time.
  struct failure {
    operation what;
    error_code code;
    bool was_closed;   // by another lane of this end
  };

  explicit lane(party& owner) noexcept : owner_(owner) {}
  lane(lane const&) = delete;
  lane& operator=(lane const&) = delete;

  // What scripts say.
  asio::awaitable<void> open();
  asio::awaitable<void> read_early();              ///< to its end
  asio::awaitable<void> write_early(std::string_view text);
  void offer_early(std::string_view text);         ///< what `open` sends
  asio::awaitable<void> write(std::string_view text);
  asio::awaitable<void> read(std::size_t size);
  asio::awaitable<void> read_to_end();
  asio::awaitable<void> peek(std::size_t most);
  asio::awaitable<void> update_key();
  asio::awaitable<void> request_certificate();
  asio::awaitable<void> close_write();
  asio::awaitable<void> shutdown();
  asio::awaitable<void> say(std::string_view text);
  asio::awaitable<std::string> hear_line();        ///< and what came together with it
  asio::awaitable<void> until_the_other_opens();
  asio::awaitable<void> until_alone();             ///< the end's other lanes have ended
  void give(std::string_view heard);
  void release();
  void split();
  void drop_writing();
  void beside(script another);
  std::string_view received() const;
  void check(bool holds, char const* claim);

  // What the trial does with it.
  asio::awaitable<void> follow(script what);
  asio::cancellation_slot slot() noexcept { return signal_.slot(); }
  void cancel(asio::cancellation_type type) { signal_.emit(type); }
  void give_up();
  std::optional<operation> in_progress() const noexcept { return current_; }
  bool has_deadline() const noexcept;   ///< the operation in progress
  std::optional<failure> const& failed() const noexcept { return failed_; }

 private:
  connection& over() const;
  void begin(operation what);
  bool again(error_code code);
  asio::awaitable<void> persist(operation what, connection::done (connection::*start)());
  asio::awaitable<void> write_by(connection::moved (connection::*way)(asio::const_buffer),
                                 std::string_view text);
  asio::awaitable<error_code> read_some(std::size_t most);

  party& owner_;
  asio::cancellation_signal signal_;
  std::optional<operation> current_;
  std::optional<failure> failed_;
  bool given_up_ = false;
};

/** What both ends of a connection do. */
struct scenario {
  char const* name;
  lane::script near;
  lane::script far;
  beginning begins = beginning::joined;
  std::size_t lanes = 1;             ///< the near end's
  bool late = false;                 ///< the client has a certificate for who asks late
  std::string_view early = {};       ///< what the client sends with its hello
  bool upgrades = false;             ///< TLS begins and ends on a connection that goes on
  std::size_t capacity = 1'000'000;  ///< of the transport
};

}  // namespace cotls::test
