// A reader and a writer on two threads, who both may need input:
//
//   reader: takes input -> wakes the writer -> waits for the socket
//   writer: waits to be woken, and for the socket too while nobody reads

#include <cotls/detail/driver/blocking_core.hpp>
#include <cotls/detail/operation/asking.hpp>
#include <cotls/detail/operation/wait_for.hpp>

#include <boost/asio/error.hpp>

#include <poll.h>
#include <sys/socket.h>

namespace cotls::detail {

interruption blocking_core::wait(action what, bool reads, give_up_at until, error_code& failed) {
  bool const for_input = what == action::wait_input || what == action::wait_either;
  if (for_input && !reads) return wait_beside_reader(what, until, failed);
  if (reads) wake_writer();
  auto const asked = what == action::ask ? engine_.asked() : nullptr;
  mutex.unlock();
  interruption const by = what == action::ask ? answer_here(asked, until, failed)
                                              : wait_for(descriptor(), what, until, failed);
  mutex.lock();
  return by;
}

interruption blocking_core::wait_beside_reader(action what, give_up_at until, error_code& failed) {
  if (!writer_.prepare(failed)) return interruption::none;
  int events = 0;
  if (what == action::wait_either) events |= POLLOUT;
  if (!reading.busy) events |= POLLIN;
  int const socket = events == 0 ? -1 : descriptor();   // poll looks past it
  pollfd waited[]{{writer_.descriptor(), POLLIN, 0}, {socket, static_cast<short>(events), 0}};

  writer_waits_ = true;
  mutex.unlock();
  bool const ready = poll_until(waited, until, failed) > 0;
  mutex.lock();
  writer_waits_ = false;
  writer_.rest();
  if (failed) return interruption::none;
  if (!ready) return interruption::deadline;
  if (reading.busy || waited[1].revents == 0) {   // not ours to take, or nothing came
    writing.woken = true;
    failed = boost::asio::error::operation_aborted;
  }
  return interruption::none;
}

void blocking_core::close() noexcept {
  std::scoped_lock const lock(mutex);
  reading.closed = writing.closed = true;
  if (auto const asked = engine_.asked()) asked->abandon();
  ::shutdown(descriptor(), SHUT_RDWR);
  wake_writer();
}

}  // namespace cotls::detail
