// Each allocation of OpenSSL's fails in turn while a listener and a client that share a thread are
// connected, echo and say goodbye: that ends in an error for somebody, nothing that was not sent is
// read, and the next connection is as good as any. Ends with 1, and says why, when it is not so.
//
// In a process of its own, since OpenSSL takes its allocator before its first use. Asio's own
// allocations are none of OpenSSL's: these end a process when they fail.

#include <openssl/crypto.h>

#include <cstdlib>

namespace {

// How many allocations succeed before one fails; negative: all do.
long until_failure = -1;

bool fails() noexcept { return until_failure >= 0 && until_failure-- == 0; }

void* allocate(std::size_t size, char const*, int) { return fails() ? nullptr : std::malloc(size); }
void* reallocate(void* given, std::size_t size, char const*, int) {
  return fails() ? nullptr : std::realloc(given, size);
}
void release(void* given, char const*, int) { std::free(given); }

bool is_first_use = false;

// Before the library's own first use, which is as early.
[[gnu::constructor(101)]] void use_our_allocator() {
  is_first_use = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

}  // namespace

#include <cotls/connect.hpp>
#include <cotls/identity.hpp>
#include <cotls/listener.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

void require(bool is_so, char const* what) {
  if (is_so) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::_Exit(1);
}

class trial {
 public:
  explicit trial(long allocations) {
    asio::co_spawn(context_, serve(), rethrow);
    asio::co_spawn(context_, use(), rethrow);
    until_failure = allocations;
    context_.run_for(10s);
    failed_ = until_failure < 0 && allocations >= 0;
    until_failure = -1;
    require(context_.stopped(), "a connection without memory ends");
    require(failed_ || echoed_, "a connection with memory is as good as any");
  }

  bool failed() const noexcept { return failed_; }

 private:
  static void rethrow(std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  }

  static cotls::identity const& who() {
    static auto const made = cotls::make_self_signed({"localhost"});
    return made;
  }
  static cotls::server_context const& served() {
    static auto const made = cotls::server_context().use(who());
    return made;
  }
  static cotls::client_context const& with() {
    static auto const made = cotls::client_context().add_root(who().chain().leaf());
    return made;
  }

  asio::awaitable<void> serve() {
    auto [code, guest] = co_await listener_.async_accept(as_result);
    if (code) co_return;
    std::string text(greeting.size(), '\0');
    auto const [ended, count] = co_await asio::async_read(guest, asio::buffer(text), as_result);
    require(greeting.starts_with(std::string_view(text).substr(0, count)),
            "a server reads what its client wrote");
    if (ended) co_return;
    auto const [unwritten, written] = co_await guest.async_write(asio::buffer(text), as_result);
    if (unwritten) co_return;
    co_await guest.async_shutdown(as_result);
  }

  asio::awaitable<void> use() {
    auto [code, guest] = co_await cotls::async_connect(
        "127.0.0.1", listener_.port(), with(),
        cotls::connect_options().verify_host("localhost").timeout(2s), as_result);
    if (!code) co_await greet(guest);
    listener_.close();
  }

  asio::awaitable<void> greet(cotls::tcp_stream& guest) {
    auto const [unwritten, written] =
        co_await guest.async_write(asio::buffer(greeting), as_result);
    if (unwritten) co_return;
    std::string text(greeting.size(), '\0');
    auto const [ended, count] = co_await asio::async_read(guest, asio::buffer(text), as_result);
    require(greeting.starts_with(std::string_view(text).substr(0, count)),
            "a client reads what its server wrote");
    auto const [cut] = co_await guest.async_shutdown(as_result);
    echoed_ = !ended && !cut;
  }

  static constexpr std::string_view greeting = "hello";

  asio::io_context context_{1};
  cotls::listener listener_{
      context_.get_executor(), {asio::ip::address_v4::loopback(), 0}, served(),
      cotls::listener_options().handshake_timeout(2s)};
  bool echoed_ = false;
  bool failed_ = false;
};

}  // namespace

int main() {
  require(is_first_use, "OpenSSL has allocated nothing before");
  trial(-1);   // what is made once
  long at = 0;
  while (trial(at).failed()) ++at;
  std::printf("%ld allocations failed in turn\n", at);
  require(at > 100, "a connection allocates");
}
