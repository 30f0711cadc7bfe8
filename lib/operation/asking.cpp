#include <cotls/detail/operation/asking.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
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

asking::asking(std::shared_ptr<question> asked, asio::any_io_executor const& executor)
    : asked_(std::move(asked)), strand_(asio::make_strand(executor)), waits_(executor) {}

void asking::begin() {
  auto const self = shared_from_this();
  if (!asked_) return asio::post(strand_, [self] { self->end(errc::unexpected_result); });
  auto const tell = [](std::shared_ptr<asking> const& one) {
    asio::post(one->strand_, [one] { one->ended(); });
  };
  if (!asked_->claim()) return asked_->when_ended([self, tell] { tell(self); });
  asio::co_spawn(strand_, work_on(asked_),
                 asio::bind_cancellation_slot(stop_.slot(), [self](std::exception_ptr thrown) {
                   if (!thrown) return;
                   self->end(code_of(thrown));
                   self->asked_->abandon();
                 }));
  // Behind the work: of a coroutine that is cancelled before it begins, Asio's exception leaves the
  // context. The work keeps us: a question that kept us, too, would never go with a context that is
  // destroyed.
  asked_->when_ended([weak = std::weak_ptr(self), tell] {
    if (auto const one = weak.lock()) tell(one);
  });
}

void asking::cancel() {
  asio::post(strand_, [self = shared_from_this()] {
    self->end(asio::error::operation_aborted);
    if (self->asked_) self->asked_->abandon();
  });
}

// The engine knows the answer, or that there will be none.
void asking::ended() {
  end({});
  if (asked_->how_far() != progress::abandoned) return;
  // Whatever was asked of the operation: coroutines heed no other type by default.
  stop_.emit(asio::cancellation_type::terminal);
}

void asking::end(error_code code) {
  if (!waits_.empty()) waits_.complete_first(code);
}

interruption answer_here(std::shared_ptr<question> const& asked, give_up_at until,
                         error_code& failed) {
  if (!asked) {
    failed = errc::unexpected_result;
    return interruption::none;
  }
  auto const here = std::make_shared<asio::io_context>(1);
  auto const stays = asio::make_work_guard(*here);
  // Shared: whoever answers late posts to it when this thread is gone.
  asked->when_ended([here] { asio::post(*here, [] {}); });
  if (asked->claim()) {
    asio::co_spawn(*here, work_on(asked), [&](std::exception_ptr thrown) {
      failed = code_of(thrown);
      if (thrown) asked->abandon();
    });
  }
  while (!failed && asked->how_far() == progress::waiting) {
    std::size_t const ran = until ? here->run_one_until(*until) : here->run_one();
    if (ran > 0) continue;
    asked->abandon();   // its end destroys what is not answered
    return interruption::deadline;
  }
  return interruption::none;
}

}  // namespace cotls::detail
