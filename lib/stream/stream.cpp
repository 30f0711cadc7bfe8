#include <cotls/stream.hpp>

namespace cotls::detail {

template class core<asio::ip::tcp::socket>;
template class core<asio::local::stream_protocol::socket>;

}  // namespace cotls::detail
