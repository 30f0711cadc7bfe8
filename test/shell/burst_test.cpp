// A peer that sends faster than OpenSSL asks: how much one receive brings, and who holds it.

#include "print.hpp"
#include "sanitized.hpp"
#include "tls.hpp"

#include <cotls/detail/channel/native_channel.hpp>
#include <cotls/detail/engine/ssl_engine.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

namespace cotls::test::burst_test {

namespace {

constexpr std::size_t record = 16 * 1024;
constexpr std::size_t most = 4 * record;

detail::connection_options to_localhost() {
  detail::connection_options options;
  options.host = "localhost";
  return options;
}

// One end: an engine over a socket, which counts how often it is used.
class end {
 public:
  end(int descriptor, server_context const& context)
      : descriptor_(descriptor), channel_({this, &use}), tls(context, channel_) {}

  end(int descriptor, client_context const& context)
      : descriptor_(descriptor), channel_({this, &use}), tls(context, channel_, to_localhost()) {}

  ~end() { ::close(descriptor_); }
  end(end const&) = delete;
  end& operator=(end const&) = delete;

  int descriptor() const noexcept { return descriptor_; }

  // Returns how often the socket was used: once for each system call.
  int calls() const noexcept { return calls_; }

  // Reads once, as much as is here and fits.
  std::string read(std::size_t room) {
    std::string text(room, '\0');
    std::array const into{asio::mutable_buffer(asio::buffer(text))};
    tls.input_arrived();
    step const got = tls.read(into);
    if (got.error) code = got.error;
    text.resize(got.bytes);
    return text;
  }

  // Writes once; returns how many bytes were taken.
  std::size_t write(std::string_view text) {
    tls.flush();
    std::array const from{asio::const_buffer(asio::buffer(text))};
    return tls.write(from).bytes;
  }

 private:
  static int use(void* self) {
    ++static_cast<end*>(self)->calls_;
    return static_cast<end*>(self)->descriptor_;
  }

  int descriptor_;
  int calls_ = 0;
  detail::native_channel channel_;

 public:
  detail::ssl_engine tls;
  error_code code;
};

std::array<int, 2> connected_sockets() {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  return ends;
}

// Two ends, all that belongs to the handshake read.
struct burst_pair {
  std::array<int, 2> sockets = connected_sockets();
  end receiver;
  end sender;

  // What is told of messages is told from before the handshake on, or by OpenSSL 3.2 never.
  using message_callback = void (*)(int, int, int, void const*, std::size_t, SSL*, void*);

  explicit burst_pair(protocol version = protocol::tls1_3, message_callback told = nullptr)
      : receiver(sockets[0], localhost_client(version)),
        sender(sockets[1], localhost_server(version)) {
    SSL_set_msg_callback(receiver.tls.native_handle(), told);
    while (!receiver.tls.handshake_done() || !sender.tls.handshake_done()) {
      receiver.tls.input_arrived();
      BOOST_REQUIRE(!receiver.tls.handshake().error);
      sender.tls.input_arrived();
      BOOST_REQUIRE(!sender.tls.handshake().error);
    }
    BOOST_REQUIRE(sender.write("ready") == 5);
    BOOST_REQUIRE(receiver.read(most) == "ready");
  }

  void send_burst() {
    std::string const text = pattern(most);
    BOOST_REQUIRE(sender.write(text) == most);
    BOOST_REQUIRE(sender.tls.unsent() == 0);
  }
};

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

}  // namespace

BOOST_AUTO_TEST_SUITE(burst)

BOOST_DATA_TEST_CASE(a_receive_brings_all_that_the_reader_has_room_for, versions, version) {
  burst_pair pair(version);
  pair.send_burst();
  // The first tells that more waits; the second brings it.
  int const before = pair.receiver.calls();
  BOOST_TEST(pair.receiver.read(most).size() == most);
  BOOST_TEST(pair.receiver.calls() - before == 2);
}

BOOST_DATA_TEST_CASE(a_reader_without_room_for_a_second_record_receives_one_by_one, versions,
                     version) {
  burst_pair pair(version);
  pair.send_burst();
  int const before = pair.receiver.calls();
  for (int i = 0; i < 4; ++i) BOOST_TEST(pair.receiver.read(record).size() == record);
  BOOST_TEST(pair.receiver.calls() - before == 4);
}

BOOST_DATA_TEST_CASE(what_a_reader_leaves_of_a_burst_comes_next,
                     versions * boost::unit_test::data::make({700, 5'000, 65'536}), version,
                     written) {
  burst_pair pair(version);
  std::string const text = pattern(1'000'000);
  std::array<std::size_t, 7> const rooms{most, 1, 20'000, 513, most, 40'000, 5 * most};
  std::string arrived;
  std::size_t sent = 0;
  for (std::size_t turn = 0; arrived.size() < text.size(); ++turn) {
    auto const piece = std::string_view(text).substr(sent, static_cast<std::size_t>(written));
    sent += pair.sender.write(piece);
    if (turn % 16 == 0 || sent == text.size()) {
      arrived += pair.receiver.read(rooms[turn / 16 % rooms.size()]);
    }
    BOOST_REQUIRE(!pair.receiver.code);
  }
  BOOST_TEST((arrived == text));
}

BOOST_AUTO_TEST_CASE(a_burst_inside_anothers_callback_is_not_mixed_with_it) {
  struct both {
    burst_pair outer{protocol::tls1_3, read_beside};
    burst_pair inner;
    std::string read_inside;
    int records = 0;

    static void read_beside(int, int, int kind, void const*, std::size_t, SSL*, void* given) {
      auto* const all = static_cast<both*>(given);
      // At the first record nothing has been received beyond it.
      if (!all || kind == SSL3_RT_HEADER || ++all->records == 1) return;
      if (all->read_inside.size() < most) all->read_inside += all->inner.receiver.read(2 * record);
    }
  } pairs;
  pairs.outer.send_burst();
  pairs.inner.send_burst();
  SSL_set_msg_callback_arg(pairs.outer.receiver.tls.native_handle(), &pairs);
  BOOST_TEST((pairs.outer.receiver.read(most) == pattern(most)));
  BOOST_TEST(pairs.read_inside.size() >= 2 * record);
  std::string const rest = pairs.inner.receiver.read(most);
  BOOST_TEST((pairs.read_inside + rest == pattern(most)));
}

BOOST_AUTO_TEST_CASE(without_read_ahead_nothing_behind_the_records_is_received) {
  burst_pair pair;
  pair.receiver.tls.set_read_ahead(false);
  pair.send_burst();
  pair.sender.tls.close_write();
  BOOST_REQUIRE(::write(pair.sender.descriptor(), "plain", 5) == 5);
  BOOST_TEST(pair.receiver.read(2 * most).size() == most);
  pair.receiver.read(1);
  BOOST_TEST(pair.receiver.code == asio::error::eof);
  std::string plain(6, '\0');
  BOOST_TEST(::recv(pair.receiver.descriptor(), plain.data(), plain.size(), MSG_DONTWAIT) == 5);
}

BOOST_AUTO_TEST_CASE(with_read_ahead_a_burst_brings_what_is_behind_the_records) {
  burst_pair pair;
  pair.send_burst();
  pair.sender.tls.close_write();
  BOOST_REQUIRE(::write(pair.sender.descriptor(), "plain", 5) == 5);
  BOOST_TEST(pair.receiver.read(2 * most).size() == most);
  std::string plain(6, '\0');
  BOOST_TEST(::recv(pair.receiver.descriptor(), plain.data(), plain.size(), MSG_DONTWAIT) < 5);
}

BOOST_AUTO_TEST_CASE(after_a_burst_a_connection_holds_no_buffer_and_for_one_byte_the_small_one) {
  if (sanitized) return;
  burst_pair(protocol::tls1_3).send_burst();
  burst_pair pair;
  auto const heap = [] { return ::mallinfo2().uordblks; };
  auto const burst = [&] {
    pair.send_burst();
    BOOST_TEST(pair.receiver.read(most).size() == most);
  };
  burst();
  burst();   // from here on the thread has its own buffers
  pair.receiver.read(1);
  std::size_t const idle = heap();
  burst();
  pair.receiver.read(1);
  BOOST_TEST(heap() < idle + 1024);

  // One byte of a record, which does not come: a buffer of one record, and no more.
  BOOST_REQUIRE(::write(pair.sender.descriptor(), "\x17", 1) == 1);
  BOOST_TEST(pair.receiver.read(most).empty());
  BOOST_TEST(heap() > idle + record);
  BOOST_TEST(heap() < idle + record + 1024);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::burst_test
