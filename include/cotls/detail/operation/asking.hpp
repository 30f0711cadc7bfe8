#pragma once

#include <cotls/detail/engine/question.hpp>
#include <cotls/detail/operation/action.hpp>
#include <cotls/detail/support/moment.hpp>
#include <cotls/detail/support/waiting_list.hpp>
#include <cotls/error.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>

#include <memory>
#include <utility>

namespace cotls::detail {

/** An operation that waits for the program's answer to a question.

        start -> when_ended --------------------------------------+
          |                                                       v
          +--> claim: the program's coroutine -> answered -> the handler is called
        cancel -> abandon ----------------------------------------^

    The first to wait has the program's coroutine run, on a strand of its own over the stream's
    executor. A cancellation is passed on to it and ends the wait at once, whether it is heeded or
    not: what goes on then is nobody's, as a lookup that was given up.
*/
class asking : public std::enable_shared_from_this<asking> {
 public:
  /** Has a question answered. The handler is called without an error when the engine is to be asked
      again; otherwise there is no answer: `operation_aborted`, or `errc::unexpected_result` where
      there is no question that we know of, as when a callback of an adopted context has stopped
      OpenSSL. */
  template <class Executor, class Handler>
  static void start(std::shared_ptr<question> asked, Executor const& executor, Handler handler) {
    auto const self = std::make_shared<asking>(std::move(asked), executor);
    auto slot = asio::get_associated_cancellation_slot(handler);
    self->waits_.add(std::move(handler), executor);
    if (slot.is_connected()) {
      slot.assign([self](asio::cancellation_type) { self->cancel(); });
    }
    self->begin();
  }

  asking(std::shared_ptr<question> asked, asio::any_io_executor const& executor);

 private:
  void begin();
  void cancel();
  void ended();
  void end(error_code code);

  std::shared_ptr<question> asked_;
  asio::strand<asio::any_io_executor> strand_;
  asio::cancellation_signal stop_;   // of the program's coroutine, if it is ours
  waiting_list<error_code> waits_;   // from the beginning on, touched on the strand alone
};

/** Has a question answered on the calling thread, which runs the program's coroutine, unless another
    thread does.
    @param failed  As for the handler of `asking`. */
interruption answer_here(std::shared_ptr<question> const& asked, give_up_at until,
                         error_code& failed);

}  // namespace cotls::detail
