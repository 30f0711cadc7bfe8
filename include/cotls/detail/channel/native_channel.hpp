#pragma once

#include <cotls/detail/channel/channel.hpp>
#include <cotls/detail/channel/held_flight.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace cotls::detail {

/** Ciphertext from and to a connected stream socket, by `recv` and `send` that never block.

    Ciphertext of one OpenSSL call is coalesced in a buffer that all of a thread's connections share,
    and leaves with one `send`; only what the socket does not take is kept, in the connection's send
    buffer. So an idle connection holds no buffer, and OpenSSL never sees a blocked write. While a
    peer sends faster than OpenSSL asks, one `recvmsg` fills a read-ahead buffer of the thread's
    beside OpenSSL's.
*/
class native_channel final : public channel {
 public:
  explicit native_channel(socket_reference over) noexcept : over_(over) {}
  native_channel(native_channel const&) = delete;
  native_channel& operator=(native_channel const&) = delete;

  /** Sends a flight that is held if somebody waits for it, and nothing else: after a fork, another
      process may go on with the connection (A23). */
  ~native_channel() override;

  void flush() noexcept override;
  std::size_t unsent() const noexcept override { return send_buffer_.size(); }
  void hold_flight(bool awaited) noexcept override;
  void send_flight() noexcept override;
  void hold_no_awaited_flight() noexcept override { over_.leave_soon = nullptr; }
  std::string peer_address() const override;
  void expect(std::size_t bytes) noexcept override;
  void expect_no_more() noexcept override;

  /** Returns the flight that is held, or null. */
  std::shared_ptr<held_flight> const& flight() const noexcept { return flight_; }

 private:
  std::size_t do_receive(void* data, std::size_t size) override;
  void do_send(void const* data, std::size_t size) override;
  std::vector<std::byte> do_retract(std::size_t size) override;
  void coalesce(void const* data, std::size_t size);
  std::size_t note_received(std::size_t got, std::size_t asked, std::size_t beyond) noexcept;
  std::size_t send_now(void const* data, std::size_t size) noexcept;
  void keep(void const* data, std::size_t size) noexcept;
  std::vector<std::byte> take_flight() noexcept;

  socket_reference over_;
  byte_queue send_buffer_;
  std::shared_ptr<held_flight> flight_;
  bool flight_is_awaited_ = false;
  bool more_waits_ = false;   // the last receive was full
};

}  // namespace cotls::detail
