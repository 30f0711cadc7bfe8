#pragma once

#include <cotls/error.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

struct bio_st;

namespace cotls::detail {

class ssl_engine;

/** Bytes that wait to leave, in order: appended at one end, consumed at the other.
    Holds no memory while it is empty. */
class byte_queue {
 public:
  bool empty() const noexcept { return offset_ == bytes_.size(); }
  std::size_t size() const noexcept { return bytes_.size() - offset_; }
  std::byte const* data() const noexcept { return bytes_.data() + offset_; }
  void append(void const* data, std::size_t size);
  void consume(std::size_t size) noexcept;
  void clear() noexcept;

 private:
  std::vector<std::byte> bytes_;
  std::size_t offset_ = 0;
};

/** Where an engine's ciphertext comes from and goes to.

    The engine's BIO calls `receive` and `send`; the engine calls `flush` after each call of
    OpenSSL. OpenSSL is only ever told "retry": that the transport has ended or failed stays in the
    channel, for the operation to report. (Told of a bare FIN, OpenSSL emits an alert, refuses
    writes and spoils the session, T12; told WANT_WRITE, it demands the same write again, T10.)
*/
class channel {
 public:
  /** Beyond it nothing is written. A write adds 64 KiB and its records' overhead at the most, a
      read the answers to what it has read; beyond twice as much nothing is read. */
  static constexpr std::size_t max_unsent = 66 * 1024;

  virtual ~channel() = default;

  /** Begins a call of OpenSSL, which may take and emit so much before it is paused. A peer that
      floods us with records without data would otherwise keep the thread, and make us emit an
      answer to each: 100,000 key update requests, 2.7 MB (A13). */
  void begin_call() noexcept {
    received_ = sent_ = 0;
    paused_ = false;
  }

  /** True when the call was told "nothing here" only to make it stop. */
  bool paused() const noexcept { return paused_; }

  /** Gives OpenSSL ciphertext. Returns 0 when there is none: paused, dry, ended or failed. */
  std::size_t receive(void* data, std::size_t size) {
    paused_ = received_ > max_received || sent_ > max_unsent;
    if (paused_) return 0;
    std::size_t got = take_given(data, size);
    if (got == 0 && !dry_ && !ended_ && !receive_error_) got = do_receive(data, size);
    received_ += got;
    if (got > 0 && (!heard_ || foreign_)) listen_to(data, got);
    return got;
  }

  /** Receives what is in the transport before it is asked for, and keeps it for the next receive:
      no system call is made twice. False when there was nothing. */
  bool look_ahead();

  /** Returns what was given or found, and not read. */
  std::span<std::byte const> ahead() const noexcept { return {given_.data(), given_.size()}; }

  /** Says how much ciphertext the call in progress can use: until `expect_no_more`, one receive may
      bring more than OpenSSL has asked for. What OpenSSL leaves of that is kept. */
  virtual void expect(std::size_t) noexcept {}
  virtual void expect_no_more() noexcept {}

  /** Gives ciphertext that somebody else has received: copied, and read before the transport's. */
  void give(void const* data, std::size_t size) { given_.append(data, size); }

  /** True when the peer's first bytes were no beginning of TLS. Then all that OpenSSL was given is
      kept, which is little: it gives up at the first record. */
  bool heard_foreign() const noexcept { return foreign_ != nullptr; }

  /** Takes back what was given and not read, behind what was no TLS. */
  std::vector<std::byte> take_back_given();

  /** Takes ciphertext from OpenSSL; always all of it. What a failed transport cannot take is
      dropped: the next write reports the failure. */
  void send(void const* data, std::size_t size) {
    if (muted_) return;
    sent_ += size;
    if (!send_error_) do_send(data, size);
  }

  /** Drops what OpenSSL sends from here on. */
  void mute() noexcept { muted_ = true; }

  /** True when the call in progress has sent anything. */
  bool emitted() const noexcept { return sent_ > 0; }

  /** Lets what was sent leave, as far as it can without waiting. */
  virtual void flush() = 0;

  /** Ciphertext that has not left, in bytes; without a flight that is held. */
  virtual std::size_t unsent() const noexcept = 0;

  /** Holds what the call in progress has sent, the last flight of a handshake, until something else
      is sent or `send_flight` is called. A channel that cannot lets it leave as ever. */
  virtual void hold_flight() {}

  /** Lets a flight that is held leave, as far as it can without waiting. */
  virtual void send_flight() noexcept {}

  /** True when somebody sees to it that a flight which the peer awaits does not wait for long. */
  bool flight_may_wait() const noexcept { return flight_may_wait_; }
  void set_flight_may_wait(bool value) noexcept { flight_may_wait_ = value; }

  /** True when a receive would find nothing, so that asking is a wasted system call. */
  bool dry() const noexcept { return dry_ && given_.empty(); }
  void set_dry(bool value) noexcept { dry_ = value; }

  /** True once the transport's end was seen; what came before it has been received. */
  bool ended() const noexcept { return ended_; }
  void set_ended() noexcept { ended_ = true; }

  /** The transport's failures, each direction's own: after a reset that a send met first, the
      peer's alert may still be there to read. */
  error_code const& receive_error() const noexcept { return receive_error_; }
  error_code const& send_error() const noexcept { return send_error_; }
  void set_receive_error(error_code code) noexcept { receive_error_ = code; }

  /** Makes the BIO through which OpenSSL reaches this channel; its data is the channel. */
  virtual bio_st* make_bio();

  /** Returns how much of what was given has not been read. */
  std::size_t given() const noexcept { return given_.size(); }

  /** The engine that this channel serves; OpenSSL's callbacks find it here. */
  ssl_engine* owner = nullptr;

 protected:
  void note_send_error(error_code code) noexcept { send_error_ = code; }

 private:
  std::size_t take_given(void* data, std::size_t size) noexcept;
  void listen_to(void const* data, std::size_t size);
  virtual std::size_t do_receive(void* data, std::size_t size) = 0;
  virtual void do_send(void const* data, std::size_t size) = 0;

  static constexpr std::size_t max_received = 256 * 1024;

  byte_queue given_;
  std::unique_ptr<byte_queue> foreign_;   // what a peer said that does not speak TLS
  error_code receive_error_;
  error_code send_error_;
  std::size_t received_ = 0;   // by the call in progress
  std::size_t sent_ = 0;       // by the call in progress
  bool paused_ = false;
  bool dry_ = false;
  bool ended_ = false;
  bool heard_ = false;   // the first byte has come
  bool muted_ = false;
  bool flight_may_wait_ = false;
};

/** Returns the type of our BIOs; one for all, for a process has about 127 (T16). */
int channel_bio_type();

/** Returns the channel that a BIO is over; null for a BIO that is none of ours. */
channel* channel_of(bio_st* bio) noexcept;

/** Ciphertext in memory: given and taken by whoever holds the engine. */
class memory_channel final : public channel {
 public:
  void flush() override {}
  std::size_t unsent() const noexcept override { return sending_.size() + output_.size(); }

  /** Lends ciphertext, which stays the caller's and must live until `keep_input`; it is read after
      what was given. */
  void lend_input(void const* data, std::size_t size) noexcept;

  /** Copies what is left of the lent ciphertext, which is then the caller's again. */
  void keep_input();

  /** Returns ciphertext that OpenSSL has not taken. */
  std::size_t unread() const noexcept { return given() + lent_size_; }

  /** Returns the ciphertext to send next. It stays where it is until it is said to be sent,
      whatever OpenSSL emits meanwhile. */
  boost::asio::const_buffer sending();
  void sent(std::size_t bytes) noexcept { sending_.consume(bytes); }

  /** Says that the transport takes no more; what was unsent is dropped. */
  void set_send_error(error_code code) noexcept;

 private:
  std::size_t do_receive(void* data, std::size_t size) override;
  void do_send(void const* data, std::size_t size) override;

  std::byte const* lent_ = nullptr;
  std::size_t lent_size_ = 0;
  byte_queue sending_;
  byte_queue output_;   // behind what is being sent
};

}  // namespace cotls::detail
