//   SSL_read_ex  -> our BIO -> channel::receive -> given bytes, or BIO_read   of the user's BIO
//   SSL_write_ex -> our BIO --------------------------------------> BIO_write of the user's BIO

#include <cotls/detail/channel/bio_channel.hpp>

#include "openssl/openssl_ptr.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

namespace cotls::detail {

namespace {

int filter_read(BIO* bio, char* data, int size) {
  auto& over = static_cast<bio_channel&>(*static_cast<channel*>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  auto const [bytes, why] = over.receive(data, static_cast<std::size_t>(size));
  if (bytes > 0) return static_cast<int>(bytes);
  over.explain(bio, why);
  return -1;
}

int filter_write(BIO* bio, char const* data, int size) {
  BIO_clear_retry_flags(bio);
  errno = 0;   // what it holds after a failure is then the BIO's
  int const taken = BIO_write(BIO_next(bio), data, size);
  if (taken > 0) return taken;
  BIO_copy_next_retry(bio);
  return -1;
}

long filter_ctrl(BIO* bio, int command, long number, void* pointer) {
  if (command == BIO_CTRL_PUSH || command == BIO_CTRL_POP || !BIO_next(bio)) return 0;
  long const result = BIO_ctrl(BIO_next(bio), command, number, pointer);
  if (command == BIO_CTRL_FLUSH) {
    BIO_clear_retry_flags(bio);
    BIO_copy_next_retry(bio);
  }
  return result;
}

BIO_METHOD* make_filter_method() {
  BIO_METHOD* const made = BIO_meth_new(channel_bio_type(), "cotls adopted");
  if (!made) throw std::bad_alloc();
  BIO_meth_set_read(made, filter_read);
  BIO_meth_set_write(made, filter_write);
  BIO_meth_set_ctrl(made, filter_ctrl);
  return made;
}

// Never freed: connections in static objects may outlive whatever was made later.
BIO_METHOD const* filter_method() {
  static BIO_METHOD const* const made = make_filter_method();
  return made;
}

}  // namespace

void bio_deleter::operator()(bio_st* bio) const noexcept { BIO_free_all(bio); }

bio_channel::bio_channel(owned_bio transport)
    : transport_(std::move(transport)), beneath_(transport_.get()) {
  if (!beneath_) throw error(boost::asio::error::invalid_argument);
}

bio_st* bio_channel::make_bio() {
  bio_ptr ours(BIO_new(filter_method()));
  if (!ours) throw std::bad_alloc();
  BIO_set_data(ours.get(), static_cast<channel*>(this));
  BIO_set_init(ours.get(), 1);
  return BIO_push(ours.release(), transport_.release());
}

std::size_t bio_channel::do_receive(void* data, std::size_t size) {
  errno = 0;   // what it holds after a failure is then the BIO's
  int const got = BIO_read(beneath_, data, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  if (got > 0) return static_cast<std::size_t>(got);
  if (BIO_should_retry(beneath_)) return 0;
  if (got == 0 || BIO_eof(beneath_) == 1) {
    set_ended();
  } else {
    failed_ = true;
  }
  return 0;
}

void bio_channel::explain(bio_st* ours, shortage why) const noexcept {
  if (failed_) return;   // no retry: OpenSSL takes it for what it is
  if (why == shortage::dry) return BIO_copy_next_retry(ours);
  BIO_set_retry_read(ours);
}

}  // namespace cotls::detail
