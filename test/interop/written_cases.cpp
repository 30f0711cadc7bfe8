#include "written_cases.hpp"

#include "served.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <deque>
#include <thread>

namespace cotls::test {

class written_cases::servers {
 public:
  ~servers() { context_.stop(); }

  // Returns the port at which the chain is shown.
  int add(verification_case const& one) {
    asio::ip::tcp::endpoint const loopback(asio::ip::address_v4::loopback(), 0);
    listeners_.emplace_back(context_.get_executor(), loopback,
                            one.showing_server(protocol::secure));
    asio::co_spawn(context_, accept_all(listeners_.back()), asio::detached);
    return listeners_.back().port();
  }

  void start() {
    thread_ = std::jthread([this] { context_.run(); });
  }

 private:
  asio::awaitable<void> accept_all(listener& from) {
    for (;;) {
      tcp_stream accepted = co_await from.async_accept();
      auto const executor = accepted.get_executor();
      asio::co_spawn(executor, answer(std::move(accepted)), asio::detached);
    }
  }

  static asio::awaitable<void> answer(tcp_stream accepted) {
    served unread;
    try {
      co_await answer_http(accepted, unread);
    } catch (error const&) {
      // Node closes without a word, and who refuses us in TLS 1.3 says so here.
    }
  }

  asio::io_context context_;
  std::deque<listener> listeners_;
  std::jthread thread_;
};

written_cases::written_cases() : servers_(std::make_unique<servers>()) {
  for (verification_case const& one : all_verification_cases()) write(one);
  servers_->start();
}

written_cases::~written_cases() = default;

void written_cases::write(verification_case const& one) {
  constexpr std::string_view end_of_leaf = "-----END CERTIFICATE-----\n";
  std::string const stem = std::to_string(all_.size());
  std::size_t const behind = one.chain().find(end_of_leaf) + end_of_leaf.size();
  std::string const rest = one.chain().substr(behind);
  written_case made;
  made.one = &one;
  made.leaf = directory_.write(stem + ".leaf", one.chain().substr(0, behind));
  if (!rest.empty()) made.rest = directory_.write(stem + ".rest", rest);
  made.chain = directory_.write(stem + ".chain", one.chain());
  made.roots = directory_.write(stem + ".roots", one.roots());
  if (!one.lists().empty()) made.lists = directory_.write(stem + ".lists", one.lists());
  if (one.meant() == purpose::server) made.port = servers_->add(one);
  all_.push_back(std::move(made));
}

}  // namespace cotls::test
