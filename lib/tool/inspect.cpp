// Connections until one is made, and one more:
//
//   verifying, offering ALPN ──▶ our certificate check refuses it: again, without the check
//                            ──▶ the server refuses the ALPN offer: again, without the offer
//                            ──▶ refused in another way: what was seen until then is all there is
//                            ──▶ made: looked at, and its session offered to another

#include "commands.hpp"
#include "explained.hpp"
#include "handshake_witness.hpp"
#include "inspection.hpp"
#include "session_catcher.hpp"
#include "tls_options.hpp"

#include <cotls/connect.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/serialize.hpp>

#include <openssl/ssl.h>

#include <array>
#include <iostream>
#include <optional>
#include <string>

namespace cotls::tool {

namespace {

using tcp = asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// A ticket of TLS 1.3 follows the handshake, when the server likes (RFC 8446 section 4.6.1).
constexpr auto time_for_ticket = std::chrono::seconds(1);

constexpr char explanation[] = R"(
Says what a server negotiates: version, suite, group, ALPN protocol, and whether a session is
resumed; its certificates as it sends them; and whether they are verified, or why not. What was seen
is shown in any case, also when the handshake is refused. It offers the ALPN protocols h2 and
http/1.1, and goes without where the server refuses them, unless --alpn says otherwise (--alpn ''
offers none). HOST may stand in a URL, https://HOST[:PORT]/...
)";

class inspector {
 public:
  inspector(command_line const& given, host_port const& server)
      : given_(given),
        server_(server),
        address_(find_address(given, server)),
        options_(make_connect_options(given, server)) {}

  asio::awaitable<void> run() {
    seen_.host = server_.host();
    seen_.port = server_.port();
    bool again = true;
    while (again) again = co_await try_once();
  }

  inspection const& seen() const noexcept { return seen_; }

 private:
  client_context make_context() const {
    client_context context = make_client_context(given_);
    if (!given_.has("alpn")) context.set_alpn({"h2", "http/1.1"});
    if (!offers_) context.set_alpn({});
    if (!verifies_) context.set_verify(verify::none);
    return context;
  }

  // Says whether another try may show more.
  asio::awaitable<bool> try_once() {
    client_context const context = make_context();
    session_catcher sessions(context);
    handshake_witness witness(context);
    tcp_stream stream;
    try {
      stream = co_await async_connect(address_, server_.port(), context, options_);
    } catch (error const& failed) {
      if (!witness.began()) give_up_connecting(failed, false);
      co_return goes_on_after(failed, witness);
    }
    co_await look_at(stream, sessions);
    co_await resume(context, sessions);
    co_return false;
  }

  bool goes_on_after(error const& failed, handshake_witness const& witness) {
    if (offers_ && failed.alert() == alert::no_application_protocol) {
      offers_ = false;
      seen_.alpn_refused = true;
      if (given_.has("alpn")) seen_.refusal = reason_of(failed);   // it was to be spoken
      return true;
    }
    if (verifies_ && failed.verify_result() != 0 && !failed.alert()) {
      verifies_ = false;
      seen_.reason = reason_of(failed);
      return true;
    }
    seen_.refusal = reason_of(failed);
    seen_.info = witness.info();
    seen_.chain = witness.chain();
    seen_.verified = verifies_ && !seen_.chain.empty();
    return false;
  }

  asio::awaitable<void> look_at(tcp_stream& stream, session_catcher& sessions) {
    seen_.address = stream.remote_endpoint();
    seen_.info = stream.info();
    peer_info const server = stream.peer();
    seen_.chain = server.chain();
    seen_.verified_chain = server.verified_chain();
    seen_.verified = server.verified();
    co_await wait_for_session(stream, sessions);
    // RFC 8446 section 6.1: "Each party MUST send a "close_notify" alert before closing its write
    // side of the connection". The session is offered again all the same: the stream is still open.
    co_await stream.async_close_write(as_result);
  }

  // Reads until a session has come, or the time for it is over; what the server says is discarded.
  // In TLS 1.3 a server that refuses our certificate says so here: our handshake was done (T7).
  asio::awaitable<void> wait_for_session(tcp_stream& stream, session_catcher& sessions) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer waited(stream.get_executor(), time_for_ticket);
    sessions.on_arrival([&waited] { waited.cancel(); });
    std::array<char, 4096> discarded;
    while (!sessions.session()) {
      auto const first = co_await (stream.async_read_some(asio::buffer(discarded), as_result) ||
                                   waited.async_wait(as_result));
      if (first.index() == 1) break;
      error_code const code = std::get<0>(std::get<0>(first));
      if (code.category() == alert_category()) seen_.refusal = reason_of(stream.last_error());
      if (code) break;
    }
    sessions.on_arrival(nullptr);
  }

  asio::awaitable<void> resume(client_context const& context, session_catcher const& sessions) {
    if (!sessions.session()) co_return;
    seen_.again = resumption::not_connected;
    tcp::socket socket(co_await asio::this_coro::executor);
    bool const connected = co_await connected_again(socket);
    if (!connected) co_return;
    tcp_stream stream(std::move(socket), context,
                      client_options(options_.tls()).host(options_.verify_host()));
    stream.set_handshake_timeout(options_.handshake_timeout());
    SSL_set_session(stream.native_handle(), sessions.session());
    auto const [refused] = co_await stream.async_handshake(as_result);
    if (refused) co_return;
    seen_.again = stream.info().resumed ? resumption::resumed : resumption::full_handshake;
    co_await stream.async_close_write(as_result);
  }

  // To the same address: another may be another server.
  asio::awaitable<bool> connected_again(tcp::socket& socket) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer limit(socket.get_executor(), options_.timeout());
    auto const first = co_await (socket.async_connect(seen_.address, as_result) ||
                                 limit.async_wait(as_result));
    co_return first.index() == 0 && !std::get<0>(std::get<0>(first));
  }

  command_line const& given_;
  host_port const& server_;
  std::string const address_;
  connect_options const options_;
  bool verifies_ = true;
  bool offers_ = true;
  inspection seen_;
};

}  // namespace

exit_code inspect(words const& given) {
  command_line line("cotls inspect [OPTION]... HOST[:PORT]", "HOST");
  add_client_options(line);
  line.add("Inspection")
      ("json", "print one JSON object instead of lines for people")
      ("show-certs", "print each certificate as PEM, too")
      ("timeout", a_time(30), "give up connecting after so long");
  if (!line.parse(given, explanation)) return exit_code::done;
  host_port const server = find_server(line);

  asio::io_context context(1);
  inspector looking(line, server);
  asio::co_spawn(context, looking.run(), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);
  });
  context.run();
  inspection const& seen = looking.seen();
  certificates const shown = line.has("show-certs") ? certificates::whole : certificates::described;
  if (line.has("json")) std::cout << boost::json::serialize(to_json(seen, shown)) << "\n";
  else std::cout << to_text(seen, shown);
  return seen.verified && seen.refusal.empty() ? exit_code::done : exit_code::refused;
}

}  // namespace cotls::tool
