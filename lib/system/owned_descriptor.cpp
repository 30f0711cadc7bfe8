#include <cotls/detail/system/owned_descriptor.hpp>

#include <unistd.h>

namespace cotls::detail {

owned_descriptor::~owned_descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace cotls::detail
