#pragma once

#include "connection.hpp"
#include "plan.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace cotls::test {

enum class end { near, far };

/// How the near end comes to be.
enum class beginning {
  joined,      ///< From a transport that is connected.
  connected,   ///< By async_connect.
  accepted,    ///< By a listener.
};

/** What a link is to be, beside what its plan says. */
class link_settings {
 public:
  beginning begins = beginning::joined;
  std::size_t capacity = 1'000'000;   ///< About so many bytes may be on their way.
};

/** What lies between the two ends of a connection, and what befalls it. */
class link {
 public:
  virtual ~link() = default;

  /** Begins to carry bytes. `met` is called once, when the trouble has come; never from inside an
      operation of the connections. */
  virtual void start(std::function<void()> met) = 0;

  virtual std::unique_ptr<connection> make(end which, connection_settings const& how) = 0;

  /** Lets a stalled link go on. */
  virtual void lift() = 0;

  /** Says that an end has dropped its transport. */
  virtual void dropped(end which) = 0;

  /** Ends everything that goes on by itself. */
  virtual void close() = 0;

  /** What the near end has seen so far. */
  virtual measures measured() const = 0;
};

std::shared_ptr<link> make_memory_link(asio::io_context& context, plan const& how,
                                       link_settings const& what);
std::shared_ptr<link> make_native_link(asio::io_context& context, plan const& how,
                                       link_settings const& what);

}  // namespace cotls::test
