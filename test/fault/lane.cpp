#include "script.hpp"
#include "trial.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace cotls::test {

namespace {

/// Ends a script.
struct gave_up {
  lane::failure why;
};

bool has_deadline(operation what) {
  switch (what) {
    case operation::handshake:
    case operation::connect:
    case operation::accept:
    case operation::read_early:
    case operation::request_certificate:
    case operation::shutdown: return true;
    case operation::read:
    case operation::peek:
    case operation::write:
    case operation::update_key:
    case operation::close_write:
    case operation::say:
    case operation::hear: return false;
  }
  return false;
}

}  // namespace

connection& lane::over() const { return owner_.over(); }
std::string_view lane::received() const { return owner_.received; }
void lane::check(bool holds, char const* claim) { owner_.expect(holds, claim); }

asio::awaitable<void> lane::follow(script what) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  try {
    co_await what(*this);
  } catch (gave_up const& ended) {
    failed_ = ended.why;
  }
}

bool lane::has_deadline() const noexcept { return current_ && test::has_deadline(*current_); }

// As a user does whose patience is at its end.
void lane::give_up() {
  if (!current_ || has_deadline()) return;
  given_up_ = true;
  cancel(asio::cancellation_type::total);
}

void lane::begin(operation what) {
  if (owner_.closed()) throw gave_up{{what, asio::error::operation_aborted, true}};
  current_ = what;
}

// What the end of an operation means. True when it is to be started again.
bool lane::again(error_code code) {
  operation const what = *current_;
  current_.reset();
  owner_.operation_over(*this);
  if (!code) return false;
  bool const cut = code == asio::error::operation_aborted && !given_up_ && !owner_.closed();
  if (cut && owner_.goes_on_after_cancelled(what)) return true;
  throw gave_up{{what, code, owner_.closed()}};
}

asio::awaitable<void> lane::persist(operation what, connection::done (connection::*start)()) {
  error_code code;
  do {
    begin(what);
    code = co_await (over().*start)();
  } while (again(code));
}

asio::awaitable<void> lane::open() {
  owner_.note_opening();
  try {
    co_await persist(over().opening(), &connection::open);
  } catch (gave_up const& failed) {
    owner_.check_that_the_transport_is_given_back(failed.why.code);
    throw;
  }
  owner_.note_opened();
}

asio::awaitable<void> lane::close_write() {
  return persist(operation::close_write, &connection::close_write);
}

asio::awaitable<void> lane::update_key() {
  return persist(operation::update_key, &connection::update_key);
}

asio::awaitable<void> lane::request_certificate() {
  co_await persist(operation::request_certificate, &connection::request_certificate);
  owner_.expect(over().knows_the_peer(), "a client that has answered is known");
}

asio::awaitable<void> lane::shutdown() {
  co_await persist(operation::shutdown, &connection::shutdown);
  owner_.check_that_the_other_closed();
}

void lane::offer_early(std::string_view text) {
  owner_.offered += text;
  owner_.taken += text.size();
}

asio::awaitable<void> lane::read_early() {
  for (error_code end; end != asio::error::eof;) {
    std::string chunk(50, '\0');
    begin(operation::read_early);
    auto const [code, count] = co_await over().read_early(asio::buffer(chunk));
    owner_.receive(std::string_view(chunk).substr(0, count));
    owner_.expect((code ? count == 0 : count > 0), "a read gives bytes or an error");
    end = code;
    again(code == asio::error::eof ? error_code() : code);
  }
}

asio::awaitable<void> lane::write(std::string_view text) {
  return write_by(&connection::write, text);
}

asio::awaitable<void> lane::write_early(std::string_view text) {
  return write_by(&connection::write_early, text);
}

asio::awaitable<void> lane::write_by(connection::moved (connection::*way)(asio::const_buffer),
                                     std::string_view text) {
  owner_.offered += text;
  error_code code;
  do {
    begin(operation::write);
    std::size_t count = 0;
    std::tie(code, count) = co_await (over().*way)(asio::buffer(text));
    owner_.taken += count;
    text.remove_prefix(count);
    owner_.expect(code || text.empty(), "a write that succeeds has written all");
  } while (again(code));
}

// Returns eof, or nothing when there may be more.
asio::awaitable<error_code> lane::read_some(std::size_t most) {
  std::string chunk(std::min<std::size_t>(most, 50'000), '\0');
  begin(operation::read);
  auto const [code, count] = co_await over().read(asio::buffer(chunk));
  owner_.receive(std::string_view(chunk).substr(0, count));
  owner_.expect((code ? count == 0 : count > 0), "a read gives bytes or an error");
  if (code == asio::error::eof) {
    owner_.check_that_the_other_closed();
    owner_.check_that_all_was_received();
    again({});
    co_return code;
  }
  again(code);
  co_return error_code();
}

asio::awaitable<void> lane::peek(std::size_t most) {
  std::string chunk(most, '\0');
  error_code code;
  do {
    begin(operation::peek);
    std::size_t count = 0;
    std::tie(code, count) = co_await over().peek(asio::buffer(chunk));
    owner_.foresee(std::string_view(chunk).substr(0, count));
    owner_.expect((code ? count == 0 : count > 0), "a peek shows bytes or gives an error");
  } while (again(code));
}

asio::awaitable<void> lane::read(std::size_t size) {
  std::size_t const until = owner_.received.size() + size;
  while (owner_.received.size() < until) {
    error_code const end = co_await read_some(until - owner_.received.size());
    if (end) throw gave_up{{operation::read, end, owner_.closed()}};
  }
}

asio::awaitable<void> lane::read_to_end() {
  error_code end;
  while (!end) end = co_await read_some(100'000);
}

asio::awaitable<void> lane::say(std::string_view text) {
  error_code code;
  do {
    begin(operation::say);
    std::size_t count = 0;
    std::tie(code, count) = co_await over().say(asio::buffer(text));
    text.remove_prefix(count);
  } while (again(code) || !text.empty());
}

asio::awaitable<std::string> lane::hear_line() {
  std::string heard = std::exchange(owner_.unheard, {});
  while (heard.find('\n') == std::string::npos) {
    std::string chunk(10'000, '\0');
    begin(operation::hear);
    auto const [code, count] = co_await over().hear(asio::buffer(chunk));
    heard.append(chunk, 0, count);
    again(code);
  }
  co_return heard;
}

asio::awaitable<void> lane::until_the_other_opens() { return owner_.until_the_other_opens(); }
asio::awaitable<void> lane::until_alone() { return owner_.until_one_lane_runs(); }

void lane::give(std::string_view heard) { over().give(heard); }
void lane::release() { owner_.unheard = over().release(); }
void lane::split() { over().split(); }

void lane::drop_writing() {
  if (!owner_.closed()) over().drop_writing();
}

void lane::beside(script another) { owner_.begin(another); }

}  // namespace cotls::test
