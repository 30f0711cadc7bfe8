// Between OpenSSL and the transport:
//
//   SSL_read_ex  -> BIO -> channel::receive -> recv            (native)  or given/lent bytes
//                                           -> thread's surplus of a recvmsg
//   SSL_write_ex -> BIO -> channel::send    -> thread's gathering buffer  or output bytes
//   end of the call  ->   channel::flush    -> one send; the rest is the connection's tail

#include <cotls/detail/channel.hpp>

#include <openssl/bio.h>
#include <openssl/ssl3.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace cotls::detail {

namespace {

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* received) {
  auto& over = *static_cast<channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *received = over.receive(data, size);
  if (*received > 0) return 1;
  BIO_set_retry_read(bio);
  return 0;
}

int bio_write(BIO* bio, char const* data, std::size_t size, std::size_t* sent) {
  auto& over = *static_cast<channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *sent = 0;
  try {
    over.send(data, size);
  } catch (std::bad_alloc const&) {
    return 0;   // no exception may cross OpenSSL: without the retry flag it ends the connection
  }
  *sent = size;
  return 1;
}

long bio_ctrl(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

struct method_deleter {
  void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};

BIO_METHOD const* method() {
  static std::unique_ptr<BIO_METHOD, method_deleter> const made = [] {
    std::unique_ptr<BIO_METHOD, method_deleter> fresh(
        BIO_meth_new(channel_bio_type(), "cotls channel"));
    if (!fresh) throw std::bad_alloc();
    BIO_meth_set_read_ex(fresh.get(), bio_read);
    BIO_meth_set_write_ex(fresh.get(), bio_write);
    BIO_meth_set_ctrl(fresh.get(), bio_ctrl);
    return fresh;
  }();
  return made.get();
}

// What a thread's connections have given to `send` since their last `flush`. A call of OpenSSL that
// runs inside another's callback flushes its own bytes and leaves those below it alone.
class gathering_buffer {
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

thread_local gathering_buffer gathered;

// What a receive has brought beyond what OpenSSL asked for, which is a record at the most. It is
// the thread's, so that no peer can make its connection hold so much: what OpenSSL has not taken
// when the call ends is little, for no more is received than the caller has room for.
class surplus_buffer {
 public:
  bool in_use() const noexcept { return in_use_; }
  bool empty() const noexcept { return rest_.empty(); }
  std::span<std::byte const> rest() const noexcept { return rest_; }

  void begin(std::size_t expected) noexcept {
    in_use_ = true;
    expected_ = expected;
  }

  void end() noexcept {
    in_use_ = false;
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
  bool in_use_ = false;
};

thread_local surplus_buffer surplus;

// A first record is one of a handshake, or an alert (RFC 8446 section 5.1); a server also takes the
// client hello of SSL 2.0, whose length has the top bit set and whose type is 1 (RFC 5246 appendix
// E.2).
bool begins_like_tls(std::byte const* first, std::size_t size) noexcept {
  auto const type = std::to_integer<int>(first[0]);
  if (type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT) return true;
  return type >= 0x80 && (size < 3 || std::to_integer<int>(first[2]) == 1);
}

// One receive into both: the second is filled when the first is full.
ssize_t receive_both(int socket, std::span<std::byte> first, std::span<std::byte> second) {
  std::array<iovec, 2> parts{{{first.data(), first.size()}, {second.data(), second.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::recvmsg(socket, &message, MSG_DONTWAIT);
}

error_code last_system_error() noexcept {
  return error_code(errno, boost::system::system_category());
}

}  // namespace

bio_st* channel::make_bio() {
  BIO* bio = BIO_new(method());
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

int channel_bio_type() {
  static int const type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;
  return type;
}

channel* channel_of(bio_st* bio) noexcept {
  bool const ours = bio && BIO_method_type(bio) == channel_bio_type();
  return ours ? static_cast<channel*>(BIO_get_data(bio)) : nullptr;
}

void byte_queue::append(void const* data, std::size_t size) {
  auto const* first = static_cast<std::byte const*>(data);
  if (offset_ > 0 && offset_ >= bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset_));
    offset_ = 0;
  }
  bytes_.insert(bytes_.end(), first, first + size);
}

void byte_queue::consume(std::size_t size) noexcept {
  offset_ += size;
  if (empty()) clear();
}

void byte_queue::clear() noexcept {
  std::vector<std::byte>().swap(bytes_);
  offset_ = 0;
}

std::size_t channel::take_given(void* data, std::size_t size) noexcept {
  std::size_t const taken = std::min(size, given_.size());
  if (taken > 0) std::memcpy(data, given_.data(), taken);
  given_.consume(taken);
  return taken;
}

bool channel::has_input() {
  if (given_.empty() && !dry_ && !ended_ && !receive_error_) {
    std::array<std::byte, 2048> first;   // a client hello, ticket and post-quantum key included
    give(first.data(), do_receive(first.data(), first.size()));
  }
  return !given_.empty();
}

std::vector<std::byte> channel::take_back_given() {
  std::vector<std::byte> rest;
  if (foreign_) rest.assign(foreign_->data(), foreign_->data() + foreign_->size());
  rest.insert(rest.end(), given_.data(), given_.data() + given_.size());
  foreign_.reset();
  given_.clear();
  return rest;
}

void channel::listen_to(void const* data, std::size_t size) {
  if (!heard_ && !begins_like_tls(static_cast<std::byte const*>(data), size)) {
    foreign_ = std::make_unique<byte_queue>();
  }
  heard_ = true;
  if (foreign_) foreign_->append(data, size);
}

void native_channel::expect(std::size_t bytes) noexcept {
  if (bytes > 0) {
    if (surplus.in_use()) return;   // by a call that this one runs inside of
    surplus.begin(bytes - std::min(bytes, given()));
    expecting_ = true;
  } else if (expecting_) {
    expecting_ = false;
    if (surplus.empty()) return surplus.end();
    try {
      give(surplus.rest().data(), surplus.rest().size());
    } catch (std::bad_alloc const&) {
      // Fails closed: what comes behind a gap must not be read.
      set_receive_error(make_error_code(boost::system::errc::not_enough_memory));
    }
    surplus.end();
  }
}

std::size_t native_channel::do_receive(void* data, std::size_t size) {
  if (expecting_ && !surplus.empty()) {
    std::size_t const taken = surplus.take(data, size);
    if (surplus.empty()) set_dry(!more_waits_);
    return taken;
  }
  // A receive of both costs more than one of what is asked for: more must be known to wait.
  std::span<std::byte> beyond;
  if (expecting_ && more_waits_) beyond = surplus.room_beyond(size);
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
  if (expecting_) surplus.received(asked, got);
  // A short read emptied the socket: the next one would only be told EAGAIN.
  if (got <= asked) set_dry(!more_waits_);
  return std::min(got, asked);
}

void native_channel::do_send(void const* data, std::size_t size) {
  if (flight_) {
    auto const first = take_flight();   // leaves with the same `send`
    if (send_error()) return;
    gathered.append(*this, first.data(), first.size());
  }
  if (tail_.empty()) {
    gathered.append(*this, data, size);
  } else {
    tail_.append(data, size);
  }
}

void native_channel::flush() {
  if (!tail_.empty()) {
    std::size_t const sent = send_now(tail_.data(), tail_.size());
    if (send_error()) {
      tail_.clear();
    } else {
      tail_.consume(sent);
    }
  }
  if (!gathered.holds(*this)) return;
  std::size_t const sent = tail_.empty() ? send_now(gathered.data(), gathered.size()) : 0;
  if (sent < gathered.size() && !send_error()) {
    tail_.append(gathered.data() + sent, gathered.size() - sent);
  }
  gathered.pop();
}

std::size_t native_channel::send_now(void const* data, std::size_t size) {
  error_code failed;
  std::size_t const sent = over_.send(data, size, failed);
  if (failed) note_send_error(failed);
  return sent;
}

void native_channel::hold_flight() {
  if (!gathered.holds(*this)) return;
  try {
    flight_ = std::make_shared<held_flight>(over_, gathered.data(), gathered.size());
  } catch (std::bad_alloc const&) {
    return;   // it leaves as ever
  }
  gathered.pop();
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
  if (left.empty() || send_error()) return;
  try {
    tail_.append(left.data(), left.size());
  } catch (std::bad_alloc const&) {
    note_send_error(make_error_code(boost::system::errc::not_enough_memory));
  }
}

native_channel::~native_channel() { send_flight(); }

std::size_t socket_reference::send(void const* data, std::size_t size,
                                   error_code& failed) const noexcept {
  for (;;) {
    ssize_t const sent = ::send(descriptor(socket), data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) failed = last_system_error();
    return 0;
  }
}

held_flight::held_flight(socket_reference over, void const* data, std::size_t size) : over_(over) {
  auto const* first = static_cast<std::byte const*>(data);
  rest_.bytes.assign(first, first + size);
}

void held_flight::leave() noexcept {
  std::scoped_lock const lock(mutex_);
  if (rest_.bytes.empty() || rest_.failed) return;
  std::size_t const sent = over_.send(rest_.bytes.data(), rest_.bytes.size(), rest_.failed);
  rest_.bytes.erase(rest_.bytes.begin(), rest_.bytes.begin() + static_cast<std::ptrdiff_t>(sent));
}

held_flight::rest held_flight::take() noexcept {
  std::scoped_lock const lock(mutex_);
  return std::exchange(rest_, {});
}

std::size_t memory_channel::do_receive(void* data, std::size_t size) {
  std::size_t const taken = std::min(size, lent_size_);
  if (taken > 0) std::memcpy(data, lent_, taken);
  lent_ += taken;
  lent_size_ -= taken;
  set_dry(lent_size_ == 0);
  return taken;
}

void memory_channel::do_send(void const* data, std::size_t size) {
  output_.append(data, size);
}

boost::asio::const_buffer memory_channel::sending() {
  if (sending_.empty()) std::swap(sending_, output_);
  return {sending_.data(), sending_.size()};
}

void memory_channel::set_send_error(error_code code) noexcept {
  note_send_error(code);
  sending_.clear();
  output_.clear();
}

void memory_channel::lend_input(void const* data, std::size_t size) noexcept {
  lent_ = static_cast<std::byte const*>(data);
  lent_size_ = size;
  set_dry(size == 0);
}

void memory_channel::keep_input() {
  if (lent_size_ > 0) give(lent_, lent_size_);
  lend_input(nullptr, 0);
}

}  // namespace cotls::detail
