#pragma once

#include <cotls/detail/support/access.hpp>

#include "connection.hpp"
#include "engine_pair.hpp"
#include "pki.hpp"
#include "tls.hpp"

#include <boost/asio/deferred.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cotls::test {

inline constexpr auto as_deferred = asio::as_tuple(asio::deferred);

/// Contexts are made once a version: their making would cost more than the runs.
inline client_context const& shared_client_context(protocol version) {
  static client_context const any = localhost_client();
  static client_context const tls1_2 = localhost_client(protocol::tls1_2);
  static client_context const tls1_3 = localhost_client(protocol::tls1_3);
  return version == protocol::tls1_2 ? tls1_2 : version == protocol::tls1_3 ? tls1_3 : any;
}
inline server_context const& shared_server_context(protocol version) {
  static server_context const any = localhost_server();
  static server_context const tls1_2 = localhost_server(protocol::tls1_2);
  static server_context const tls1_3 = localhost_server(protocol::tls1_3);
  return version == protocol::tls1_2 ? tls1_2 : version == protocol::tls1_3 ? tls1_3 : any;
}

/// The same, for connections whose client is asked behind the handshake (RFC 8446 section 4.6.2).
inline authority const& root_of_clients() {
  static authority const made("root");
  return made;
}
inline client_context const& late_client_context() {
  static client_context const made =
      localhost_client(protocol::tls1_3)
          .use(root_of_clients()
                   .issue(certificate_request({"client"}).use(purpose::client))
                   .identity())
          .set_late_authentication();
  return made;
}
inline server_context const& late_server_context() {
  static server_context const made = localhost_server(protocol::tls1_3)
                                         .set_verify(verify::required)
                                         .add_root(root_of_clients().certificate())
                                         .set_late_authentication();
  return made;
}

/// The same, for connections that resume a session of their own, with early data.
inline client_context const& early_client_context() {
  static client_context const made = localhost_client(protocol::tls1_3).set_session_cache(0);
  return made;
}
inline server_context const& early_server_context() {
  static server_context const made = localhost_server(protocol::tls1_3).set_early_data();
  return made;
}
inline client_options early_options(std::string_view text) {
  client_options const options = client_options().host("localhost").port(443);
  engine_pair first(early_client_context(), early_server_context(), options);
  if (!first.connect()) throw std::runtime_error("no session was made");
  return client_options(options).session(*first.client.session()).early_data(asio::buffer(text));
}

/** A connection over a kind of transport. */
template <class Transport>
class connection_over : public connection {
 public:
  explicit connection_over(connection_settings const& how,
                           std::optional<Transport> transport = std::nullopt)
      : how_(how), transport_(std::move(transport)) {}

  done open() override {
    if (!tls_) begin();
    if (how_.composed) {
      auto const [code] = co_await tls_.async_handshake(as_deferred);
      co_return code;
    }
    auto const [code] = co_await tls_.async_handshake(as_result);
    co_return code;
  }

  moved read_early(asio::mutable_buffer into) override {
    if (!tls_) begin();
    if (how_.composed) {
      auto const [code, count] = co_await tls_.async_read_early(into, as_deferred);
      co_return std::pair(code, count);
    }
    auto const [code, count] = co_await tls_.async_read_early(into, as_result);
    co_return std::pair(code, count);
  }
  moved write_early(asio::const_buffer from) override {
    if (how_.composed) {
      auto const [code, count] = co_await tls_.async_write_early(from, as_deferred);
      co_return std::pair(code, count);
    }
    auto const [code, count] = co_await tls_.async_write_early(from, as_result);
    co_return std::pair(code, count);
  }

  moved read(asio::mutable_buffer into) override {
    return reading_ ? read_from(*reading_, into) : read_from(tls_, into);
  }
  moved write(asio::const_buffer from) override {
    return writing_ ? write_to(*writing_, from) : write_to(tls_, from);
  }
  moved peek(asio::mutable_buffer into) override {
    return reading_ ? peek_at(*reading_, into) : peek_at(tls_, into);
  }
  done update_key() override {
    return writing_ ? update_key_of(*writing_) : update_key_of(tls_);
  }

  done request_certificate() override {
    if (how_.composed) {
      auto const [code] = co_await tls_.async_request_certificate(as_deferred);
      co_return code;
    }
    auto const [code] = co_await tls_.async_request_certificate(as_result);
    co_return code;
  }

  bool knows_the_peer() const override { return tls_ && tls_.peer().verified(); }

  done close_write() override {
    return writing_ ? close_write_of(*writing_) : close_write_of(tls_);
  }

  done shutdown() override {
    if (how_.composed) {
      auto const [code] = co_await tls_.async_shutdown(as_deferred);
      co_return code;
    }
    auto const [code] = co_await tls_.async_shutdown(as_result);
    co_return code;
  }

  void split() override {
    auto [reading, writing] = std::move(tls_).split();
    reading_.emplace(std::move(reading));
    writing_.emplace(std::move(writing));
  }
  void drop_writing() override { writing_.reset(); }

  moved hear(asio::mutable_buffer into) override {
    auto const [code, count] = co_await transport_->async_read_some(into, as_result);
    co_return std::pair(code, count);
  }
  moved say(asio::const_buffer from) override {
    auto const [code, count] = co_await transport_->async_write_some(from, as_result);
    co_return std::pair(code, count);
  }

  void give(std::string_view heard) override {
    begin();
    tls_.give_input(asio::buffer(heard));
  }

  std::string release() override {
    wire const last = wire_of(ssl_);
    auto [transport, unread] = tls_.release();
    counted_ = last;
    ssl_ = nullptr;
    transport_.emplace(std::move(transport));
    return {reinterpret_cast<char const*>(unread.data()), unread.size()};
  }

  void close() override {
    counted_ = counted();
    ssl_ = nullptr;
    reading_.reset();
    writing_.reset();
    tls_ = stream<Transport>();
    transport_.reset();
  }

  std::size_t unsent() const override {
    auto const core = core_.lock();
    return core ? core->engine().unsent() : 0;
  }

  wire counted() const override { return ssl_ ? wire_of(ssl_) : counted_; }

  bool idle() const override {
    auto const core = core_.lock();
    return !core || (!core->reading.busy && !core->writing.busy);
  }

  std::function<bool()> watch_core() const override {
    return [core = core_] { return !core.expired(); };
  }

 protected:
  connection_settings const& how() const noexcept { return how_; }

  /// Goes on with a stream that was made elsewhere.
  void adopt(stream<Transport> made) {
    tls_ = std::move(made);
    core_ = detail::access::core(tls_);
    ssl_ = tls_.native_handle();
    tls_.set_handshake_timeout(how_.deadline);
    tls_.set_shutdown_timeout(how_.deadline);
  }

 private:
  void begin() {
    bool const is_early = !how_.early.empty();
    if (how_.serves) {
      adopt(stream<Transport>(std::move(*transport_),
                              is_early    ? early_server_context()
                              : how_.late ? late_server_context()
                                          : shared_server_context(how_.version)));
    } else {
      adopt(stream<Transport>(std::move(*transport_),
                              is_early    ? early_client_context()
                              : how_.late ? late_client_context()
                                          : shared_client_context(how_.version),
                              is_early ? early_options(how_.early)
                                       : client_options().host("localhost")));
    }
    transport_.reset();
    tls_.set_read_ahead(how_.read_ahead);
  }

  template <class From>
  moved read_from(From& from, asio::mutable_buffer into) {
    if (how_.composed) {
      auto const [code, count] = co_await from.async_read_some(into, as_deferred);
      co_return std::pair(code, count);
    }
    auto const [code, count] = co_await from.async_read_some(into, as_result);
    co_return std::pair(code, count);
  }

  template <class From>
  moved peek_at(From& from, asio::mutable_buffer into) {
    if (how_.composed) {
      auto const [code, count] = co_await from.async_peek_some(into, as_deferred);
      co_return std::pair(code, count);
    }
    auto const [code, count] = co_await from.async_peek_some(into, as_result);
    co_return std::pair(code, count);
  }

  template <class To>
  done update_key_of(To& to) {
    if (how_.composed) {
      auto const [code] = co_await to.async_update_key(key_update::requested, as_deferred);
      co_return code;
    }
    auto const [code] = co_await to.async_update_key(key_update::requested, as_result);
    co_return code;
  }

  template <class To>
  moved write_to(To& to, asio::const_buffer from) {
    if (how_.composed) {
      auto const [code, count] = co_await to.async_write(from, as_deferred);
      co_return std::pair(code, count);
    }
    auto const [code, count] = co_await to.async_write(from, as_result);
    co_return std::pair(code, count);
  }

  template <class To>
  done close_write_of(To& to) {
    if (how_.composed) {
      auto const [code] = co_await to.async_close_write(as_deferred);
      co_return code;
    }
    auto const [code] = co_await to.async_close_write(as_result);
    co_return code;
  }

  connection_settings how_;
  std::optional<Transport> transport_;
  stream<Transport> tls_;
  std::optional<read_half<Transport>> reading_;
  std::optional<write_half<Transport>> writing_;
  std::weak_ptr<detail::core<Transport>> core_;
  ssl_st* ssl_ = nullptr;   // of what core_ refers to
  wire counted_;
};

}  // namespace cotls::test
