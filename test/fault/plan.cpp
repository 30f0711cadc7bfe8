#include "plan.hpp"

#include "print.hpp"
#include "sanitized.hpp"

#include <ostream>

namespace cotls::test {

namespace {

// Under a sanitizer the runs at bytes are thinned out: one byte in so many. Coprime to the
// sizes of headers and records, so that all of their parts are met.
constexpr std::size_t byte_stride = sanitized ? 7 : 1;

// A signature's length varies by two bytes, and a socket's bytes come in one piece or in several:
// the moments go on a little beyond the end of what was measured.
constexpr std::size_t more_bytes = 3;
constexpr std::size_t more_steps = 1;

char const* name(trouble kind) {
  switch (kind) {
    case trouble::none: return "no trouble";
    case trouble::failure: return "failure";
    case trouble::end: return "end";
    case trouble::stall: return "stall";
    case trouble::deadline: return "deadline";
    case trouble::cancel: return "cancellation";
    case trouble::race: return "race with a cancellation";
  }
  return "?";
}

char const* name(unit counted) {
  switch (counted) {
    case unit::steps: return "step";
    case unit::bytes_in: return "incoming byte";
    case unit::bytes_out: return "outgoing byte";
  }
  return "?";
}

void add_cancellations(std::vector<plan>& to, plan next, std::size_t lanes) {
  using type = asio::cancellation_type;
  for (trouble kind : {trouble::cancel, trouble::race}) {
    for (type each : {type::terminal, type::partial, type::total}) {
      for (bool composed : {false, true}) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          next.kind = kind;
          next.type = each;
          next.composed = composed;
          next.lane = lane;
          to.push_back(next);
        }
      }
    }
  }
}

void add_bytes(std::vector<plan>& to, plan next, unit counted, std::size_t begin,
               std::size_t end) {
  next.counted = counted;
  for (trouble kind : {trouble::failure, trouble::end, trouble::stall}) {
    next.kind = kind;
    for (next.at = begin; next.at < end + more_bytes; next.at += byte_stride) to.push_back(next);
  }
}

}  // namespace

fault plan::transport_fault() const noexcept {
  switch (kind) {
    case trouble::none:
    case trouble::race: return fault::none;
    case trouble::failure: return fault::failure;
    case trouble::end: return fault::end;
    case trouble::stall:
    case trouble::deadline:
    case trouble::cancel: return fault::stall;
  }
  return fault::none;
}

std::ostream& operator<<(std::ostream& out, channel_kind value) {
  return out << (value == channel_kind::memory ? "memory" : "native");
}

std::ostream& operator<<(std::ostream& out, plan const& value) {
  out << value.channel << ", ";
  boost_test_print_type(out, value.version);
  out << (value.near_serves ? ", as server, " : ", as client, ") << value.limit
      << " bytes a step: " << name(value.kind) << " at " << name(value.counted) << " " << value.at;
  if (value.kind == trouble::cancel || value.kind == trouble::race) {
    out << " (type " << static_cast<unsigned>(value.type) << ", lane " << value.lane
        << (value.composed ? ", composed)" : ", awaited)");
  }
  return out;
}

std::vector<plan> at_every_step(plan const& like, std::size_t steps, std::size_t lanes) {
  std::vector<plan> all;
  plan next = like;
  for (next.at = 0; next.at < steps + more_steps; ++next.at) {
    for (trouble kind : {trouble::failure, trouble::end, trouble::stall, trouble::deadline}) {
      next.kind = kind;
      all.push_back(next);
    }
    add_cancellations(all, next, lanes);
  }
  return all;
}

std::vector<plan> at_every_byte(plan const& like, measures const& from, measures const& to) {
  std::vector<plan> all;
  add_bytes(all, like, unit::bytes_in, from.bytes_in, to.bytes_in);
  add_bytes(all, like, unit::bytes_out, from.bytes_out, to.bytes_out);
  return all;
}

}  // namespace cotls::test
