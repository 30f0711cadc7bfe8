// Nanoseconds per small read of data that is decrypted already: the peer writes records of 16 KiB,
// which are read in pieces of 16 or 64 bytes. The first read of a record, which receives and
// decrypts it, and the last, which gives its buffer back, are not timed.

#include "loop.hpp"
#include "over_asio_ssl.hpp"
#include "over_cotls.hpp"
#include "over_openssl.hpp"
#include "process.hpp"
#include "samples.hpp"
#include "scenario.hpp"
#include "table.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr std::size_t record_size = 16 * 1024;
constexpr std::array<std::size_t, 2> pieces{16, 64};

// What every record holds, but for its first byte.
std::vector<char> make_record() {
  std::vector<char> record(record_size);
  for (std::size_t i = 0; i < record_size; ++i) record[i] = static_cast<char>(i * 7 + i / 256);
  return record;
}

// Where a record is read to, and how long its reads took.
class record_reader {
 public:
  record_reader(std::size_t piece, int records)
      : piece_(piece), timed_reads_(record_size / piece - 2), records_(records) {}

  int records() const noexcept { return records_; }
  std::size_t piece() const noexcept { return piece_; }
  std::size_t timed_reads() const noexcept { return timed_reads_; }
  char* at(std::size_t read) noexcept { return received_.data() + read * piece_; }

  void begin() noexcept { begin_ = clock::now(); }
  void end() {
    std::chrono::duration<double, std::nano> const took = clock::now() - begin_;
    ns_per_read_.add(took.count() / static_cast<double>(timed_reads_));
  }

  // Checks a whole record.
  void done(int number) {
    expected_.front() = static_cast<char>(number);
    require(received_ == expected_, "what was read is not what was written");
    std::fill(received_.begin(), received_.end(), '\0');
  }

  // Of all records, so that one in which the process was interrupted does not count.
  double ns_per_read() const { return ns_per_read_.median(); }

 private:
  using clock = std::chrono::steady_clock;

  std::size_t piece_;
  std::size_t timed_reads_;
  int records_;
  std::vector<char> expected_ = make_record();
  std::vector<char> received_ = std::vector<char>(record_size);
  clock::time_point begin_;
  samples ns_per_read_;
};

void write_records(line& control, cotls::identity const& own, int records) {
  auto const context = over_openssl::make_server(own);
  tcp_listener const listener;
  control.send(listener.port());
  auto peer = over_openssl::connection::accept(context.get(), listener.accept());
  std::vector<char> record = make_record();
  for (int i = 0; i < records; ++i) {
    record.front() = static_cast<char>(i);
    peer.write(record.data(), record.size());
  }
  control.receive<int>();  // the reader is done
}

template <class Over>
asio::awaitable<void> read_all(typename Over::client& client, std::uint16_t port,
                               record_reader& reader) {
  auto peer = co_await client.connect(port);
  std::size_t const piece = reader.piece();
  for (int i = 0; i < reader.records(); ++i) {
    std::size_t got =
        co_await peer.async_read_some(asio::buffer(reader.at(0), piece), asio::use_awaitable);
    require(got == piece, "a read is short");
    reader.begin();
    for (std::size_t read = 1; read <= reader.timed_reads(); ++read) {
      got +=
          co_await peer.async_read_some(asio::buffer(reader.at(read), piece), asio::use_awaitable);
    }
    reader.end();
    got += co_await peer.async_read_some(asio::buffer(reader.at(reader.timed_reads() + 1), piece),
                                         asio::use_awaitable);
    require(got == record_size, "a read is short");
    reader.done(i);
  }
}

template <class Over>
void read_records(cotls::identity const& server, std::uint16_t port, record_reader& reader) {
  asio::io_context io(1);
  typename Over::client client(server);
  run_until_done(io, read_all<Over>(client, port, reader));
}

void read_records_bare(cotls::identity const& server, std::uint16_t port, record_reader& reader) {
  auto const context = over_openssl::make_client(server);
  auto peer = over_openssl::connection::connect(context.get(), connect_to(port));
  SSL* const ssl = peer.native_handle();
  std::size_t const piece = reader.piece();
  for (int i = 0; i < reader.records(); ++i) {
    std::size_t got = 0;
    peer.read(reader.at(0), piece);
    reader.begin();
    for (std::size_t read = 1; read <= reader.timed_reads(); ++read) {
      std::size_t bytes = 0;
      if (SSL_read_ex(ssl, reader.at(read), piece, &bytes) != 1) break;
      got += bytes;
    }
    reader.end();
    peer.read(reader.at(reader.timed_reads() + 1), piece);
    require(got == record_size - 2 * piece, "a read is short");
    reader.done(i);
  }
}

struct implementation {
  std::string name;
  std::function<void(cotls::identity const&, std::uint16_t, record_reader&)> read;
};

double measure(implementation const& over, cotls::identity const& own, std::size_t piece,
               int records) {
  process writer([&](line& control) { write_records(control, own, records); });
  auto const port = writer.control().receive<std::uint16_t>();
  process reader([&](line& control) {
    record_reader timed(piece, records);
    over.read(own, port, timed);
    control.send(timed.ns_per_read());
  });
  auto const ns = reader.control().receive<double>();
  reader.join();
  writer.control().send(0);
  writer.join();
  return ns;
}

void compare(cotls::identity const& own, std::size_t piece, int records, int repetitions) {
  std::array const all{implementation{over_cotls::name, read_records<over_cotls>},
                       implementation{over_asio_ssl::name, read_records<over_asio_ssl>},
                       implementation{"SSL_read_ex", read_records_bare}};
  std::array<samples, all.size()> measured;
  for (int i = 0; i < repetitions; ++i) {
    for (std::size_t at = 0; at < all.size(); ++at) {
      measured[at].add(measure(all[at], own, piece, records));
    }
  }
  table shown({"", "ns per read", "lowest", "highest", "to asio-ssl", "to SSL_read_ex"});
  for (std::size_t at = 0; at < all.size(); ++at) {
    double const median = measured[at].median();
    shown.add({all[at].name, number(median), number(measured[at].lowest()),
               number(measured[at].highest()), ratio(median, measured[1].median()),
               ratio(median, measured[2].median())});
  }
  shown.print("Reads of " + std::to_string(piece) +
              " bytes that are decrypted already (medians of " + std::to_string(repetitions) +
              " runs of " + std::to_string(records) + " records)");
}

}  // namespace

int main(int argc, char** argv) {
  return run_scenario(
      argc, argv, "Nanoseconds per small read of data that is decrypted already.",
      [](arguments& given) {
        int const records = given.number("--records", 300, "of 16 KiB, read in one run");
        int const repetitions = given.number("--repetitions", 9, "runs of each implementation");
        if (!given.complete()) return true;
        auto const own = make_identity();
        for (std::size_t const piece : pieces) compare(own, piece, records, repetitions);
        return true;
      });
}
