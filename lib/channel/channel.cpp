// Between OpenSSL and the transport:
//
//   SSL_read_ex  -> BIO -> channel::receive -> given bytes, then the transport's
//   SSL_write_ex -> BIO -> channel::send    -> the transport, or what waits for it
//   end of the call  ->   channel::flush

#include <cotls/detail/channel/channel.hpp>

#include <openssl/bio.h>
#include <openssl/ssl3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <utility>

namespace cotls::detail {

namespace {

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* received) {
  auto& over = *static_cast<channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *received = over.receive(data, size).bytes;
  if (*received > 0) return 1;
  BIO_set_retry_read(bio);
  return 0;
}

int bio_write(BIO* bio, char const* data, std::size_t size, std::size_t* sent) {
  auto& over = *static_cast<channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  over.send(data, size);
  *sent = size;
  return 1;
}

long bio_ctrl(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const made = BIO_meth_new(channel_bio_type(), "cotls channel");
  if (!made) throw std::bad_alloc();
  BIO_meth_set_read_ex(made, bio_read);
  BIO_meth_set_write_ex(made, bio_write);
  BIO_meth_set_ctrl(made, bio_ctrl);
  return made;
}

// Never freed: connections in static objects may outlive whatever was made later.
BIO_METHOD const* method() {
  static BIO_METHOD const* const made = make_method();
  return made;
}

// A first record is one of a handshake, or an alert (RFC 8446 section 5.1); a server also takes the
// client hello of SSL 2.0, whose length has the top bit set and whose type is 1 (RFC 5246 appendix
// E.2).
bool begins_like_tls(std::byte const* first, std::size_t size) noexcept {
  auto const type = std::to_integer<int>(first[0]);
  if (type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT) return true;
  return type >= 0x80 && (size < 3 || std::to_integer<int>(first[2]) == 1);
}

std::uint16_t body_length(std::byte const* header) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(header[3]) << 8 |
                                    std::to_integer<unsigned>(header[4]));
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

std::vector<std::byte> byte_queue::take_last(std::size_t taken) {
  auto const first = bytes_.end() - static_cast<std::ptrdiff_t>(std::min(taken, size()));
  std::vector<std::byte> last(first, bytes_.end());
  bytes_.erase(first, bytes_.end());
  if (empty()) clear();
  return last;
}

void byte_queue::clear() noexcept {
  std::vector<std::byte>().swap(bytes_);
  offset_ = 0;
}

std::size_t record_counter::pass(std::byte const* data, std::size_t size, unsigned limit,
                                 unsigned& begun) noexcept {
  std::size_t passed = 0;
  begun = 0;
  while (passed < size) {
    if (header_ == record_header) {
      std::size_t const body = std::min<std::size_t>(left_, size - passed);
      passed += body;
      left_ = static_cast<std::uint16_t>(left_ - body);
      if (left_ == 0) header_ = 0;
      continue;
    }
    if (header_ == 0) {
      if (begun == limit) return passed;
      ++begun;
      type_ = std::to_integer<std::uint8_t>(data[passed]);
      if (size - passed >= record_header) {   // as nearly always
        left_ = body_length(data + passed);
        passed += record_header;
        header_ = left_ > 0 ? std::uint8_t{record_header} : std::uint8_t{0};
        continue;
      }
    }
    auto const next = std::to_integer<std::uint16_t>(data[passed++]);
    if (++header_ == record_header - 1) left_ = static_cast<std::uint16_t>(next << 8);
    if (header_ == record_header) left_ = static_cast<std::uint16_t>(left_ | next);
    if (header_ == record_header && left_ == 0) header_ = 0;
  }
  return passed;
}

reception channel::receive(void* data, std::size_t size) noexcept {
  if (use_ && use_->exhausted()) return {0, use_->why_ = shortage::paused};
  unsigned const limit = use_ ? max_records - use_->records_ : std::numeric_limits<unsigned>::max();
  unsigned begun = 0;
  std::size_t got = 0;
  try {
    got = given_.empty() ? take_received(data, size, limit, begun)
                         : take_given(data, size, limit, begun);
    if (got > 0 && (!heard_ || non_tls_)) listen_to(data, got);
  } catch (std::bad_alloc const&) {
    out_of_memory();
    got = 0;
  }
  if (use_) {
    use_->received_ += got;
    use_->records_ += begun;
    if (got == 0) use_->why_ = lack();
  }
  return {got, lack()};
}

std::size_t channel::take_given(void* data, std::size_t size, unsigned records,
                                unsigned& begun) noexcept {
  std::size_t const taken =
      records_.pass(given_.data(), std::min(size, given_.size()), records, begun);
  std::memcpy(data, given_.data(), taken);
  given_.consume(taken);
  return taken;
}

// What belongs to more records than may be taken at one go is kept for the next use.
std::size_t channel::take_received(void* data, std::size_t size, unsigned records,
                                   unsigned& begun) {
  if (source_ != source::open) return 0;
  auto const* first = static_cast<std::byte const*>(data);
  std::size_t const got = do_receive(data, size);
  std::size_t const taken = records_.pass(first, got, records, begun);
  if (taken < got) give(first + taken, got - taken);
  return taken;
}

shortage channel::lack() const noexcept {
  switch (source_) {
    case source::open:
    case source::dry: return shortage::dry;
    case source::ended: return shortage::ended;
    case source::failed: return shortage::failed;
  }
  return shortage::dry;
}

void channel::set_dry(bool value) noexcept {
  if (source_ == source::open || source_ == source::dry) {
    source_ = value ? source::dry : source::open;
  }
}

void channel::set_ended() noexcept {
  if (source_ != source::failed) source_ = source::ended;
}

void channel::set_receive_error(error_code code) noexcept {
  receive_error_ = code;
  source_ = source::failed;
}

void channel::send(void const* data, std::size_t size) noexcept {
  if (muted_) return;
  if (use_) use_->sent_ += size;
  try {
    if (!send_error_) do_send(data, size);
  } catch (std::bad_alloc const&) {
    note_send_error(make_error_code(boost::system::errc::not_enough_memory));
  }
  if (!use_) flush();
}

std::vector<std::byte> channel::retract() {
  std::size_t const size = use_ ? std::exchange(use_->sent_, 0) : 0;
  return size > 0 ? do_retract(size) : std::vector<std::byte>();
}

bool channel::look_ahead() noexcept {
  if (source_ != source::open) return false;
  std::array<std::byte, 2048> found;   // a client hello, ticket and post-quantum key included
  try {
    std::size_t const size = do_receive(found.data(), found.size());
    give(found.data(), size);
    return size > 0;
  } catch (std::bad_alloc const&) {
    out_of_memory();
    return false;
  }
}

// Fails closed: what comes behind a gap must not be read.
void channel::out_of_memory() noexcept {
  set_receive_error(make_error_code(boost::system::errc::not_enough_memory));
}

std::vector<std::byte> channel::take_back_given() {
  std::vector<std::byte> rest;
  if (non_tls_) rest.assign(non_tls_->data(), non_tls_->data() + non_tls_->size());
  rest.insert(rest.end(), given_.data(), given_.data() + given_.size());
  non_tls_.reset();
  given_.clear();
  return rest;
}

void channel::listen_to(void const* data, std::size_t size) {
  if (!heard_ && !begins_like_tls(static_cast<std::byte const*>(data), size)) {
    non_tls_ = std::make_unique<byte_queue>();
  }
  heard_ = true;
  if (non_tls_) non_tls_->append(data, size);
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
