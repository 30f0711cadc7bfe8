#pragma once

#include "pki.hpp"

#include <cotls/context.hpp>
#include <cotls/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>

namespace cotls::test {

namespace asio = boost::asio;

/// The hooks of a handshake, in the order in which they are asked.
enum class asks {
  hello,
  certificate,
  client_verify,
  request,
  server_verify,
  established,
  client_established
};

inline constexpr std::array all_hooks{asks::hello,         asks::certificate,
                                      asks::client_verify, asks::request,
                                      asks::server_verify, asks::established,
                                      asks::client_established};

/// How often a hook suspends before it answers: at once is no coroutine at all; never, it waits for
/// what does not come.
enum class takes_its_time { at_once, once, thrice, never };

enum class says { yes, no, throws };

inline std::ostream& operator<<(std::ostream& out, asks value) {
  constexpr std::array names{"on_client_hello", "on_certificate",      "a client's on_verify",
                             "on_certificate_request", "a server's on_verify",
                             "a server's on_established", "a client's on_established"};
  return out << names[static_cast<std::size_t>(value)];
}

inline std::ostream& operator<<(std::ostream& out, takes_its_time value) {
  constexpr std::array names{"at once", "once", "thrice", "never"};
  return out << names[static_cast<std::size_t>(value)];
}

inline std::ostream& operator<<(std::ostream& out, says value) {
  constexpr std::array names{"yes", "no", "throws"};
  return out << names[static_cast<std::size_t>(value)];
}

inline bool is_clients(asks which) {
  return which == asks::client_verify || which == asks::request ||
         which == asks::client_established;
}

/// Counts what becomes of hooks.
struct hook_count {
  std::atomic<int> asked = 0;
  std::atomic<int> running = 0;   // coroutines that were begun and have not been destroyed
};

/// A hook that says this in its time. Its coroutine has a local variable, whose end is counted.
template <class Answer>
class slow_hook {
 public:
  slow_hook(std::shared_ptr<hook_count> counted, takes_its_time time, says what, Answer yes,
            Answer no)
      : counted_(std::move(counted)), time_(time), what_(what), yes_(yes), no_(no) {}

  template <class... Shown>
  asio::awaitable<Answer> operator()(Shown const&... shown) const {
    ++counted_->asked;
    return work(counted_, time_, what_, yes_, no_, shown...);
  }

 private:
  struct counter {
    std::shared_ptr<hook_count> of;
    explicit counter(std::shared_ptr<hook_count> counted) : of(std::move(counted)) {
      ++of->running;
    }
    ~counter() { --of->running; }
    counter(counter const&) = delete;
    counter& operator=(counter const&) = delete;
  };

  template <class... Shown>
  static asio::awaitable<Answer> work(std::shared_ptr<hook_count> counted, takes_its_time time,
                                      says what, Answer yes, Answer no, Shown const&...) {
    counter const local(counted);
    auto const executor = co_await asio::this_coro::executor;
    if (time == takes_its_time::never) {
      asio::steady_timer never(executor, asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    }
    int const times = time == takes_its_time::thrice ? 3 : 1;
    for (int i = 0; i < times; ++i) co_await asio::post(executor, asio::use_awaitable);
    if (what == says::throws) throw std::runtime_error("the database is away");
    co_return what == says::yes ? yes : no;
  }

  std::shared_ptr<hook_count> counted_;
  takes_its_time time_;
  says what_;
  Answer yes_;
  Answer no_;
};

/// The same without a coroutine.
template <class Answer>
class quick_hook {
 public:
  quick_hook(std::shared_ptr<hook_count> counted, says what, Answer yes, Answer no)
      : counted_(std::move(counted)), what_(what), yes_(yes), no_(no) {}

  template <class... Shown>
  Answer operator()(Shown const&...) const {
    ++counted_->asked;
    if (what_ == says::throws) throw std::runtime_error("the database is away");
    return what_ == says::yes ? yes_ : no_;
  }

 private:
  std::shared_ptr<hook_count> counted_;
  says what_;
  Answer yes_;
  Answer no_;
};

/** A client and a server that verify each other, and one hook among theirs. */
class hooked {
 public:
  hooked(asks which, takes_its_time time, says what, protocol version)
      : client(version) {
    client.add_root(root_.certificate()).use(person_.identity());
    server.use(shown_.identity()).set_verify(verify::optional).add_root(root_.certificate());
    other.use(other_.identity()).set_verify(verify::optional).add_root(root_.certificate());
    auto const install = [&](auto yes, auto no, auto const& into) {
      if (time == takes_its_time::at_once) {
        into(quick_hook(count, what, yes, no));
      } else {
        into(slow_hook(count, time, what, yes, no));
      }
    };
    auto const establishes = [&](auto& of) {
      install(true, false, [&](auto hook) { of.on_established(hook); });
    };
    auto const verifies = [&](auto& of) {
      install(true, false, [&](auto hook) { of.on_verify(hook); });
    };
    switch (which) {
      case asks::hello:
        install(hello_answer(other), hello_answer(alert::unrecognized_name),
                [&](auto hook) { server.on_client_hello(hook); });
        break;
      case asks::certificate:
        install(certificate_answer(other_.identity()), certificate_answer(alert::access_denied),
                [&](auto hook) { server.on_certificate(hook); });
        break;
      case asks::request:
        install(certificate_answer(robot_.identity()), certificate_answer(alert::access_denied),
                [&](auto hook) { client.on_certificate_request(hook); });
        break;
      case asks::client_verify: verifies(client); break;
      case asks::server_verify: verifies(server); break;
      case asks::established: establishes(server); break;
      case asks::client_established: establishes(client); break;
    }
  }

  client_context client;
  server_context server;
  server_context other;   // that `on_client_hello` chooses
  std::shared_ptr<hook_count> count = std::make_shared<hook_count>();

 private:
  authority root_{"root"};
  issued shown_ = root_.issue(certificate_request({"server.test", "localhost", "127.0.0.1"}));
  issued other_ = root_.issue(certificate_request({"other.test", "server.test", "127.0.0.1"}));
  issued person_ = root_.issue(certificate_request({"person"}).use(purpose::client));
  issued robot_ = root_.issue(certificate_request({"robot"}).use(purpose::client));
};

/// What both ends come to.
struct both_ends {
  error_code client;
  error_code server;

  bool operator==(both_ends const&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, both_ends const& ends) {
  return out << "client: " << ends.client << ", server: " << ends.server;
}

inline error_code verification_failed() {
  return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED)),
          openssl_category()};
}

/// What both ends are to come to, however long the hook takes.
inline both_ends expected(asks which, says what, protocol version) {
  if (what == says::yes) return {};
  bool const is_1_3 = version == protocol::tls1_3;
  bool const throws = what == says::throws;
  error_code const ours = throws ? errc::hook_failed : errc::peer_not_allowed;
  error_code const theirs = throws ? alert::internal_error : alert::access_denied;
  error_code const unverified = throws ? make_error_code(errc::hook_failed) : verification_failed();
  error_code const not_verified = throws ? alert::internal_error : alert::handshake_failure;
  switch (which) {
    case asks::hello: return {throws ? alert::internal_error : alert::unrecognized_name, ours};
    case asks::certificate:
    case asks::established: return {theirs, ours};
    case asks::client_verify: return {unverified, not_verified};
    case asks::server_verify: return {not_verified, unverified};
    case asks::request: return {ours, alert::internal_error};
    case asks::client_established:
      return {ours, is_1_3 ? make_error_code(asio::error::eof) : theirs};
  }
  return {};
}

}  // namespace cotls::test
