// Between OpenSSL and a socket:
//
//   channel::receive -> recv, or recvmsg: what it brings beyond what OpenSSL has asked for is
//                       in the thread's read-ahead buffer
//   channel::send    -> thread's coalescing buffer
//   channel::flush   -> one send; the rest waits in its send buffer
//   hold_flight      -> what was coalesced waits to be sent with what comes next
//
// Where the thread's buffers are gone, at the end of the process, all that is sent goes by way of
// the send buffer, and no receive reads ahead.

#include <cotls/detail/channel/native_channel.hpp>

#include "support/thread_owned.hpp"
#include "system/socket.hpp"
#include "system/system_error.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace cotls::detail {

namespace {

// What a thread's connections have given to `send` since their last `flush`. A call of OpenSSL that
// runs inside another's callback flushes its own bytes and leaves those below it alone.
class coalescing_buffer {
 public:
  void append(channel const& from, void const* data, std::size_t size) {
    if (ranges_.empty() || ranges_.back().from != &from) {
      ranges_.push_back({&from, bytes_.size()});
    }
    auto const* first = static_cast<std::byte const*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }

  bool holds(channel const& from) const noexcept {
    return !ranges_.empty() && ranges_.back().from == &from;
  }

  std::byte const* data() const noexcept { return bytes_.data() + ranges_.back().begin; }
  std::size_t size() const noexcept { return bytes_.size() - ranges_.back().begin; }

  void pop() noexcept {
    bytes_.resize(ranges_.back().begin);
    ranges_.pop_back();
  }

 private:
  struct range {
    channel const* from;
    std::size_t begin;
  };
  std::vector<std::byte> bytes_;
  std::vector<range> ranges_;
};

// Null when the thread has none, or it holds nothing of this connection's.
coalescing_buffer* coalesced_from(channel const& from) noexcept {
  coalescing_buffer* const mine = thread_owned<coalescing_buffer>::find();
  return mine && mine->holds(from) ? mine : nullptr;
}

// What a receive has brought beyond what OpenSSL asked for, which is a record at the most. It is
// the thread's, so that no peer can make its connection hold so much: no more is received than the
// caller has room for, so that OpenSSL leaves little, unless something ends the call early.
class read_ahead_buffer {
 public:
  channel const* owner() const noexcept { return owner_; }
  bool empty() const noexcept { return rest_.empty(); }
  std::span<std::byte const> rest() const noexcept { return rest_; }

  void begin(channel const& owner, std::size_t expected) noexcept {
    owner_ = &owner;
    expected_ = expected;
  }

  void end() noexcept {
    owner_ = nullptr;
    rest_ = {};
  }

  // Returns where a receive of `asked` bytes may put more; empty when no more is expected.
  std::span<std::byte> room_beyond(std::size_t asked) noexcept {
    if (expected_ <= asked) return {};
    if (!bytes_) bytes_.reset(new (std::nothrow) std::byte[capacity]);
    return {bytes_.get(), bytes_ ? std::min(expected_ - asked, capacity) : 0};
  }

  void received(std::size_t asked, std::size_t got) noexcept {
    expected_ -= std::min(expected_, got);
    if (got > asked) rest_ = {bytes_.get(), got - asked};
  }

  std::size_t take(void* data, std::size_t size) noexcept {
    std::size_t const taken = std::min(size, rest_.size());
    std::memcpy(data, rest_.data(), taken);
    rest_ = rest_.subspan(taken);
    return taken;
  }

 private:
  static constexpr std::size_t capacity = 64 * 1024;

  std::unique_ptr<std::byte[]> bytes_;
  std::span<std::byte const> rest_;
  std::size_t expected_ = 0;
  channel const* owner_ = nullptr;   // whose call is in progress
};

// Null when the thread has none, or the call in progress is another connection's.
read_ahead_buffer* read_ahead_of(channel const& owner) noexcept {
  read_ahead_buffer* const mine = thread_owned<read_ahead_buffer>::find();
  return mine && mine->owner() == &owner ? mine : nullptr;
}

// One receive into both: the second is filled when the first is full.
ssize_t receive_both(int socket, std::span<std::byte> first, std::span<std::byte> second) {
  std::array<iovec, 2> parts{{{first.data(), first.size()}, {second.data(), second.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::recvmsg(socket, &message, MSG_DONTWAIT);
}

}  // namespace

void native_channel::expect(std::size_t bytes) noexcept {
  read_ahead_buffer* const read_ahead = thread_owned<read_ahead_buffer>::find();
  if (!read_ahead || read_ahead->owner()) return;   // of a call that this one runs inside of
  read_ahead->begin(*this, bytes - std::min(bytes, given()));
}

void native_channel::expect_no_more() noexcept {
  read_ahead_buffer* const read_ahead = read_ahead_of(*this);
  if (!read_ahead) return;
  if (!read_ahead->empty()) {
    try {
      give(read_ahead->rest().data(), read_ahead->rest().size());
      set_dry(!more_waits_);
    } catch (std::bad_alloc const&) {
      // Fails closed: what comes behind a gap must not be read.
      set_receive_error(make_error_code(boost::system::errc::not_enough_memory));
    }
  }
  read_ahead->end();
}

std::size_t native_channel::do_receive(void* data, std::size_t size) {
  read_ahead_buffer* const read_ahead = read_ahead_of(*this);
  if (read_ahead && !read_ahead->empty()) {
    std::size_t const taken = read_ahead->take(data, size);
    if (read_ahead->empty()) set_dry(!more_waits_);
    return taken;
  }
  // A receive of both costs more than one of what is asked for: more must be known to wait, as the
  // rest of a record does behind its header.
  std::span<std::byte> beyond;
  if (read_ahead && (more_waits_ || size <= record_header)) beyond = read_ahead->room_beyond(size);
  for (;;) {
    int const socket = over_.descriptor(over_.socket);
    ssize_t const got =
        beyond.empty() ? ::recv(socket, data, size, MSG_DONTWAIT)
                       : receive_both(socket, {static_cast<std::byte*>(data), size}, beyond);
    if (got > 0) return note_received(static_cast<std::size_t>(got), size, beyond.size());
    more_waits_ = false;
    if (got == 0) {
      // The system reports a reset once: after a send that has met it, reading only finds an end.
      if (send_error() == boost::system::errc::connection_reset) {
        set_receive_error(send_error());
      } else {
        set_ended();
      }
    } else if (errno == EINTR) {
      continue;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      set_dry(true);
    } else {
      set_receive_error(last_system_error());
    }
    return 0;
  }
}

std::size_t native_channel::note_received(std::size_t got, std::size_t asked,
                                          std::size_t beyond) noexcept {
  more_waits_ = got == asked + beyond;
  if (read_ahead_buffer* const read_ahead = read_ahead_of(*this)) read_ahead->received(asked, got);
  // A short read emptied the socket: the next one would only be told EAGAIN.
  if (got <= asked) set_dry(!more_waits_);
  return std::min(got, asked);
}

void native_channel::do_send(void const* data, std::size_t size) {
  if (flight_) {
    auto const first = take_flight();   // leaves with the same `send`
    if (send_error()) return;
    coalesce(first.data(), first.size());
  }
  coalesce(data, size);
}

void native_channel::coalesce(void const* data, std::size_t size) {
  coalescing_buffer* const coalesced = thread_owned<coalescing_buffer>::find();
  if (coalesced && send_buffer_.empty()) {
    coalesced->append(*this, data, size);
  } else {
    send_buffer_.append(data, size);
  }
}

// Of a use, all is in the one place or the other.
std::vector<std::byte> native_channel::do_retract(std::size_t size) {
  coalescing_buffer* const coalesced = coalesced_from(*this);
  if (!coalesced) return send_buffer_.take_last(size);
  std::vector<std::byte> sent(coalesced->data(), coalesced->data() + coalesced->size());
  coalesced->pop();
  return sent;
}

std::string native_channel::peer_address() const {
  return address_of_peer(over_.descriptor(over_.socket));
}

void native_channel::flush() noexcept {
  if (!send_buffer_.empty()) {
    std::size_t const sent = send_now(send_buffer_.data(), send_buffer_.size());
    if (send_error()) {
      send_buffer_.clear();
    } else {
      send_buffer_.consume(sent);
    }
  }
  coalescing_buffer* const coalesced = coalesced_from(*this);
  if (!coalesced) return;
  std::size_t const sent = send_buffer_.empty() ? send_now(coalesced->data(), coalesced->size()) : 0;
  if (sent < coalesced->size()) keep(coalesced->data() + sent, coalesced->size() - sent);
  coalesced->pop();
}

// Keeps what must wait; without memory for it nothing more can leave, and whoever writes is told.
void native_channel::keep(void const* data, std::size_t size) noexcept {
  if (send_error()) return;
  try {
    send_buffer_.append(data, size);
  } catch (std::bad_alloc const&) {
    send_buffer_.clear();
    note_send_error(make_error_code(boost::system::errc::not_enough_memory));
  }
}

std::size_t native_channel::send_now(void const* data, std::size_t size) noexcept {
  error_code failed;
  std::size_t const sent = over_.send(data, size, failed);
  if (failed) note_send_error(failed);
  return sent;
}

void native_channel::hold_flight(bool awaited) noexcept {
  coalescing_buffer* const coalesced = coalesced_from(*this);
  if (!coalesced || (awaited && !over_.leave_soon)) return;
  try {
    auto held = std::make_shared<held_flight>(over_, coalesced->data(), coalesced->size());
    if (awaited) over_.leave_soon(over_.socket, held);
    flight_ = std::move(held);
  } catch (std::bad_alloc const&) {
    return;   // it leaves as ever
  }
  flight_is_awaited_ = awaited;
  coalesced->pop();
}

std::vector<std::byte> native_channel::take_flight() noexcept {
  held_flight::rest rest = std::exchange(flight_, nullptr)->take();
  if (rest.failed) note_send_error(rest.failed);
  return std::move(rest.bytes);
}

void native_channel::send_flight() noexcept {
  if (!flight_) return;
  flight_->leave();
  auto const left = take_flight();
  if (!left.empty()) keep(left.data(), left.size());
}

native_channel::~native_channel() {
  if (flight_is_awaited_) send_flight();
}

}  // namespace cotls::detail
