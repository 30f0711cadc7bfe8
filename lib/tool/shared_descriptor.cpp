#include "shared_descriptor.hpp"

#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cotls::tool {

namespace {

int checked(int result) {
  if (result >= 0) return result;
  throw boost::system::system_error(errno, boost::system::system_category(),
                                    "opening standard input and output");
}

}  // namespace

shared_descriptor::shared_descriptor(boost::asio::any_io_executor executor, int descriptor)
    : descriptor_(descriptor),
      mode_(checked(::fcntl(descriptor, F_GETFL))),
      stream_(std::move(executor), checked(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3))) {}

shared_descriptor::~shared_descriptor() { ::fcntl(descriptor_, F_SETFL, mode_); }

}  // namespace cotls::tool
