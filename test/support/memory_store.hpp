#pragma once

#include <cotls/session_store.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test {

/// How a store behaves.
enum class stores {
  at_once,
  later,
  nothing,
  by_throwing,
  throwing_later,
  nonsense,
  another,
  never
};

inline std::ostream& operator<<(std::ostream& out, stores value) {
  constexpr char const* names[] = {"at once",        "later",    "nothing", "by throwing",
                                   "throwing later", "nonsense", "another", "never"};
  return out << names[static_cast<std::size_t>(value)];
}

/** A store in memory, and what became of it. */
class memory_store {
 public:
  using bytes_type = std::vector<unsigned char>;

  struct contents {
    std::mutex mutex;
    std::map<std::string, bytes_type> sessions;
    stores way = stores::at_once;   // of taking
    int taken = 0;                  // asked for
    int put = 0;
    int running = 0;                // takes that were begun and have not ended

    // What was kept, and what a store that is not well makes of it.
    std::optional<bytes_type> take(std::string const& name) {
      std::scoped_lock const lock(mutex);
      auto const found = sessions.find(name);
      if (found == sessions.end() || way == stores::nothing) return std::nullopt;
      bytes_type kept = std::move(found->second);
      sessions.erase(found);
      if (way == stores::nonsense) kept[kept.size() / 2] ^= 0x80;
      if (way == stores::another && !sessions.empty()) return sessions.begin()->second;
      return kept;
    }
  };

  explicit memory_store(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  contents* operator->() const noexcept { return contents_.get(); }

  session_store store() const {
    auto const put = [in = contents_](std::string const& name, bytes_type const& session,
                                      std::chrono::seconds) {
      std::scoped_lock const lock(in->mutex);
      ++in->put;
      in->sessions[name] = session;
    };
    auto const later = [in = contents_](std::string const& name) {
      ++in->taken;
      if (in->way == stores::by_throwing) throw std::runtime_error("the store is away");
      return taken(in, name);
    };
    // What answers at once is no coroutine.
    if (contents_->way != stores::at_once) return session_store(executor_, later, put);
    auto const take = [in = contents_](std::string const& name) {
      ++in->taken;
      return in->take(name);
    };
    return session_store(executor_, take, put);
  }

 private:
  using taken_type = std::optional<bytes_type>;

  struct counted {
    contents* of;
    explicit counted(contents* in) : of(in) { ++of->running; }
    ~counted() { --of->running; }
    counted(counted const&) = delete;
    counted& operator=(counted const&) = delete;
  };

  static asio::awaitable<taken_type> taken(std::shared_ptr<contents> in, std::string const& name) {
    counted const now(in.get());
    auto const executor = co_await asio::this_coro::executor;
    if (in->way == stores::never) {
      asio::steady_timer timer(executor, asio::steady_timer::time_point::max());
      co_await timer.async_wait(asio::use_awaitable);
    }
    for (int i = 0; i < 3; ++i) co_await asio::post(executor, asio::use_awaitable);
    if (in->way == stores::throwing_later) throw std::runtime_error("the store is away");
    co_return in->take(name);   // the name has stayed
  }

  asio::any_io_executor executor_;
  std::shared_ptr<contents> contents_ = std::make_shared<contents>();
};

}  // namespace cotls::test
