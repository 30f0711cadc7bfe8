#pragma once

#include <cotls/error.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
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
  /** Takes from the end, as much as there is. */
  std::vector<std::byte> take_last(std::size_t size);
  void clear() noexcept;

 private:
  std::vector<std::byte> bytes_;
  std::size_t offset_ = 0;
};

/// The size of a record's header, whose last two bytes are the length of what follows (RFC 8446
/// section 5.1).
inline constexpr std::size_t record_header = 5;

/** Tells where records begin in the ciphertext that passes. */
class record_counter {
 public:
  /** Passes over ciphertext until `limit` records have ended, or all of it. Returns how many bytes,
      and in `begun` how many records begin in them. */
  std::size_t pass(std::byte const* data, std::size_t size, unsigned limit,
                   unsigned& begun) noexcept;

  /** Tells whether what has passed ends with a whole record of this type. */
  bool ends_with(int type) const noexcept { return header_ == 0 && type_ == type; }

 private:
  std::uint16_t left_ = 0;    // of the record's body; while its header is here in part, the length
  std::uint8_t header_ = 0;   // how many bytes of the header have passed
  std::uint8_t type_ = 0;     // of the record that began last
};

/// Why a receive has brought nothing.
enum class shortage : std::uint8_t {
  paused,   ///< Enough was taken at one go: the call is to be made again.
  dry,      ///< Nothing is here.
  ended,    ///< Nothing will come: the transport has ended.
  failed,   ///< Nothing will come: the transport has failed.
};

/// What a receive came to.
struct reception {
  std::size_t bytes;
  shortage why;   ///< of a receive without bytes
};

/** Where an engine's ciphertext comes from and goes to.

    The engine's BIO calls `receive` and `send`, in the course of a `use`. OpenSSL is only ever told
    "retry": that the transport has ended or failed stays in the channel, for the operation to
    report. (Told of a bare FIN, OpenSSL emits an alert, refuses writes and spoils the session, T12;
    told WANT_WRITE, it demands the same write again, T10.)
*/
class channel {
 public:
  /** What one use may take before it is paused: the share of its thread (A13). A key update
      costs 20 us, so that a receive full of them would hold the thread for 13 ms. */
  static constexpr unsigned max_records = 64;
  static constexpr std::size_t max_received = 256 * 1024;

  /** Beyond it nothing is written. A write adds 64 KiB and its records' overhead at the most, a
      read the answers to what it has read; beyond twice as much nothing is read. */
  static constexpr std::size_t max_unsent = 66 * 1024;

  class use;

  virtual ~channel() = default;

  /** Gives OpenSSL ciphertext. No exception may cross OpenSSL: without memory to keep what was
      received, the transport has failed. */
  reception receive(void* data, std::size_t size) noexcept;

  /** Receives what is in the transport before it is asked for, and keeps it for the next receive:
      no system call is made twice. False when there was nothing. */
  bool look_ahead() noexcept;

  /** Returns what was given or found, and not read. */
  std::span<std::byte const> ahead() const noexcept { return {given_.data(), given_.size()}; }

  /** What a receive would come to if there is nothing here. */
  shortage lack() const noexcept;

  /** Says how much ciphertext the call in progress can use: until `expect_no_more`, one receive may
      bring more than OpenSSL has asked for. What OpenSSL leaves of that is kept. */
  virtual void expect(std::size_t) noexcept {}
  virtual void expect_no_more() noexcept {}

  /** Gives ciphertext that somebody else has received: copied, and read before the transport's. */
  void give(void const* data, std::size_t size) { given_.append(data, size); }

  /** True when the peer's first bytes were no beginning of TLS. Then all that OpenSSL was given is
      kept, which is little: it gives up at the first record. */
  bool heard_no_tls() const noexcept { return non_tls_ != nullptr; }

  /** Tells whether OpenSSL's input ends with a whole record of this type. */
  bool ends_with(int record_type) const noexcept { return records_.ends_with(record_type); }

  /** Takes back what was given and not read, behind what was no TLS. */
  std::vector<std::byte> take_back_given();

  /** Takes ciphertext from OpenSSL; always all of it. What a failed transport cannot take is
      dropped: the next write reports the failure. Outside of a use, where the program has called
      OpenSSL itself, it leaves at once. */
  void send(void const* data, std::size_t size) noexcept;

  /** Takes back what the use in progress has sent, which then has not left; empty where it has. */
  std::vector<std::byte> retract();

  /** The address that ciphertext comes from, such as `192.0.2.1:50012`; empty where none is known. */
  virtual std::string peer_address() const { return {}; }

  /** Drops what OpenSSL sends from here on. */
  void mute() noexcept { muted_ = true; }

  /** Lets what was sent leave, as far as it can without waiting. */
  virtual void flush() noexcept = 0;

  /** Ciphertext that has not left, in bytes; without a flight that is held. */
  virtual std::size_t unsent() const noexcept = 0;

  /** Holds what the use in progress has sent, the last flight of a handshake (`held_flight`). A
      channel that cannot lets it leave as ever.
      @param awaited  Somebody waits for it: it must leave soon, even when the channel ends. */
  virtual void hold_flight(bool awaited) noexcept { static_cast<void>(awaited); }

  /** Lets a flight that is held leave, as far as it can without waiting. */
  virtual void send_flight() noexcept {}

  /** Lets flights that are awaited leave as ever from here on, for there is nobody who would send
      them soon: the program has the socket, too, or waits on its own thread. */
  virtual void hold_no_awaited_flight() noexcept {}

  /** True when a receive would find nothing, so that asking is a wasted system call. */
  bool dry() const noexcept { return source_ != source::open && given_.empty(); }

  /** Says whether the transport may have something, unless it has ended or failed. */
  void set_dry(bool value) noexcept;

  /** Says that the transport has ended; what came before its end has been received. */
  void set_ended() noexcept;

  /** The transport's failures, each direction's own: after a reset that a send met first, the
      peer's alert may still be there to read. */
  error_code const& receive_error() const noexcept { return receive_error_; }
  error_code const& send_error() const noexcept { return send_error_; }
  void set_receive_error(error_code code) noexcept;

  /** Makes the BIO through which OpenSSL reaches this channel; its data is the channel. */
  virtual bio_st* make_bio();

  /** Returns how much of what was given has not been read. */
  std::size_t given() const noexcept { return given_.size(); }

  /** The engine that this channel serves; OpenSSL's callbacks find it here. */
  ssl_engine* owner = nullptr;

 protected:
  void note_send_error(error_code code) noexcept { send_error_ = code; }

 private:
  /// What the transport has to give.
  enum class source : std::uint8_t { open, dry, ended, failed };

  std::size_t take_given(void* data, std::size_t size, unsigned records, unsigned& begun) noexcept;
  std::size_t take_received(void* data, std::size_t size, unsigned records, unsigned& begun);
  void listen_to(void const* data, std::size_t size);
  void out_of_memory() noexcept;
  virtual std::size_t do_receive(void* data, std::size_t size) = 0;
  virtual void do_send(void const* data, std::size_t size) = 0;
  virtual std::vector<std::byte> do_retract(std::size_t) { return {}; }

  byte_queue given_;
  std::unique_ptr<byte_queue> non_tls_;   // what a peer said that does not speak TLS
  error_code receive_error_;
  error_code send_error_;
  use* use_ = nullptr;   // in progress
  record_counter records_;
  source source_ = source::open;
  bool heard_ = false;   // the first byte has come
  bool muted_ = false;
};

/** One use of a channel, a call of OpenSSL's or a few that belong together: what it has taken and
    emitted, and what its last receive came to. What it has emitted leaves at its end.

    A peer that floods us with records without data would otherwise keep the thread, and make us
    emit an answer to each: 100,000 key update requests, 2.7 MB (A13). So a use is paused when it
    has had its share; the next one goes on. Nothing of it is known after its end.
*/
class channel::use {
 public:
  explicit use(channel& over) noexcept : channel_(over), outer_(std::exchange(over.use_, this)) {}
  ~use() {
    channel_.use_ = outer_;
    if (sent_ > 0) channel_.flush();
  }
  use(use const&) = delete;
  use& operator=(use const&) = delete;

  /** Why OpenSSL lacks input. When no receive has come to nothing, it is to be called again. */
  shortage why() const noexcept { return why_; }

  std::size_t received() const noexcept { return received_; }
  std::size_t sent() const noexcept { return sent_; }
  unsigned records() const noexcept { return records_; }

 private:
  friend channel;

  bool exhausted() const noexcept {
    return records_ >= max_records || received_ > max_received || sent_ > max_unsent;
  }

  channel& channel_;
  use* outer_;   // which this one runs inside of
  std::size_t received_ = 0;
  std::size_t sent_ = 0;
  unsigned records_ = 0;
  shortage why_ = shortage::paused;
};

/** Returns the type of our BIOs; one for all, for a process has about 127 (T16). */
int channel_bio_type();

/** Returns the channel that a BIO is over; null for a BIO that is none of ours. */
channel* channel_of(bio_st* bio) noexcept;

/** Ciphertext in memory: given and taken by whoever holds the engine. */
class memory_channel final : public channel {
 public:
  void flush() noexcept override {}
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
  std::vector<std::byte> do_retract(std::size_t size) override { return output_.take_last(size); }

  std::byte const* lent_ = nullptr;
  std::size_t lent_size_ = 0;
  byte_queue sending_;
  byte_queue output_;   // behind what is being sent
};

}  // namespace cotls::detail
