#include <cotls/detail/operation/asking.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <exception>

namespace cotls::detail {

namespace {

// What the work throws is no answer of the program's, which is told to the engine, but a failure to
// ask.
error_code code_of(std::exception_ptr const& thrown) noexcept {
  if (!thrown) return {};
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& known) {
    return known.code();
  } catch (...) {
    return errc::unexpected_result;
  }
}

}  // namespace

asking::asking(asio::any_io_executor const& executor)
    : strand_(asio::make_strand(executor)), waits_(executor) {}

void asking::begin(std::shared_ptr<question> asked) {
  asked_ = asked;
  if (!asked) {
    return asio::post(strand_, [self = shared_from_this()] { self->end(errc::unexpected_result); });
  }
  asked->set_stop([weak = weak_from_this()] {
    if (auto const self = weak.lock()) self->cancel();
  });
  asio::co_spawn(strand_, work_on(std::move(asked)),
                 asio::bind_cancellation_slot(
                     stop_.slot(), [self = shared_from_this()](std::exception_ptr const& thrown) {
                       self->end(code_of(thrown));
                     }));
}

void asking::cancel() {
  asio::post(strand_, [self = shared_from_this()] {
    if (self->asked_) self->asked_->abandon();
    // Whatever was asked of the operation: coroutines heed no other type by default.
    self->stop_.emit(asio::cancellation_type::terminal);
    self->end(asio::error::operation_aborted);
  });
}

void asking::end(error_code code) {
  asked_.reset();
  if (!waits_.empty()) waits_.complete_first(code);
}

interruption answer_here(std::shared_ptr<question> const& asked, give_up_at until,
                         error_code& failed) {
  if (!asked) {
    failed = errc::unexpected_result;
    return interruption::none;
  }
  asio::io_context here(1);
  bool ended = false;
  asio::co_spawn(here, work_on(asked), [&](std::exception_ptr const& thrown) {
    ended = true;
    failed = code_of(thrown);
  });
  while (!ended) {
    std::size_t const ran = until ? here.run_one_until(*until) : here.run_one();
    if (ran == 0) return interruption::deadline;   // its end destroys what is not answered
  }
  return interruption::none;
}

}  // namespace cotls::detail
