#include "listen/patient_acceptor.hpp"

#include <boost/asio/error.hpp>

namespace cotls::detail {

setback setback_of(error_code code) noexcept {
  bool const exhausted = code == asio::error::no_descriptors || code == asio::error::no_memory ||
                         code == asio::error::no_buffer_space ||
                         code == boost::system::errc::too_many_files_open_in_system;
  if (exhausted) return setback::exhausted;
  bool const gone = code == asio::error::operation_aborted ||
                    code == asio::error::bad_descriptor || code == asio::error::invalid_argument;
  return gone ? setback::final : setback::passing;
}

}  // namespace cotls::detail
