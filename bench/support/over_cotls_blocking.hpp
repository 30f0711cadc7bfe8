#pragma once

#include <cotls/blocking.hpp>

#include "over_cotls.hpp"
#include "raw_loop.hpp"
#include "settings.hpp"
#include "task.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace bench {

/** cotls with calls that wait: for processes with one connection at a time. */
class over_cotls_blocking {
 public:
  static constexpr char const* name = "cotls-blocking";
  template <class T = void>
  using task = bench::task<T>;
  using loop = raw_loop;
  using stream = cotls::blocking::stream;

  class server {
   public:
    server(loop&, settings const& given)
        : listener_({asio::ip::address_v4::loopback(), 0}, make_cotls_server(given)) {}

    std::uint16_t port() const { return listener_.port(); }
    ready<stream> accept() { return ready(listener_.accept()); }

   private:
    cotls::blocking::listener listener_;
  };

  class client {
   public:
    client(loop&, settings const& given) : context_(make_cotls_client(given)) {}

    ready<stream> connect(std::uint16_t port, resumption how = resumption::off) const {
      return ready(cotls::blocking::connect("127.0.0.1", port, context_, cotls_options(how)));
    }

   private:
    cotls::client_context context_;
  };

  static ready<std::size_t> read_some(stream& from, asio::mutable_buffer into) {
    return ready(from.read_some(into));
  }
  static ready<std::size_t> write(stream& to, asio::const_buffer from) {
    return ready(to.write(from));
  }
  static ready<std::size_t> write(stream& to, std::span<asio::const_buffer const> from) {
    return ready(to.write(from));
  }

  static SSL* native_handle(stream const& of) noexcept { return of.native_handle(); }
};

}  // namespace bench
