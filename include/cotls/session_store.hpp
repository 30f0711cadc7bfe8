#pragma once

#include <cotls/detail/session/session_storage.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace cotls {

namespace asio = boost::asio;

/** Where sessions are kept outside of a context: for other processes, or for a later one. It is
    made of two functions of the program's, which may be coroutines (they return an
    `asio::awaitable`).

    A server that is given one (`server_context::set_session_store`) keeps its sessions there
    instead of in tickets; a client (`client_context::set_session_store`) looks there for one to
    resume. Nothing depends on it: where it knows nothing, fails, throws, answers nonsense or too
    late, the handshake is a full one.

    Who can read the store can resume the sessions of others; who can write to it can pretend to be
    a client that was verified, or to a client, the server. Copies share all that there is.

    @par Concurrency Both functions are called by whatever threads perform handshakes, several at
    once.
*/
class session_store {
 public:
  /** @param runs_puts  Carries out what `put` has to wait for, and nobody else waits for. It must
                        outlive the connections.
      @param take  `std::optional<std::vector<unsigned char>>(std::string const& name)`, or an
                   awaitable of it: returns what was kept by the name last, and forgets it, so that
                   nobody else gets it. Names are of 64 hexadecimal digits. It waits on the stream's
                   executor, and is abandoned with its handshake.
      @param put   `void(std::string const& name, std::vector<unsigned char> const& session,
                   std::chrono::seconds lasting)`, or an awaitable: keeps it, no longer than it
                   lasts. */
  template <detail::takes_sessions Take, detail::puts_sessions Put>
  session_store(asio::any_io_executor runs_puts, Take take, Put put)
      : storage_(std::make_shared<detail::session_storage>(
            std::move(runs_puts), detail::make_take(std::move(take)),
            detail::make_put(std::move(put)))) {}

  /** How long a handshake waits for `take`, and then goes on without it: 500 ms by default. */
  session_store& patience(std::chrono::steady_clock::duration longest) {
    storage_->set_patience(longest);
    return *this;
  }

  /** How many puts may be waiting at once, beyond which sessions are not kept: 256 by default. */
  session_store& max_puts(std::size_t count) {
    storage_->set_max_puts(count);
    return *this;
  }

  /** Returns how many sessions were not kept, because of that or because `put` has thrown. */
  std::size_t lost() const noexcept { return storage_->lost(); }

  bool operator==(session_store const&) const = default;

  /** Returns what is shared, for the library itself. */
  std::shared_ptr<detail::session_storage> const& storage() const noexcept { return storage_; }

 private:
  std::shared_ptr<detail::session_storage> storage_;
};

}  // namespace cotls
