#pragma once

#include <cotls/detail/engine/ssl_engine.hpp>
#include <cotls/detail/operation/operation.hpp>

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

namespace asio = boost::asio;

/** An engine that answers from a script and writes down what it was asked: the operations' logic
    without cryptography. */
class scripted_engine {
 public:
  std::deque<detail::read_step> answers;   ///< one a call; an empty script answers "done"
  std::vector<std::string> calls;    ///< names of the calls, in order
  std::size_t unsent_bytes = 0;
  std::size_t emits = 0;             ///< what each answer adds to what is unsent
  std::size_t flush_takes = 0;       ///< how much of what is unsent the next flush sends
  error_code failed_send;
  error_code alert_behind;           ///< the alert that explains it
  std::pair<error_code, std::string> last_failure;   ///< the operation that failed last
  bool has_failed = false;
  bool too_much_unsent = false;
  bool flight_is_awaited = true;

  step handshake() { return answer("handshake"); }
  step close_write() { return answer("close_write"); }
  detail::read_step shutdown() { return answer("shutdown"); }
  detail::read_step read(std::span<asio::mutable_buffer const> buffers) {
    sizes.push_back(total(buffers));
    return answer("read");
  }
  detail::read_step peek(std::span<asio::mutable_buffer const> buffers) {
    sizes.push_back(total(buffers));
    return answer("peek");
  }
  step write(std::span<asio::const_buffer const> buffers) {
    sizes.push_back(total(buffers));
    return answer("write");
  }

  void flush() {
    calls.push_back("flush");
    unsent_bytes -= std::min(unsent_bytes, flush_takes);
  }
  void send_flight() { calls.push_back("send_flight"); }
  std::size_t unsent() const { return unsent_bytes; }
  bool must_send() const { return too_much_unsent; }
  bool peer_awaits_flight() const { return flight_is_awaited; }
  error_code send_error() const { return failed_send; }
  error_code send_failure() const { return alert_behind ? alert_behind : failed_send; }
  bool failed() const { return has_failed; }
  void give_up_handshake(error_code) { calls.push_back("give_up_handshake"); }
  void input_arrived() { calls.push_back("input_arrived"); }
  void note_failure(error_code code, char const* operation) { last_failure = {code, operation}; }

  std::vector<std::size_t> sizes;    ///< bytes offered to each read and write

 private:
  template <class Buffer>
  static std::size_t total(std::span<Buffer const> buffers) {
    std::size_t sum = 0;
    for (auto const& one : buffers) sum += one.size();
    return sum;
  }

  detail::read_step answer(char const* name) {
    calls.push_back(name);
    if (answers.empty()) return {};
    auto const next = answers.front();
    answers.pop_front();
    unsent_bytes += emits;
    return next;
  }
};

/** What operations see of a connection (operation.hpp). */
class scripted_connection {
 public:
  scripted_engine& engine() { return engine_; }
  detail::gate reading;
  detail::gate writing;
  void interrupt() { ++interruptions; }
  void input_done() {}

  int interruptions = 0;

 private:
  scripted_engine engine_;
};

}  // namespace cotls::test
