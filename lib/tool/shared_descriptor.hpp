#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace cotls::tool {

/** Standard input or output, made to wait without blocking.

    Whether a descriptor blocks belongs to what it is open to, which we share: with the shell, with
    the programs beside us. So its mode is put back at the end. Files and devices that cannot be
    waited for, and never keep anyone waiting, work as well.
*/
class shared_descriptor {
 public:
  /** @par Errors The system's, for a descriptor that is not open. */
  shared_descriptor(boost::asio::any_io_executor executor, int descriptor);
  ~shared_descriptor();
  shared_descriptor(shared_descriptor const&) = delete;
  shared_descriptor& operator=(shared_descriptor const&) = delete;

  boost::asio::posix::stream_descriptor& stream() noexcept { return stream_; }

 private:
  int const descriptor_;
  int const mode_;
  boost::asio::posix::stream_descriptor stream_;
};

}  // namespace cotls::tool
