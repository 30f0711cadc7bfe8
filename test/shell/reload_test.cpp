// Certificates that are exchanged while the listener serves: by renaming, by symbolic links, by
// writing over them, one file after the other.

#include "print.hpp"
#include "temporary_directory.hpp"
#include "tls.hpp"

#include "pki.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cotls::test::reload_test {

using namespace asio::experimental::awaitable_operators;

namespace {

constexpr auto interval = 5ms;

struct fixture {
  asio::io_context context;
  temporary_directory directory;
  authority root{"Test Root"};
  issued const first = root.issue(certificate_request({"localhost", "first.test"}));
  issued const second = root.issue(certificate_request({"localhost", "second.test"}));
  std::filesystem::path const chain = directory.path() / "chain.pem";
  std::filesystem::path const key = directory.path() / "key.pem";
  listener server{context.get_executor(), any_port(), localhost_server()};
  int made = 0;
  int told_of_use = 0;
  std::vector<std::exception_ptr> failures;

  fixture() { write(first); }

  void write(issued const& what) {
    directory.write("chain.pem", what.chain());
    directory.write("key.pem", what.key);
  }

  server_context make() {
    ++made;
    return server_context().load_certificate_chain(chain).load_private_key(key);
  }

  void watch() {
    server.reload_when_changed({chain, key}, [this] { return make(); },
                               reload_options().interval(interval).observer(
                                   [this](std::exception_ptr failed) {
                                     if (!failed) ++told_of_use;
                                     if (failed) failures.push_back(failed);
                                   }));
  }

  // The second name of the certificate that a client is shown.
  asio::awaitable<std::string> shown() {
    client_context const with = client_context().add_root(root.certificate());
    auto const to = client_options().host("localhost");
    tcp::socket socket(context);
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    tcp_stream client(std::move(socket), with, to);
    tcp_stream const accepted = co_await (server.async_accept(asio::use_awaitable) &&
                                          client.async_handshake(asio::use_awaitable));
    co_return client.peer().names().at(1);
  }

  // Connects until the certificate is this one. The limit is shorter than the time after which
  // files are read once more in any case.
  asio::awaitable<void> wait_for(std::string name) {
    auto const give_up = std::chrono::steady_clock::now() + 1500ms;
    while (co_await shown() != name) {
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("never reloaded");
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(reloading, fixture)

BOOST_AUTO_TEST_CASE(files_are_loaded_at_once_and_again_when_they_were_written_over) {
  watch();
  BOOST_TEST(told_of_use == 0);   // the first is the caller's to know of
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await shown() == "first.test");
    write(second);
    co_await wait_for("second.test");
    BOOST_TEST(told_of_use > 0);
    write(first);
    co_await wait_for("first.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(files_that_others_were_renamed_over_are_loaded) {
  watch();
  run(context, [&]() -> asio::awaitable<void> {
    directory.write("next-chain.pem", second.chain());
    directory.write("next-key.pem", second.key);
    std::filesystem::rename(directory.path() / "next-key.pem", key);
    std::filesystem::rename(directory.path() / "next-chain.pem", chain);
    co_await wait_for("second.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(files_behind_a_symbolic_link_that_was_exchanged_are_loaded) {
  auto const root_path = directory.path();
  for (auto const& [name, files] : {std::pair("one", first), std::pair("two", second)}) {
    std::filesystem::create_directory(root_path / name);
    std::ofstream(root_path / name / "chain.pem") << files.chain();
    std::ofstream(root_path / name / "key.pem") << files.key;
  }
  std::filesystem::remove(chain);
  std::filesystem::remove(key);
  std::filesystem::create_directory_symlink("one", root_path / "current");
  std::filesystem::create_symlink("current/chain.pem", chain);
  std::filesystem::create_symlink("current/key.pem", key);
  watch();
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await shown() == "first.test");
    std::filesystem::create_directory_symlink("two", root_path / "next");
    std::filesystem::rename(root_path / "next", root_path / "current");
    co_await wait_for("second.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(while_the_files_do_not_fit_the_listener_keeps_what_it_has) {
  watch();
  run(context, [&]() -> asio::awaitable<void> {
    auto const begin = std::chrono::steady_clock::now();
    directory.write("key.pem", second.key);   // and no chain to go with it
    while (failures.size() < 3) BOOST_TEST(co_await shown() == "first.test");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 1500ms));
    directory.write("chain.pem", second.chain());
    co_await wait_for("second.test");
    server.close();
  }());
  BOOST_CHECK_EXCEPTION(std::rethrow_exception(failures.front()), error,
                        [](error const& e) { return e.code() == errc::key_mismatch; });
}

BOOST_AUTO_TEST_CASE(files_that_are_gone_for_a_while_are_waited_for) {
  watch();
  run(context, [&]() -> asio::awaitable<void> {
    std::filesystem::remove(key);
    while (failures.empty()) BOOST_TEST(co_await shown() == "first.test");
    write(second);
    co_await wait_for("second.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(files_that_change_as_they_are_read_are_read_again) {
  bool written = false;
  server.reload_when_changed(
      {chain, key},
      [&] {
        server_context const loaded = make();
        if (!std::exchange(written, true)) write(second);
        return loaded;
      },
      reload_options().interval(interval));
  run(context, [&]() -> asio::awaitable<void> {
    co_await wait_for("second.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(fresh_files_are_read_once_more_and_old_ones_are_left_alone) {
  watch();
  BOOST_TEST(made == 1);
  auto const begin = std::chrono::steady_clock::now();
  context.restart();
  while (made < 2 && std::chrono::steady_clock::now() - begin < 10s) context.run_one_for(100ms);
  BOOST_TEST(made == 2);
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= 2s));
  // Nothing has changed in the last 2 s.
  watch();
  BOOST_TEST(made == 3);
  context.run_for(100ms);
  BOOST_TEST(made == 3);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_at_first_is_the_callers_to_know) {
  directory.write("key.pem", second.key);
  BOOST_CHECK_EXCEPTION(watch(), error,
                        [](error const& e) { return e.code() == errc::key_mismatch; });
  BOOST_TEST(made == 1);
  write(second);
  context.restart();
  context.run_for(5 * interval);
  BOOST_TEST(made == 1);   // nothing is watched
  BOOST_TEST(failures.empty());
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_does_not_end_the_watch) {
  server.reload_when_changed(
      {chain, key}, [this] { return make(); },
      reload_options().interval(interval).observer([](std::exception_ptr) {
        throw std::runtime_error("no room for another line");
      }));
  run(context, [&]() -> asio::awaitable<void> {
    write(second);
    co_await wait_for("second.test");
    write(first);
    co_await wait_for("first.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(watching_ends_with_the_listener) {
  watch();
  context.restart();
  context.run_for(3 * interval);
  server.close();
  write(second);
  run_for(context);   // returns: nothing is left to do
  BOOST_TEST(made == 1);
}

BOOST_AUTO_TEST_CASE(what_an_earlier_call_is_still_making_does_not_count) {
  std::promise<void> reads;
  std::promise<void> go_on;
  std::promise<void> told;   // that the earlier one is done with what it has made
  bool first_time = true;
  server.reload_when_changed(
      {chain, key},
      [&] {
        server_context earlier = make();
        if (!std::exchange(first_time, false)) {
          reads.set_value();
          go_on.get_future().wait();
        }
        return earlier;
      },
      reload_options().interval(interval).observer([&](std::exception_ptr const&) {
        told.set_value();
      }));
  directory.write("key.pem", first.key);   // the same again, which is a change
  std::thread beside([&] { context.run(); });
  reads.get_future().wait();
  server.reload_when_changed({chain, key}, [&] {
    return server_context().use(second.identity());
  });
  go_on.set_value();
  told.get_future().wait();
  asio::post(context, [&] { context.stop(); });
  beside.join();
  context.restart();
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await shown() == "second.test");
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(the_latest_call_is_the_one_that_counts) {
  watch();
  int other = 0;
  server.reload_when_changed({chain, key}, [&] { return ++other, make(); },
                             reload_options().interval(interval));
  write(second);
  run(context, [&]() -> asio::awaitable<void> {
    co_await wait_for("second.test");
    server.close();
  }());
  BOOST_TEST(other == made - 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::reload_test
