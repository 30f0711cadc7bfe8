// One thread: the connection and both descriptors are waited for at once, by two coroutines.
//
//   standard input  ──▶ send_all ──▶     its end: nothing, or close_notify; reading goes on
//   standard output ◀── receive_all ◀──  the peer's close_notify ends the command

#include "commands.hpp"
#include "explained.hpp"
#include "handshake_witness.hpp"
#include "negotiated.hpp"
#include "printable.hpp"
#include "relay.hpp"
#include "session_keeper.hpp"
#include "shared_descriptor.hpp"
#include "tls_options.hpp"
#include "whole_file.hpp"

#include <cotls/connect.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include <unistd.h>

namespace cotls::tool {

namespace {

using tcp = asio::ip::tcp;

constexpr char explanation[] = R"(
Connects to HOST (port 443 unless PORT is given) with TLS, sends what standard input brings, and
writes what comes back to standard output. The server's certificate and name are verified, against
the system's authorities unless others are given. A URL, https://HOST[:PORT]/..., stands for its
HOST and PORT.

The command ends when the server ends the connection (close_notify), and says goodbye then. The end
of standard input is not told to the server, as with 'openssl s_client -ign_eof': most servers take
a client's end for the end of the connection, and answer no more. One that waits for the end of what
it is sent, as 'socat' and 'ncat' tell it, needs --half-close.
)";

// Standard input and output on their way through a connection.
class conversation {
 public:
  conversation(asio::io_context& context, command_line const& given, host_port const& to)
      : verbose_(given.has("verbose")),
        to_(to),
        tls_(make_client_context(given)),
        witness_(tls_),
        address_(find_address(given, to)),
        connecting_(make_connect_options(given, to)),
        shows_certificates_(given.has("show-certs")),
        half_close_(given.has("half-close")),
        ends_anyhow_(given.has("ignore-unexpected-eof")),
        input_(context.get_executor(), STDIN_FILENO),
        output_(context.get_executor(), STDOUT_FILENO) {
    if (auto const early = given.text("early-data")) {
      std::string const text = read_whole(*early, "reading the early data");
      connecting_.early_data(asio::buffer(text));
    }
    auto const file = given.text("session");
    if (!file) return;
    session_keeper const keeper(*file);
    keeper.offer(connecting_);
    keeper.keep(tls_);
  }

  asio::awaitable<void> run() {
    tcp_stream peer = co_await connected();
    using namespace asio::experimental::awaitable_operators;
    auto const first = co_await (ending_of(receiving(peer)) || failing_of(sending(peer)));
    std::exception_ptr const failed = std::visit([](auto const& one) { return one; }, first);
    if (failed) rethrow(failed);
    co_await peer.async_shutdown(asio::as_tuple(asio::use_awaitable));
    if (left_unanswered_ && !heard_) {
      throw failure(exit_code::broken_off,
                    "the server ended without an answer when it was told of the input's end: "
                    "leave --half-close out");
    }
  }

 private:
  asio::awaitable<tcp_stream> connected() {
    try {
      tcp_stream peer = co_await async_connect(address_, to_.port(), tls_, connecting_);
      peer.tolerate_truncation(ends_anyhow_);
      if (verbose_) report(peer);
      if (shows_certificates_) show_certificates(peer.peer());
      co_return peer;
    } catch (error const& failed) {
      give_up_connecting(failed, witness_.began());
    }
  }

  void report(tcp_stream const& peer) const {
    error_code ignored;
    tcp::endpoint const address = peer.remote_endpoint(ignored);
    std::ostringstream lines;
    lines << "connected to " << to_.text() << " (" << address << ")\n"
          << negotiated(peer.info()) << "\n"
          << (peer.peer().verified() ? "verified: " : "NOT VERIFIED: ")
          << printable(peer.peer().subject()) << "; issuer: " << printable(peer.peer().issuer())
          << "\n";
    std::cerr << lines.str() << std::flush;
  }

  static void show_certificates(peer_info const& server) {
    std::string text;
    for (certificate const& each : server.chain()) text += each.pem();
    std::cerr << text << std::flush;
  }

  asio::awaitable<void> receiving(tcp_stream& peer) {
    heard_ = co_await receive_all(peer, output_.stream());
  }

  // A peer that takes no more may have something to say yet: the receiver finds out.
  asio::awaitable<void> sending(tcp_stream& peer) {
    try {
      bool const any = co_await send_all(input_.stream(), peer);
      if (!half_close_) co_return;
      left_unanswered_ = any;
      co_await peer.async_close_write();
    } catch (error const&) {
      co_return;
    }
  }

  [[noreturn]] static void rethrow(std::exception_ptr const& failed) {
    try {
      std::rethrow_exception(failed);
    } catch (error const& of_tls) {
      // In TLS 1.3 a server that refuses our certificate says so behind the handshake (T7).
      bool const refused = of_tls.alert().has_value();
      throw failure(refused ? exit_code::refused : exit_code::broken_off, explained(of_tls));
    }
  }

  bool const verbose_;
  host_port const to_;
  client_context tls_;
  handshake_witness witness_;
  std::string const address_;
  connect_options connecting_;
  bool const shows_certificates_;
  bool const half_close_;
  bool const ends_anyhow_;
  bool heard_ = false;             // the server has said something
  bool left_unanswered_ = false;   // it was told something, and of its end
  shared_descriptor input_;
  shared_descriptor output_;
};

}  // namespace

exit_code connect(words const& given) {
  command_line line("cotls connect [OPTION]... HOST[:PORT]", "HOST");
  add_client_options(line);
  line.add("Connection")
      ("insecure,k", "verify nothing: anyone in the middle can read and change everything")
      ("timeout", a_time(30), "give up connecting after so long")
      ("session", a_text("FILE"),
       "resume the session that is kept in FILE, and keep there the newest that the server gives: "
       "whoever can change FILE can pretend to be the server")
      ("early-data", a_text("FILE"),
       "send what is in FILE, up to 64 KiB, before what standard input brings: with the hello, if the "
       "session of --session allows it, where anyone can repeat it who has recorded it")
      ("half-close", "tell the server of the end of standard input (close_notify), and read on")
      ("ignore-unexpected-eof",
       "take the end of the transport for an end, of a server that does not send close_notify; "
       "what comes may be cut short by anyone")
      ("show-certs", "write the server's certificates to standard error (PEM), as it sends them")
      ("verbose,v", "say on standard error what was negotiated");
  if (!line.parse(given, explanation)) return exit_code::done;
  host_port const to = find_server(line);

  int interrupted = 0;
  {
    asio::io_context context(1);
    conversation talk(context, line, to);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](error_code code, int which) {
      if (code) return;
      interrupted = which;
      context.stop();
    });
    std::exception_ptr failed;
    asio::co_spawn(context, talk.run(), [&](std::exception_ptr thrown) {
      failed = thrown;
      signals.cancel();
    });
    context.run();
    if (failed) std::rethrow_exception(failed);
  }
  // With the descriptors' modes put back, it may have the effect that the sender meant.
  if (interrupted != 0) std::raise(interrupted);
  return exit_code::done;
}

}  // namespace cotls::tool
