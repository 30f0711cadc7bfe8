#pragma once

/* `beast::get_lowest_layer` for the streams of this library, without Beast's headers: programs get
   it from that of Beast's TLS stream, which is the one that they replace. */

namespace cotls {

template <class Next>
class stream;
template <class Next>
class ssl_stream;

namespace detail {

template <class Layer>
auto& lowest_layer_below(Layer& layer) {
  if constexpr (requires { layer.next_layer(); }) {
    return lowest_layer_below(layer.next_layer());
  } else {
    return layer;
  }
}

}  // namespace detail
}  // namespace cotls

namespace boost::beast {

/** Returns the transport of a stack of streams that has none beneath it.
    @par Errors `cotls::errc::not_connected` of an empty stream */
template <class Next>
auto& get_lowest_layer(cotls::stream<Next>& tls) {
  return cotls::detail::lowest_layer_below(tls.next_layer());
}
template <class Next>
auto& get_lowest_layer(cotls::ssl_stream<Next>& tls) {
  return cotls::detail::lowest_layer_below(tls.next_layer());
}
template <class Next>
auto& get_lowest_layer(cotls::ssl_stream<Next> const& tls) {
  return cotls::detail::lowest_layer_below(tls.next_layer());
}

}  // namespace boost::beast
