// Up to three connections: one that verifies; when the certificate is refused, another that does
// not, to see what is there; and one that offers the session which the server gave out.

#include "commands.hpp"
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

namespace cotls::tool {

namespace {

using tcp = asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// A ticket of TLS 1.3 follows the handshake, when the server likes (RFC 8446 section 4.6.1).
constexpr auto time_for_ticket = std::chrono::seconds(1);

constexpr char explanation[] = R"(
Says what a server negotiates: version, suite, group, ALPN protocol, and whether a session is
resumed; its certificates as it sends them; and whether they are verified, or why not. All of it is
shown in either case. It offers the ALPN protocols h2 and http/1.1, unless --alpn says otherwise
(--alpn '' offers none).
)";

class inspector {
 public:
  inspector(command_line const& given, host_port const& server)
      : given_(given), server_(server), options_(make_connect_options(given)) {}

  asio::awaitable<void> run() {
    seen_.host = server_.host();
    seen_.port = server_.port();
    client_context context = make_context(true);
    std::optional<session_catcher> sessions(std::in_place, context);
    std::optional<tcp_stream> stream;
    try {
      stream = co_await async_connect(server_.host(), server_.port(), context, options_);
    } catch (error const& failed) {
      if (failed.verify_result() == 0) give_up_connecting(failed);
      seen_.reason = reason_of(failed);
    }
    if (!stream) {
      context = make_context(false);
      sessions.emplace(context);
      try {
        stream = co_await async_connect(server_.host(), server_.port(), context, options_);
      } catch (error const& failed) {
        give_up_connecting(failed);
      }
    }
    co_await look_at(*stream, *sessions);
    co_await resume(context, *sessions);
  }

  inspection const& seen() const noexcept { return seen_; }

 private:
  client_context make_context(bool verifies) const {
    client_context context = make_client_context(given_);
    if (!given_.has("alpn")) context.set_alpn({"h2", "http/1.1"});
    if (!verifies) context.set_verify(verify::none);
    return context;
  }

  // The library's sentence without what was tried, which everybody knows here.
  static std::string reason_of(error const& failed) {
    std::string const whole = failed.what();
    std::string_view const mark = " failed: ";
    std::size_t const at = whole.find(mark);
    return at == std::string::npos ? whole : whole.substr(at + mark.size());
  }

  asio::awaitable<void> look_at(tcp_stream& stream, session_catcher& sessions) {
    seen_.address = stream.next_layer().remote_endpoint();
    seen_.info = stream.info();
    seen_.chain = stream.peer().chain();
    seen_.verified = stream.peer().verified();
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
    if (!co_await connected_again(socket)) co_return;
    auto const& name = options_.verify_host();
    tcp_stream stream(std::move(socket), context,
                      client_options().host(name.empty() ? server_.host() : name));
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
  connect_options const options_;
  inspection seen_;
};

}  // namespace

exit_code inspect(words const& given) {
  command_line line("cotls inspect [OPTION]... HOST[:PORT]", "HOST");
  add_client_options(line);
  line.add("Inspection")
      ("json", "print one JSON object instead of lines for people")
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
  if (line.has("json")) std::cout << boost::json::serialize(to_json(seen)) << "\n";
  else std::cout << to_text(seen);
  return seen.verified && seen.refusal.empty() ? exit_code::done : exit_code::refused;
}

}  // namespace cotls::tool
