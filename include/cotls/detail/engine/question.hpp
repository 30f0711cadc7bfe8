#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cotls::detail {

namespace asio = boost::asio;

/** What an engine asks the program before it can go on.

    The answer, a refusal or an exception of the program's included, is between the question and its
    engine, which is called again when there is one. So a question that nobody waits for any more
    must not touch an engine that is gone. */
class question {
 public:
  virtual ~question() = default;

  /** Returns the program's work, which ends when it has answered. Called once. */
  virtual asio::awaitable<void> answer() = 0;
};

}  // namespace cotls::detail
