#pragma once

#include <cotls/detail/channel/channel.hpp>
#include <cotls/detail/channel/held_flight.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace cotls::detail {

/** Ciphertext from and to a connected stream socket, by `recv` and `send` that never block.

    Ciphertext of one OpenSSL call gathers in a buffer that all of a thread's connections share and
    leaves with one `send`; only what the socket does not take is kept, as the connection's tail.
    So an idle connection holds no buffer, and OpenSSL never sees a blocked write. While a peer
    sends faster than OpenSSL asks, one `recvmsg` fills another such buffer beside OpenSSL's.
*/
class native_channel final : public channel {
 public:
  /** @param socket  Handed to `descriptor` at each call. */
  native_channel(void* socket, int (*descriptor)(void*)) noexcept : over_{socket, descriptor} {}
  native_channel(native_channel const&) = delete;
  native_channel& operator=(native_channel const&) = delete;

  /** Sends a flight that is held if somebody waits for it, and nothing else: after a fork, another
      process may go on with the connection (A23). */
  ~native_channel() override;

  void flush() noexcept override;
  std::size_t unsent() const noexcept override { return tail_.size(); }
  void hold_flight(bool awaited) noexcept override;
  void send_flight() noexcept override;
  void expect(std::size_t bytes) noexcept override;
  void expect_no_more() noexcept override;

  /** Returns the flight that is held, or null. */
  std::shared_ptr<held_flight> const& flight() const noexcept { return flight_; }

 private:
  std::size_t do_receive(void* data, std::size_t size) override;
  void do_send(void const* data, std::size_t size) override;
  void gather(void const* data, std::size_t size);
  std::size_t note_received(std::size_t got, std::size_t asked, std::size_t beyond) noexcept;
  std::size_t send_now(void const* data, std::size_t size) noexcept;
  void keep(void const* data, std::size_t size) noexcept;
  std::vector<std::byte> take_flight() noexcept;

  socket_reference over_;
  byte_queue tail_;
  std::shared_ptr<held_flight> flight_;
  bool flight_is_awaited_ = false;
  bool more_waits_ = false;   // the last receive was full
};

}  // namespace cotls::detail
