// Looking for sessions in the program's store:
//
//   take: each name is asked for -> all answered at once -> found
//                                |
//                                +--> go_on: look_up, beside a timer -> found, or none
//
// What is abandoned goes on by itself, and ends where it may: it is nobody's.

#include <cotls/detail/session/session_storage.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <new>

namespace cotls::detail {

// Of one handshake, and what it waits for.
struct session_storage::search {
  std::shared_ptr<session_storage> of;
  std::vector<std::string> names;   // arguments of the program's coroutines
  std::size_t asked = 0;
  std::optional<asio::awaitable<kept_session>> work;   // for the one that was asked for last
  found_sessions found;
  bool ended = false;
  asio::cancellation_signal stop;

  void add(std::string const& name, kept_session kept) {
    if (kept) found.push_back({name, std::move(*kept)});
  }

  // False when the next answer has to be waited for.
  bool ask_on() {
    while (asked < names.size()) {
      std::string const& name = names[asked++];
      try {
        reply<kept_session> said = of->take_(name);
        if (auto* const at_once = std::get_if<0>(&said)) {
          add(name, std::move(*at_once));
        } else {
          work.emplace(std::get<1>(std::move(said)));
          return false;
        }
      } catch (...) {
        // There is none.
      }
    }
    return true;
  }
};

reply<found_sessions> session_storage::take(std::vector<std::string> names) {
  auto const with = std::make_shared<search>();
  with->of = shared_from_this();
  with->names = std::move(names);
  if (with->ask_on()) return reply<found_sessions>(std::in_place_index<0>, std::move(with->found));
  return reply<found_sessions>(std::in_place_index<1>, go_on(with));
}

asio::awaitable<void> session_storage::look_up(std::shared_ptr<search> with) {
  do {
    try {
      asio::awaitable<kept_session> work = *std::exchange(with->work, std::nullopt);
      kept_session kept = co_await std::move(work);
      with->add(with->names[with->asked - 1], std::move(kept));
    } catch (...) {
      // There is none.
    }
  } while (!with->ask_on());
}

asio::awaitable<found_sessions> session_storage::go_on(std::shared_ptr<search> with) {
  auto const executor = co_await asio::this_coro::executor;
  auto const patient = std::make_shared<asio::steady_timer>(executor, patience_);
  asio::co_spawn(executor, look_up(with),
                 asio::bind_cancellation_slot(with->stop.slot(),
                                              [with, patient](std::exception_ptr const&) {
                                                with->ended = true;
                                                patient->cancel();
                                              }));
  if (!with->ended) co_await patient->async_wait(asio::as_tuple(asio::use_awaitable));
  if (!with->ended) with->stop.emit(asio::cancellation_type::terminal);
  co_return std::exchange(with->found, {});
}

void session_storage::put(std::string name, session_bytes session,
                          std::chrono::seconds lasting) noexcept {
  struct keeping {
    std::shared_ptr<session_storage> by;
    std::string name;
    session_bytes session;
    ~keeping() { by->putting_.fetch_sub(1, std::memory_order_relaxed); }
  };
  if (putting_.fetch_add(1, std::memory_order_relaxed) >= max_puts_) {
    putting_.fetch_sub(1, std::memory_order_relaxed);
    return lose();
  }
  std::shared_ptr<keeping> job;
  try {
    job = std::make_shared<keeping>(shared_from_this(), std::move(name), std::move(session));
  } catch (std::bad_alloc const&) {
    putting_.fetch_sub(1, std::memory_order_relaxed);
    return lose();
  }
  try {
    auto work = put_(job->name, job->session, lasting);
    if (!work) return;
    asio::co_spawn(runs_puts_, std::move(*work), [job](std::exception_ptr const& thrown) {
      if (thrown) job->by->lose();
    });
  } catch (...) {
    lose();
  }
}

}  // namespace cotls::detail
