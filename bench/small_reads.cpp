// Nanoseconds per small read of data that is decrypted already: the peer writes records of 16 KiB,
// which are read in pieces. The first read of a record, which receives and decrypts it, and the
// last, which gives its buffer back, are not timed.

#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_cotls_blocking.hpp"
#include "over_raw.hpp"
#include "payload.hpp"
#include "scenarios.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr std::size_t record_size = 16 * 1024;
constexpr std::array<std::size_t, 3> pieces{16, 64, 1024};

struct reads_case {
  settings tls;
  std::size_t piece;
  int records;
};

// Where a record is read to, and how long its reads took.
class record_reader {
 public:
  explicit record_reader(std::size_t piece)
      : piece_(piece), timed_reads_(record_size / piece - 2) {}

  std::size_t timed_reads() const noexcept { return timed_reads_; }
  asio::mutable_buffer at(std::size_t read) noexcept {
    return {received_.data() + read * piece_, piece_};
  }

  void begin() noexcept { begin_ = clock::now(); }
  void end() {
    std::chrono::duration<double, std::nano> const took = clock::now() - begin_;
    ns_per_read_.add(took.count() / static_cast<double>(timed_reads_));
  }

  // Checks a whole record.
  void done() {
    check_(received_.data(), received_.size());
    std::fill(received_.begin(), received_.end(), '\0');
  }

  // Of all records, so that one in which the process was interrupted does not count.
  double ns_per_read() const { return ns_per_read_.median(); }

 private:
  using clock = std::chrono::steady_clock;

  std::size_t piece_;
  std::size_t timed_reads_;
  std::vector<char> received_ = std::vector<char>(record_size);
  payload_check check_;
  clock::time_point begin_;
  samples ns_per_read_;
};

// The same server for all: whole records, by hand.
task<> write_records(over_openssl::server& server, line& control, int records) {
  auto peer = co_await server.accept();
  std::vector<char> data = make_payload(record_size);
  spoil_if_asked(data);
  for (int i = 0; i < records; ++i) {
    std::size_t const at = static_cast<std::size_t>(i) * record_size % data.size();
    co_await over_openssl::write(peer, asio::buffer(data.data() + at, record_size));
  }
  control.send(0.0);
  control.receive<int>();  // the reader is done
}

template <class Over>
class reads_ends {
  template <class T = void>
  using task = typename Over::template task<T>;

 public:
  static void serve(line& control, reads_case const& what) {
    raw_loop loop;
    over_openssl::server server(loop, what.tls);
    control.send(server.port());
    loop.spawn(write_records(server, control, what.records));
    loop.run();
  }

  static void be_client(line& control, std::uint16_t port, reads_case const& what) {
    typename Over::loop loop;
    typename Over::client client(loop, what.tls);
    record_reader reader(what.piece);
    loop.spawn(read_all(client, port, reader, what));
    loop.run();
    control.send(reader.ns_per_read());
    control.receive<int>();
  }

 private:
  static task<> read_all(typename Over::client& client, std::uint16_t port, record_reader& reader,
                         reads_case const& what) {
    auto peer = co_await client.connect(port);
    check_negotiated(Over::native_handle(peer), what.tls);
    for (int i = 0; i < what.records; ++i) {
      std::size_t got = co_await Over::read_some(peer, reader.at(0));
      require(got == what.piece, "a read is short");
      reader.begin();
      for (std::size_t read = 1; read <= reader.timed_reads(); ++read) {
        got += co_await Over::read_some(peer, reader.at(read));
      }
      reader.end();
      got += co_await Over::read_some(peer, reader.at(reader.timed_reads() + 1));
      require(got == record_size, "a read is short");
      reader.done();
    }
  }
};

std::vector<implementation<reads_case>> implementations() {
  return {implemented<reads_ends<over_cotls>, reads_case>(over_cotls::name),
          implemented<reads_ends<over_cotls_token>, reads_case>(over_cotls_token::name),
          implemented<reads_ends<over_cotls_blocking>, reads_case>(over_cotls_blocking::name),
          implemented<reads_ends<over_asio_ssl>, reads_case>(over_asio_ssl::name),
          implemented<reads_ends<over_openssl>, reads_case>(over_openssl::name)};
}

}  // namespace

void small_reads(plan& planned, results& into) {
  for (std::size_t const piece : pieces) {
    reads_case const what{{&planned.identity()}, piece, planned.pick(5, 20, 50, 300)};
    subject const of{.scenario = "small_reads",
                     .implementation = {},
                     .given = {{"read_bytes", static_cast<std::int64_t>(piece)}}};
    planned.compare(implementations(), what, of, planned.repetitions(),
                    [&into](implementation<reads_case> const& over, reads_case const& given,
                            subject const& measured) {
                      double const ns = run_both<double>(over, given).client;
                      into.add(measured, figures::ns_per_read, ns);
                    });
  }
}

}  // namespace bench
