#include <cotls/stream.hpp>

namespace cotls::detail {

template <unsigned Configuration>
int const built_with_asio_configuration<Configuration>::tag = 1;

template struct built_with_asio_configuration<asio_configuration>;
template class core<asio::ip::tcp::socket>;
template class core<asio::local::stream_protocol::socket>;

}  // namespace cotls::detail
